//! The JavaScript class over [`Workspace`]: conversions and named errors, no rules.
//!
//! Errors are thrown as plain objects `{code, path, message}` of stable words.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Deserializer;
use wasm_bindgen::prelude::*;

use crate::conduct::view::ConductView;
use crate::conduct::{Moment, ZoneData};
use crate::ids::{DeviceId, RecordId, unhex};
use crate::record::command::{AssignmentPatch, CasePatch, Command, NamedCommand};
use crate::record::plan::{self, Plan};
use crate::record::terms::Role;
use crate::record::view::{HistoryEntry, VisitView};
use crate::types::TsType;
use crate::workspace::keyring::{self, Keyring};
use crate::workspace::rescue::RescueFile;
use crate::workspace::vault::Vault;
use crate::workspace::{
    Card, Draft, Identity, ListChanges, NewAmendment, Output, RefusedWork, Row, STORE_FORMAT,
    Status, Workspace, WorkspaceError,
};

TsType! {
/// What is thrown.
#[derive(Debug, Serialize, serde::Deserialize)]
pub struct CoreError {
    /// Stable word.
    pub code: String,
    /// The path that it is about; else empty.
    pub path: String,
    /// One sentence for logs.
    pub message: String,
}
}

TsType! {
/// The rows of a device's store as the workspace is made from them.
#[derive(Debug, Serialize, serde::Deserialize)]
pub struct StoredRows {
    /// Table `meta`.
    pub meta: Vec<Row>,
    /// Table `records`.
    pub records: Vec<Row>,
    /// Table `outbox`.
    pub outbox: Vec<Row>,
}
}

/// Encrypts what the driver stores beside the core's tables: attachments.
#[wasm_bindgen(js_name = Cipher)]
#[derive(Debug)]
pub struct JsCipher {
    inner: Vault,
}

#[wasm_bindgen(js_class = Cipher)]
impl JsCipher {
    /// Under a user's data key; `salt` is 16 random bytes that are new for each.
    #[wasm_bindgen(constructor)]
    pub fn new(keyring: &JsKeyring, salt: &[u8]) -> Result<JsCipher, JsValue> {
        Ok(Self { inner: keyring.inner.vault(random(salt)?) })
    }

    /// A keyed hash of a name, for keys of the store.
    pub fn name(&self, text: &str) -> String {
        self.inner.attachment_key(text)
    }

    /// Encrypts a value, bound to its place.
    pub fn encrypt(&mut self, bytes: &[u8], place: &str) -> Vec<u8> {
        self.inner.encrypt_attachment(place, bytes)
    }

    /// Decrypts a value; undefined if it is damaged or from another place.
    pub fn decrypt(&self, bytes: &[u8], place: &str) -> Option<Vec<u8>> {
        self.inner.decrypt_attachment(place, bytes)
    }

    /// Re-encrypts a value of a table (`attachments` for the driver's own) that is under the
    /// previous data key; undefined if it is not.
    pub fn reencrypt(&mut self, table: &str, key: &str, value: &[u8]) -> Option<Vec<u8>> {
        self.inner.reencrypt(table, key, value)
    }
}

/// A device's workspace. Call a method, then `poll` until it gives nothing.
#[wasm_bindgen(js_name = Workspace)]
#[derive(Debug)]
pub struct JsWorkspace {
    inner: Workspace,
}

