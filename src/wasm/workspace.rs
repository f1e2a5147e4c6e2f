//! The JavaScript class over [`Workspace`].

use wasm_bindgen::prelude::*;

use super::convert::{
    StoredRows, bytes, command_from_js, count, from_js, id, millis, refusal, thrown, ticket, to_js,
    to_js_object,
};
use super::keys::JsKeyring;
use crate::conduct::view::ConductView;
use crate::conduct::{Moment, ZoneData};
use crate::ids::DeviceId;
use crate::record::command::{AssignmentPatch, CasePatch};
use crate::record::terms::Role;
use crate::record::view::{HistoryEntry, VisitView};
use crate::vault::keyring::Keyring;
use crate::workspace::{
    Card, Draft, Identity, ListMark, ListPage, NewAmendment, Output, RefusedWork, RequestFailure,
    Row, StorageFailure, SyncStatus, Workspace,
};

/// A device's workspace. Call a method, then `poll` until it gives nothing.
#[wasm_bindgen(js_name = Workspace)]
#[derive(Debug)]
pub struct JsWorkspace {
    inner: Workspace,
}

#[wasm_bindgen(js_class = Workspace)]
impl JsWorkspace {
    /// A workspace over the rows of a store. `device` is 32 hex digits, `salt` 16 random bytes,
    /// new at each start.
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
        let vault = keyring.inner.vault(bytes(salt)?);
        let Keyring { user, role, .. } = keyring.inner.clone();
        let role = Role::parse(&role).ok_or_else(|| thrown("unknown_role", "", "unknown role"))?;
        let rows: StoredRows = from_js(rows)?;
        let identity = Identity { device, session: count(session), user, role };
        Workspace::new(identity, vault, &rows.meta, &rows.records, &rows.outbox, millis(now_ms))
            .map(|inner| Self { inner })
            .map_err(|error| thrown("newer_store", "", &error.to_string()))
    }

    /// The practice workspace, which never sends anything.
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
        let vault = keyring.inner.vault(bytes(salt)?);
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

    /// Replaces the keyring: rows are encrypted under its data key from now on. `salt` is 16 random
    /// bytes, new for each call.
    pub fn rekey(&mut self, keyring: &JsKeyring, salt: &[u8]) -> Result<(), JsValue> {
        self.inner.rekey(keyring.inner.vault(bytes(salt)?));
        Ok(())
    }

    /// Adds an invented record for practice.
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

    /// At most `limit` changes of the list after a mark; without a mark the whole list from its
    /// beginning.
    #[wasm_bindgen(js_name = listChanges, unchecked_return_type = "ListPage")]
    pub fn list_changes(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "ListMark | null")] since: JsValue,
        limit: usize,
    ) -> Result<JsValue, JsValue> {
        let since: Option<ListMark> = from_js(since)?;
        to_js_object::<ListPage>(&self.inner.list_changes(since.as_ref(), limit))
    }

    /// Cards of the user's past visits, the last visit first.
    #[wasm_bindgen(js_name = pastWork, unchecked_return_type = "Card[]")]
    pub fn past_work(&self) -> Result<JsValue, JsValue> {
        to_js::<Vec<Card>>(&self.inner.past_work())
    }

    /// Drafts of a record.
    #[wasm_bindgen(unchecked_return_type = "Draft[]")]
    pub fn drafts(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<Vec<Draft>>(&self.inner.drafts(id(record)?))
    }

    /// Whether any record has a draft.
    #[wasm_bindgen(js_name = hasDrafts)]
    pub fn has_drafts(&self) -> bool {
        self.inner.has_drafts()
    }

    /// Saves the draft of a form, or removes it; gives the ticket that will be durable.
    #[wasm_bindgen(js_name = saveDraft)]
    pub fn save_draft(
        &mut self,
        record: &str,
        form: &str,
        text: Option<String>,
        now_ms: f64,
    ) -> Result<f64, JsValue> {
        let saved = self.inner.save_draft(id(record)?, form, text.as_deref(), millis(now_ms));
        saved.map(ticket).map_err(refusal)
    }

    /// The sync status.
    #[wasm_bindgen(unchecked_return_type = "SyncStatus")]
    pub fn status(&self) -> Result<JsValue, JsValue> {
        to_js::<SyncStatus>(&self.inner.status())
    }

    /// The view of an open record.
    #[wasm_bindgen(unchecked_return_type = "VisitView")]
    pub fn view(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<VisitView>(&self.inner.view(id(record)?).map_err(refusal)?)
    }

    /// The history of an open record.
    #[wasm_bindgen(unchecked_return_type = "HistoryEntry[]")]
    pub fn history(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<Vec<HistoryEntry>>(&self.inner.history(id(record)?).map_err(refusal)?)
    }

    /// The bytes that this device signs for its user's signature of a state of an open record.
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

    /// Evaluates the rules of conduct for an open record at a moment of the visit, as if the time
    /// were `at`, ms.
    #[wasm_bindgen(unchecked_return_type = "ConductView")]
    pub fn conduct(&self, record: &str, moment: &str, at: f64) -> Result<JsValue, JsValue> {
        let moment = Moment::parse(moment)
            .ok_or_else(|| thrown("malformed_value", "moment", "unknown moment"))?;
        let view = self.inner.conduct(id(record)?, moment, millis(at)).map_err(refusal)?;
        to_js::<ConductView>(&view)
    }

    /// Whether the data of a time zone is loaded and covers a time, ms.
    #[wasm_bindgen(js_name = hasZone)]
    pub fn has_zone(&self, zone: &str, at: f64) -> bool {
        self.inner.has_zone(zone, millis(at))
    }

    /// Adds a time zone from the browser's data.
    #[wasm_bindgen(js_name = addZone)]
    pub fn add_zone(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "ZoneData")] zone: JsValue,
    ) -> Result<(), JsValue> {
        self.inner.add_zone(from_js::<ZoneData>(zone)?);
        Ok(())
    }

    /// Stores the lender's own layers; gives whether they were valid.
    #[wasm_bindgen(js_name = setLayers)]
    pub fn set_layers(&mut self, packed: &[u8]) -> bool {
        self.inner.set_layers(packed)
    }

    /// Sorts the list by the office's rules.
    #[wasm_bindgen(js_name = setQueueOrder)]
    pub fn set_queue_order(&mut self, words: Vec<String>) {
        self.inner.set_queue_order(&words);
    }

    /// Whether a record is on this device.
    pub fn holds(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.holds(id(record)?))
    }

    /// Keeps these records, and no others, until their attachments are named.
    #[wasm_bindgen(js_name = retainForAttachments)]
    pub fn retain_for_attachments(&mut self, records: Vec<String>, now_ms: f64) {
        let records = records.iter().filter_map(|record| record.parse().ok()).collect();
        self.inner.retain_for_attachments(records, millis(now_ms));
    }

    /// Whether a record will be erased as soon as nothing retains it.
    #[wasm_bindgen(js_name = isLeaving)]
    pub fn is_leaving(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.is_leaving(id(record)?))
    }

    /// Whether the office has all changes of a record, or it is not on this device.
    #[wasm_bindgen(js_name = isConfirmed)]
    pub fn is_confirmed(&self, record: &str) -> Result<bool, JsValue> {
        Ok(self.inner.is_confirmed(id(record)?))
    }

    /// Whether this device has changes that the office has not confirmed.
    #[wasm_bindgen(js_name = hasUnsent)]
    pub fn has_unsent(&self) -> bool {
        self.inner.has_unsent()
    }

    /// Whether everything is on disk.
    #[wasm_bindgen(js_name = isDurable)]
    pub fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }

    /// All unconfirmed changes as encrypted outbox rows.
    #[wasm_bindgen(js_name = rescueRows, unchecked_return_type = "Row[]")]
    pub fn rescue_rows(&mut self) -> Result<JsValue, JsValue> {
        to_js::<Vec<Row>>(&self.inner.rescue_rows())
    }

    /// Opens a record for a page.
    pub fn open(&mut self, record: &str) -> Result<(), JsValue> {
        self.inner.open(id(record)?).map_err(refusal)
    }

    /// A page has closed a record.
    pub fn close(&mut self, record: &str) -> Result<(), JsValue> {
        self.inner.close(id(record)?);
        Ok(())
    }

    /// Applies a command; gives the ticket that will be durable.
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

    /// The refused work of an open record, compared with the office's values.
    #[wasm_bindgen(js_name = refusedWork, unchecked_return_type = "RefusedWork")]
    pub fn refused_work(&self, record: &str) -> Result<JsValue, JsValue> {
        to_js::<RefusedWork>(&self.inner.refused_work(id(record)?).map_err(refusal)?)
    }

    /// Resets a record to the office's state and writes the picked units and amendments again under
    /// a new `session`. Gives the ticket that will be durable.
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
        let resolved =
            self.inner.resolve_refused(record, &units, &amendments, session, now_ms, zone);
        Ok(resolved.map_err(refusal)?.map(ticket))
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
        let failure = StorageFailure::from_code(reason);
        self.inner.persist_failed(count(batch), failure, millis(now_ms));
    }

    /// The row of a record, if it has one, and its chunks, in answer to `load`.
    pub fn loaded(
        &mut self,
        record: &str,
        #[wasm_bindgen(unchecked_param_type = "Row | undefined")] row: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Row[]")] chunks: JsValue,
        now_ms: f64,
    ) -> Result<(), JsValue> {
        let (row, chunks): (Option<Row>, Vec<Row>) = (from_js(row)?, from_js(chunks)?);
        self.inner.loaded(id(record)?, row.as_ref(), &chunks, millis(now_ms));
        Ok(())
    }

    /// The next rows of the table `records`, in answer to `read_records`; none where there are no
    /// more.
    #[wasm_bindgen(js_name = recordsRead)]
    pub fn records_read(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Row[]")] rows: JsValue,
        now_ms: f64,
    ) -> Result<(), JsValue> {
        let rows: Vec<Row> = from_js(rows)?;
        self.inner.records_read(&rows, millis(now_ms));
        Ok(())
    }

    /// The reply to a request.
    pub fn replied(&mut self, round: f64, body: &[u8], now_ms: f64) {
        self.inner.replied(count(round), body, millis(now_ms));
    }

    /// No reply came.
    #[wasm_bindgen(js_name = requestFailed)]
    pub fn request_failed(&mut self, round: f64, reason: &str, now_ms: f64, random: u32) {
        let failure = RequestFailure::from_code(reason);
        self.inner.request_failed(count(round), failure, millis(now_ms), random);
    }

    /// The office has no room now and asked to wait `wait_ms`.
    pub fn defer(&mut self, round: f64, wait_ms: f64, now_ms: f64, random: u32) {
        self.inner.defer(count(round), millis(wait_ms), millis(now_ms), random);
    }

    /// Applies the next part of a reply.
    pub fn resume(&mut self, now_ms: f64) {
        self.inner.resume(millis(now_ms));
    }

    /// A round may be worthwhile now.
    #[wasm_bindgen(js_name = syncNow)]
    pub fn sync_now(&mut self, now_ms: f64) {
        self.inner.sync_now(millis(now_ms));
    }

    /// The office signals that the feed has grown to `seq`.
    #[wasm_bindgen(js_name = feedMoved)]
    pub fn feed_moved(&mut self, seq: f64, now_ms: f64) {
        self.inner.feed_moved(count(seq), millis(now_ms));
    }

    /// Whether the office's event stream is alive.
    #[wasm_bindgen(js_name = setStreamed)]
    pub fn set_streamed(&mut self, is_streamed: bool, now_ms: f64) {
        self.inner.set_streamed(is_streamed, millis(now_ms));
    }

    /// The time of `wake_at` has come.
    pub fn wake(&mut self, now_ms: f64) {
        self.inner.wake(millis(now_ms));
    }
}