#[wasm_bindgen(js_class = Workspace)]
impl JsWorkspace {
    /// A workspace over the rows of a store. `device` is 32 hex digits, `salt` 16 random bytes
    /// that are new at each start.
    #[wasm_bindgen(constructor)]
    pub fn new(
        device: &str,
        session: f64,
        keyring: &JsKeyring,
        salt: &[u8],
        #[wasm_bindgen(unchecked_param_type = "StoredRows")] rows: JsValue,
        now_ms: f64,
    ) -> Result<JsWorkspace, JsValue> {
        let device: DeviceId =
            device.parse().map_err(|_| thrown("malformed_id", "", "the device id is malformed"))?;
        let vault = keyring.inner.vault(random(salt)?);
        let Keyring { user, role, .. } = keyring.inner.clone();
        let role = Role::parse(&role).ok_or_else(|| thrown("unknown_role", "", "unknown role"))?;
        let rows: StoredRows = from_js(rows)?;
        let identity = Identity { device, session: count(session), user, role };
        Workspace::new(identity, vault, &rows.meta, &rows.records, &rows.outbox, millis(now_ms))
            .map(|inner| Self { inner })
            .map_err(|error| thrown("newer_store", "", &error.to_string()))
    }

    /// A workspace to practise in, that never sends anything.
    #[wasm_bindgen(js_name = forPractice)]
    pub fn for_practice(
        session: f64,
        keyring: &JsKeyring,
        salt: &[u8],
        #[wasm_bindgen(unchecked_param_type = "StoredRows")] rows: JsValue,
        now_ms: f64,
    ) -> Result<JsWorkspace, JsValue> {
        let rows: StoredRows = from_js(rows)?;
        let device = DeviceId([u8::MAX; 16]);
        let vault = keyring.inner.vault(random(salt)?);
        let user = keyring.inner.user.clone();
        let identity = Identity { device, session: count(session), user, role: Role::Collector };
        Workspace::for_practice(
            identity,
            vault,
            &rows.meta,
            &rows.records,
            &rows.outbox,
            millis(now_ms),
        )
        .map(|inner| Self { inner })
        .map_err(|error| thrown("newer_store", "", &error.to_string()))
    }

    /// Replaces the keyring: from now on rows are sealed under its data key. `salt` is 16 random
    /// bytes that are new for each.
    pub fn rekey(&mut self, keyring: &JsKeyring, salt: &[u8]) -> Result<(), JsValue> {
        self.inner.rekey(keyring.inner.vault(random(salt)?));
        Ok(())
    }

    /// Adds a made-up record to practise with.
    #[wasm_bindgen(js_name = addPracticeRecord)]
    pub fn add_practice_record(
        &mut self,
        record: &str,
        case_no: &str,
        #[wasm_bindgen(unchecked_param_type = "CasePatch")] case: JsValue,
        #[wasm_bindgen(unchecked_param_type = "AssignmentPatch")] assignment: JsValue,
        now_ms: f64,
    ) -> Result<(), JsValue> {
        let (case, assignment): (CasePatch, AssignmentPatch) =
            (from_js(case)?, from_js(assignment)?);
        self.inner
            .add_practice_record(id(record)?, case_no, &case, &assignment, millis(now_ms))
            .map_err(|error| refusal(error.into()))
    }

    /// Rows of the list that changed since the last call, at most so many.
    #[wasm_bindgen(js_name = listChanges, unchecked_return_type = "ListChanges")]
    pub fn list_changes(&mut self, at_most: usize) -> Result<JsValue, JsValue> {
        to_js::<ListChanges>(&self.inner.list_changes(at_most))
    }

    /// Cards of own past work, the last visit first.
    #[wasm_bindgen(js_name = pastWork, unchecked_return_type = "Card[]")]
    pub fn past_work(&self) -> Result<JsValue, JsValue> {
        to_js::<Vec<Card>>(&self.inner.past_work())
    }

    /// What is begun about a record and not handed in.
    #[wasm_bindgen(unchecked_return_type = "Draft[]")]
    pub fn drafts(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<Vec<Draft>>(&self.inner.drafts(id(record)?))
    }

    /// Whether anything is begun about any record.
    #[wasm_bindgen(js_name = hasDrafts)]
    pub fn has_drafts(&self) -> bool {
        self.inner.has_drafts()
    }

    /// Has a text stand in a form, or nothing; gives the ticket that will be durable.
    #[wasm_bindgen(js_name = saveDraft)]
    pub fn save_draft(
        &mut self,
        record: &str,
        form: &str,
        text: Option<String>,
        now_ms: f64,
    ) -> Result<f64, JsValue> {
        let kept = self.inner.save_draft(id(record)?, form, text.as_deref(), millis(now_ms));
        kept.map(ticket).map_err(refusal)
    }

    /// The status.
    #[wasm_bindgen(unchecked_return_type = "Status")]
    pub fn status(&self) -> Result<JsValue, JsValue> {
        to_js::<Status>(&self.inner.status())
    }

    /// What an open record says.
    #[wasm_bindgen(unchecked_return_type = "VisitView")]
    pub fn view(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<VisitView>(&self.inner.view(id(record)?).map_err(refusal)?)
    }

    /// The history of an open record.
    #[wasm_bindgen(unchecked_return_type = "HistoryEntry[]")]
    pub fn history(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<Vec<HistoryEntry>>(&self.inner.history(id(record)?).map_err(refusal)?)
    }

    /// The bytes that this device signs to put its user's signature under a state of an open
    /// record.
    pub fn statement(
        &self,
        record: &str,
        #[wasm_bindgen(unchecked_param_type = "string[]")] heads: JsValue,
        at: f64,
        text: &str,
    ) -> Result<Vec<u8>, JsValue> {
        let heads: Vec<String> = from_js(heads)?;
        self.inner.statement(id(record)?, &heads, millis(at), text).map_err(refusal)
    }

    /// What the rules of conduct say of an open record at a moment, as if it were `at`, ms.
    #[wasm_bindgen(unchecked_return_type = "ConductView")]
    pub fn conduct(&self, record: &str, moment: &str, at: f64) -> Result<JsValue, JsValue> {
        let moment = Moment::parse(moment)
            .ok_or_else(|| thrown("malformed_value", "moment", "no such moment"))?;
        let view = self.inner.conduct(id(record)?, moment, millis(at)).map_err(refusal)?;
        to_js::<ConductView>(&view)
    }

    /// Whether the zone's data is here, and covers a time, ms.
    #[wasm_bindgen(js_name = hasZone)]
    pub fn has_zone(&self, zone: &str, at: f64) -> bool {
        self.inner.has_zone(zone, millis(at))
    }

    /// Takes in a zone, as the browser knows it.
    #[wasm_bindgen(js_name = addZone)]
    pub fn add_zone(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "ZoneData")] zone: JsValue,
    ) -> Result<(), JsValue> {
        self.inner.add_zone(from_js::<ZoneData>(zone)?);
        Ok(())
    }

    /// Takes in the lender's own layers; gives whether they were understood.
    #[wasm_bindgen(js_name = setLayers)]
    pub fn set_layers(&mut self, packed: &[u8]) -> bool {
        self.inner.set_layers(packed)
    }

    /// Whether a record is on this device; it may have been taken away from it.
    pub fn holds(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.holds(id(record)?))
    }

    /// These records and no others stay until their attachments are named.
    #[wasm_bindgen(js_name = retainForAttachments)]
    pub fn retain_for_attachments(&mut self, records: Vec<String>, now_ms: f64) {
        let records = records.iter().filter_map(|record| record.parse().ok()).collect();
        self.inner.retain_for_attachments(records, millis(now_ms));
    }

    /// Whether a record is to leave this device as soon as nothing holds it back.
    #[wasm_bindgen(js_name = isLeaving)]
    pub fn is_leaving(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.is_leaving(id(record)?))
    }

    /// Whether the office has all that was written into a record, or it is not here.
    #[wasm_bindgen(js_name = isConfirmed)]
    pub fn is_confirmed(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.is_confirmed(id(record)?))
    }

    /// Whether anything is not confirmed by the office.
    #[wasm_bindgen(js_name = hasUnsent)]
    pub fn has_unsent(&self) -> bool {
        self.inner.has_unsent()
    }

    /// Whether everything is on disk.
    #[wasm_bindgen(js_name = isDurable)]
    pub fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }

    /// Everything that the office has not confirmed, sealed.
    #[wasm_bindgen(js_name = rescueRows, unchecked_return_type = "Row[]")]
    pub fn rescue_rows(&mut self) -> Result<JsValue, JsValue> {
        to_js::<Vec<Row>>(&self.inner.rescue_rows())
    }

    /// Opens a record for a page.
    pub fn open(&mut self, record: &str) -> Result<(), JsValue> {
        self.inner.open(id(record)?).map_err(refusal)
    }

    /// A page no longer looks at a record.
    pub fn close(&mut self, record: &str) -> Result<(), JsValue> {
        self.inner.close(id(record)?);
        Ok(())
    }

    /// Carries a command out; gives the ticket that will be durable.
    pub fn apply(
        &mut self,
        record: &str,
        #[wasm_bindgen(unchecked_param_type = "Command")] command: JsValue,
        now_ms: f64,
        zone: &str,
    ) -> Result<Option<f64>, JsValue> {
        let command = command_from_js(&command)?;
        let applied = self.inner.apply(id(record)?, &command, millis(now_ms), zone);
        Ok(applied.map_err(refusal)?.map(ticket))
    }

    /// What of an open record the office refused, beside what the office has.
    #[wasm_bindgen(js_name = refusedWork, unchecked_return_type = "RefusedWork")]
    pub fn refused_work(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<RefusedWork>(&self.inner.refused_work(id(record)?).map_err(refusal)?)
    }

    /// Takes the office's record and writes again what still holds, some of it as amendments;
    /// `session` is a new one. Gives the ticket that will be durable.
    #[wasm_bindgen(js_name = resolveRefused)]
    pub fn resolve_refused(
        &mut self,
        record: &str,
        units: Vec<String>,
        #[wasm_bindgen(unchecked_param_type = "NewAmendment[]")] amendments: JsValue,
        session: f64,
        now_ms: f64,
        zone: &str,
    ) -> Result<Option<f64>, JsValue> {
        let amendments: Vec<NewAmendment> = from_js(amendments)?;
        let (record, session, now_ms) = (id(record)?, count(session), millis(now_ms));
        let settled =
            self.inner.resolve_refused(record, &units, &amendments, session, now_ms, zone);
        Ok(settled.map_err(refusal)?.map(ticket))
    }

    /// The next thing to do.
    #[wasm_bindgen(unchecked_return_type = "Output | null")]
    pub fn poll(&mut self) -> Result<JsValue, JsValue> {
        to_js::<Option<Output>>(&self.inner.poll())
    }

    /// A batch is durable.
    pub fn persisted(&mut self, batch: f64, now_ms: f64) {
        self.inner.persisted(count(batch), millis(now_ms));
    }

    /// A batch failed and left nothing behind.
    #[wasm_bindgen(js_name = persistFailed)]
    pub fn persist_failed(&mut self, batch: f64, reason: &str, now_ms: f64) {
        self.inner.persist_failed(count(batch), reason, millis(now_ms));
    }

    /// The chunks of a record.
    pub fn loaded(
        &mut self,
        record: &str,
        #[wasm_bindgen(unchecked_param_type = "Row[]")] rows: JsValue,
        now_ms: f64,
    ) -> Result<(), JsValue> {
        let rows: Vec<Row> = from_js(rows)?;
        self.inner.loaded(id(record)?, &rows, millis(now_ms));
        Ok(())
    }

    /// The reply to a request.
    pub fn replied(&mut self, round: f64, body: &[u8], now_ms: f64) {
        self.inner.replied(count(round), body, millis(now_ms));
    }

    /// No reply came.
    #[wasm_bindgen(js_name = requestFailed)]
    pub fn request_failed(&mut self, round: f64, reason: &str, now_ms: f64, random: u32) {
        self.inner.request_failed(count(round), reason, millis(now_ms), random);
    }

    /// The office has no room now and said when to come again.
    #[wasm_bindgen(js_name = defer)]
    pub fn defer(&mut self, round: f64, wait_ms: f64, now_ms: f64, random: u32) {
        self.inner.defer(count(round), millis(wait_ms), millis(now_ms), random);
    }

    /// A round may be worth while now.
    #[wasm_bindgen(js_name = syncNow)]
    pub fn sync_now(&mut self, now_ms: f64) {
        self.inner.sync_now(millis(now_ms));
    }

    /// The time asked for by `wake_at` has come.
    pub fn wake(&mut self, now_ms: f64) {
        self.inner.wake(millis(now_ms));
    }
}

/// A user's data key, and whose it is; it comes and goes wrapped.
#[wasm_bindgen(js_name = Keyring)]
#[derive(Debug)]
pub struct JsKeyring {
    inner: Keyring,
}

#[wasm_bindgen(js_class = Keyring)]
impl JsKeyring {
    /// A new keyring; `key` is 32 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(key: &[u8], user: String, role: String) -> Result<JsKeyring, JsValue> {
        Ok(Self { inner: Keyring::new(random(key)?, user, role) })
    }

    /// Begins a key rotation: a keyring with a new data key of 32 random bytes that still opens
    /// what is sealed under this one's. Nothing while a rotation is under way.
    pub fn rotated(&self, key: &[u8]) -> Result<Option<JsKeyring>, JsValue> {
        Ok(self.inner.rotated(random(key)?).map(|inner| Self { inner }))
    }

    /// Whether rows may still be sealed under a previous data key.
    #[wasm_bindgen(getter)]
    pub fn rotating(&self) -> bool {
        self.inner.is_rotating()
    }

    /// The keyring without the previous data key.
    #[wasm_bindgen(js_name = withoutPrevious)]
    pub fn without_previous(&self) -> JsKeyring {
        Self { inner: self.inner.without_previous() }
    }

    /// Sign-in name.
    #[wasm_bindgen(getter)]
    pub fn user(&self) -> String {
        self.inner.user.clone()
    }

    /// Role.
    #[wasm_bindgen(getter)]
    pub fn role(&self) -> String {
        self.inner.role.clone()
    }

    /// Wraps it under 32 bytes; `nonce` is 24 random bytes, `about` what the wrap is for.
    pub fn wrap(&self, wrapping: &[u8], nonce: &[u8], about: &str) -> Result<Vec<u8>, JsValue> {
        Ok(self.inner.wrap(&random(wrapping)?, random(nonce)?, about))
    }

    /// Unwraps a keyring; nothing where the key is wrong or the bytes are damaged.
    pub fn unwrap(
        wrapping: &[u8],
        wrapped: &[u8],
        about: &str,
    ) -> Result<Option<JsKeyring>, JsValue> {
        let inner = Keyring::unwrap(&random(wrapping)?, wrapped, about);
        Ok(inner.map(|inner| Self { inner }))
    }
}

/// Makes 32 bytes of a PIN or passphrase, slowly; `salt` is 16 random bytes.
#[wasm_bindgen]
pub fn stretch(secret: &str, salt: &[u8]) -> Result<Vec<u8>, JsValue> {
    let stretched = keyring::stretch(secret, salt).map(|bytes| bytes.to_vec());
    stretched.ok_or_else(|| thrown("malformed_value", "", "the salt is too short"))
}

/// A rescue file of sealed rows of the outbox; `proof` is what the office gave with the device's id,
/// hex.
#[wasm_bindgen(js_name = rescueFile)]
pub fn rescue_file(
    device: &str,
    escrow: &[u8],
    #[wasm_bindgen(unchecked_param_type = "Row[]")] rows: JsValue,
    proof: Option<String>,
) -> Result<Vec<u8>, JsValue> {
    let proof = proof.and_then(|proof| unhex(&proof)).and_then(|proof| proof.try_into().ok());
    let device: DeviceId =
        device.parse().map_err(|_| thrown("malformed_id", "", "the device id is malformed"))?;
    Ok(RescueFile::new(device, escrow.to_vec(), from_js(rows)?, proof).to_bytes())
}

/// Version of the rows that this program writes.
#[wasm_bindgen(js_name = storeFormat)]
pub fn store_format() -> u8 {
    STORE_FORMAT
}

/// A new UUIDv7 from a time and ten random bytes.
#[wasm_bindgen(js_name = newId)]
pub fn new_id(now_ms: f64, random: &[u8]) -> Result<String, JsValue> {
    Ok(RecordId::v7(millis(now_ms), self::random(random)?).to_string())
}

/// Random bytes of the length that is needed.
fn random<const N: usize>(bytes: &[u8]) -> Result<[u8; N], JsValue> {
    bytes.try_into().map_err(|_| thrown("malformed_value", "", "bytes of another length"))
}

/// What a repayment option comes to; `amount` is whole minor units.
#[wasm_bindgen(unchecked_return_type = "Plan")]
pub fn plan(amount: f64, instalments: f64, first_due: &str) -> Result<JsValue, JsValue> {
    let made = plan::plan(millis(amount), millis(instalments), first_due)
        .map_err(|error| thrown(error.code(), "", &error.to_string()))?;
    to_js::<Plan>(&made)
}

fn id(record: &str) -> Result<RecordId, JsValue> {
    record.parse().map_err(|_| thrown("unknown_record", "", "malformed record id"))
}

fn refusal(error: WorkspaceError) -> JsValue {
    let message = error.to_string();
    match error {
        WorkspaceError::UnknownRecord => thrown("unknown_record", "", &message),
        WorkspaceError::NotOpen => thrown("not_open", "", &message),
        WorkspaceError::NotRefused => thrown("not_refused", "", &message),
        WorkspaceError::NotKept => thrown("not_kept", "", &message),
        WorkspaceError::Damaged => thrown("damaged", "", &message),
        WorkspaceError::Command(error) => thrown(error.code(), error.path(), &message),
        WorkspaceError::ZoneNeeded { zone } => thrown("zone_needed", &zone, &message),
        WorkspaceError::Stopped { rules, .. } => {
            thrown("conduct_stops", &rules.join(" "), &message)
        }
        WorkspaceError::ReasonNeeded { rules, .. } => {
            thrown("conduct_needs_reason", &rules.join(" "), &message)
        }
    }
}

fn thrown(code: &str, path: &str, message: &str) -> JsValue {
    let error = CoreError { code: code.into(), path: path.into(), message: message.into() };
    to_js(&error).unwrap_or_else(|error| error)
}

fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| malformed(&error))
}

/// A command is an object with its name under `do`.
fn command_from_js(command: &JsValue) -> Result<Command, JsValue> {
    let named = Object::new();
    Reflect::get(command, &"do".into())
        .and_then(|name| Reflect::set(&named, &name, command))
        .map_err(serde_wasm_bindgen::Error::from)
        .and_then(|_| NamedCommand::deserialize(Deserializer::from(JsValue::from(named))))
        .map_err(|error| malformed(&error))
}

fn malformed(error: &serde_wasm_bindgen::Error) -> JsValue {
    thrown("malformed_value", "", &error.to_string())
}

/// Tickets count edits of one session: far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn ticket(number: u64) -> f64 {
    number as f64
}

/// JavaScript's times and amounts are whole numbers below 2^53.
#[allow(clippy::cast_possible_truncation)]
fn millis(number: f64) -> i64 {
    number as i64
}

/// Numbers of sessions, batches and rounds, all below 2^53, come back as they went out.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn count(number: f64) -> u64 {
    number as u64
}
