//! A history of one office, two collectors with three phones between them, and a supervisor.

mod people;

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};
use doorstep::conduct::zones;
use doorstep::ids::{DeviceId, Heads, RecordId};
use doorstep::office::Session;
use doorstep::office::store::{
    Device as Enrolled, QuarantineFilter, QuarantineState, QuarantinedWork, User,
};
use doorstep::record::genesis;
use doorstep::record::terms::Role;
use doorstep::record::view::VisitView;
use doorstep::sync::message::{Outcome, Push, RefusalCode, Tables, decode_reply, decode_request};
use doorstep::sync::packed::{self, Prefix, Unpackable, prefix};
use doorstep::workspace::{NewAmendment, WorkspaceError};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::dice::Dice;
use crate::support::office::TestOffice;
use crate::support::phone::{NOW, TestPhone, contact};

/// Whose each phone is: one of the two works on two phones.
const PHONES: [&str; 3] = ["chen.jie", "wu.min", "chen.jie"];
const BOSS: &str = "lin.yue";
const ZONE: &str = "Asia/Shanghai";
const RECORDS: usize = 2;

/// One thing that happens. `record` and `phone` are numbers.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A collector does something, on line or off.
    Write { phone: usize, record: usize, salt: u64 },
    /// The supervisor does something.
    Desk { record: usize, salt: u64 },
    /// One request; the reply may be lost.
    Round { phone: usize, reply_comes: bool },
    /// Rounds until there is nothing more to say.
    CatchUp { phone: usize },
    /// The record is given to none, one, the other or both.
    Assign { record: usize, to: usize },
    /// The app is closed and opened.
    Restart { phone: usize },
    /// The supervisor accepts the oldest work in quarantine.
    Accept,
}

impl Step {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let (phone, record) = (0..PHONES.len(), 0..RECORDS);
        prop_oneof![
            14 => (phone.clone(), record.clone(), any::<u64>())
                .prop_map(|(phone, record, salt)| Self::Write { phone, record, salt }),
            5 => (record.clone(), any::<u64>())
                .prop_map(|(record, salt)| Self::Desk { record, salt }),
            3 => (phone.clone(), any::<bool>())
                .prop_map(|(phone, reply_comes)| Self::Round { phone, reply_comes }),
            3 => phone.clone().prop_map(|phone| Self::CatchUp { phone }),
            1 => (record, 0..6_usize).prop_map(|(record, to)| Self::Assign { record, to }),
            1 => phone.prop_map(|phone| Self::Restart { phone }),
            1 => Just(Self::Accept),
        ]
    }
}

pub(crate) struct History {
    pub(crate) office: TestOffice,
    pub(crate) records: Vec<RecordId>,
    pub(crate) phones: Vec<TestPhone>,
    /// Who has which record, as the office says.
    collectors: BTreeMap<RecordId, BTreeSet<String>>,
    /// What was pushed for records that their author did not have any more.
    late: BTreeMap<(RecordId, String), BTreeSet<ChangeHash>>,
    /// What was pushed after the office had a seal that its author had not seen (rule M9).
    after_seal: BTreeMap<(RecordId, String), BTreeSet<ChangeHash>>,
    /// Forgeries that the office kept.
    pub(crate) kept: BTreeSet<(RecordId, Vec<Vec<u8>>)>,
    /// A page of each phone that was left open, by record.
    earlier: BTreeMap<(usize, RecordId), VisitView>,
    /// How often what was carried out.
    done: BTreeMap<String, usize>,
    ticks: u32,
}

/// A push, beside what the office has.
enum HandedIn {
    Held,
    New(Vec<ChangeHash>),
    /// It builds on what the office does not have.
    Following,
}

impl History {
    /// Everybody has everything, and each collector has called on every record.
    pub(crate) async fn new() -> Self {
        let (office, records) = TestOffice::with_records(RECORDS).await;
        let mut history = Self {
            office,
            phones: Vec::new(),
            collectors: BTreeMap::new(),
            late: BTreeMap::new(),
            after_seal: BTreeMap::new(),
            kept: BTreeSet::new(),
            earlier: BTreeMap::new(),
            done: BTreeMap::new(),
            ticks: 0,
            records,
        };
        for record in history.records.clone() {
            history.assign(record, &["chen.jie", "wu.min"]).await;
        }
        for (n, user) in PHONES.into_iter().enumerate() {
            history.enrol(n, user).await;
            let mut phone = TestPhone::new(user, number(n));
            phone.workspace.add_zone(zones::around(ZONE, NOW));
            history.phones.push(phone);
            history.catch_up(n).await;
            for record in history.records.clone() {
                let id = history.id();
                history.phones[n].apply(record, &contact(&id));
            }
            history.catch_up(n).await;
        }
        history
    }

    pub(crate) async fn live(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Write { phone, record, salt } => {
                    self.write(phone, self.records[record], &mut Dice::of(salt));
                }
                Step::Desk { record, salt } => {
                    self.desk(self.records[record], &mut Dice::of(salt)).await;
                }
                Step::Round { phone, reply_comes } => {
                    self.phones[phone].workspace.sync_now(NOW);
                    self.phones[phone].run();
                    self.round(phone, reply_comes).await;
                }
                Step::CatchUp { phone } => self.catch_up(phone).await,
                Step::Assign { record, to } => {
                    let to: &[&str] = match to {
                        0 => &[],
                        1 => &["wu.min"],
                        2 => &["chen.jie"],
                        _ => &["chen.jie", "wu.min"],
                    };
                    self.assign(self.records[record], to).await;
                }
                Step::Restart { phone } => {
                    self.phones[phone].restart();
                    self.phones[phone].workspace.add_zone(zones::around(ZONE, NOW));
                }
                Step::Accept => self.accept().await,
            }
        }
    }

    /// Everybody comes back on line: all agree, and nothing is in quarantine but what was handed
    /// in too late. Gives how often what was carried out.
    pub(crate) async fn end(mut self) -> BTreeMap<String, usize> {
        for _ in 0..2 {
            for n in 0..self.phones.len() {
                self.catch_up(n).await;
            }
        }
        for phone in &mut self.phones {
            phone.assert_in_step();
            assert_eq!(phone.status().repairs, 0, "{:?}", phone.status());
            let user = phone.user();
            let theirs = |id: &&RecordId| self.collectors[*id].contains(&user);
            let theirs: Vec<RecordId> = self.records.iter().filter(theirs).copied().collect();
            assert_eq!(phone.ids(), theirs);
            for id in theirs {
                assert_eq!(phone.view(id), self.office.visit(id).await.expect("there"));
            }
        }
        let mut withdrawn: BTreeMap<_, BTreeSet<ChangeHash>> = BTreeMap::new();
        let mut after_seal = withdrawn.clone();
        for QuarantinedWork { refused, .. } in self.quarantine(None) {
            if self.kept.remove(&(refused.record, refused.changes.clone())) {
                continue;
            }
            let of = match refused.code.as_str() {
                "withdrawn" => &mut withdrawn,
                "sealed" => &mut after_seal,
                other => panic!("honest work is refused: {other}"),
            };
            let pieces = of.entry((refused.record, refused.user)).or_default();
            pieces.extend(refused.changes.iter().map(|chunk| hash(chunk)));
        }
        assert_eq!(after_seal, self.after_seal);
        assert!(self.kept.is_empty(), "forgeries that are not kept: {:?}", self.kept);
        assert_eq!(withdrawn, self.late);
        let verified = self.office.verify().await.expect("read");
        assert!(verified.ok, "{:?}", verified.problems);
        self.done
    }

    pub(crate) async fn catch_up(&mut self, n: usize) {
        self.phones[n].workspace.sync_now(NOW);
        self.phones[n].run();
        for _ in 0..64 {
            while self.phones[n].sent.is_some() {
                self.round(n, true).await;
            }
            if !self.phones[n].wake_if_due() {
                return;
            }
        }
        panic!("the rounds do not end: {:?}", self.phones[n].status());
    }

    /// One request and its reply. What the office says of the pushes is what the rules say.
    async fn round(&mut self, n: usize, reply_comes: bool) {
        let Some(sent) = &self.phones[n].sent else { return };
        let request = decode_request(&sent.body).expect("our own request");
        let user = self.phones[n].user();
        let handed_in: Vec<HandedIn> =
            request.push.iter().map(|push| self.handing_in(push, &request.tables)).collect();
        let sealed = self.sealed_at_office(&request.push).await;
        let bytes = self.phones[n].answer(&self.office).await.expect("an answer");
        let reply = decode_reply(&bytes).expect("the office's own reply");
        assert_eq!(request.push.len(), reply.results.len());
        let mut refused = Vec::new();
        for ((push, outcome), chunks) in request.push.iter().zip(&reply.results).zip(handed_in) {
            let theirs = self.collectors[&push.record].contains(&user);
            let late = (push.record, user.clone());
            match (outcome, chunks) {
                (Outcome::Merged { .. }, HandedIn::New(_)) if theirs => {}
                (Outcome::Duplicate { .. }, HandedIn::Held) if theirs => {}
                (Outcome::Withdrawn, HandedIn::Held) if !theirs => {}
                (Outcome::Withdrawn, HandedIn::New(hashes)) if !theirs => {
                    self.late.entry(late).or_default().extend(hashes);
                }
                // A colleague sealed first.
                (Outcome::Refused { code: RefusalCode::Sealed, .. }, HandedIn::New(hashes))
                    if theirs && sealed.contains(&push.record) =>
                {
                    self.after_seal.entry(late).or_default().extend(hashes);
                    refused.push(push.record);
                }
                // Its dependencies arrived too late; the office asks for them.
                (Outcome::Missing { .. }, HandedIn::Following)
                    if self.late.contains_key(&late) || self.after_seal.contains_key(&late) => {}
                (other, _) => panic!("honest work of {user} for {}: {other:?}", push.record),
            }
        }
        if reply_comes {
            let sent = self.phones[n].sent.take().expect("a request");
            self.phones[n].workspace.replied(sent.round, &bytes, NOW);
            self.phones[n].run();
            for record in refused {
                self.resolve_refused(n, record);
            }
        } else {
            self.phones[n].lose_reply();
        }
    }

    async fn sealed_at_office(&self, pushes: &[Push]) -> BTreeSet<RecordId> {
        let mut sealed = BTreeSet::new();
        for push in pushes {
            let view = self.office.visit(push.record).await;
            sealed.extend(view.is_ok_and(|view| view.stage.is_sealed()).then_some(push.record));
        }
        sealed
    }

    /// The person writes again what may be written, and adds the rest as amendments.
    fn resolve_refused(&mut self, n: usize, record: RecordId) {
        if !self.phones[n].ids().contains(&record) {
            return;
        }
        let stage = self.phones[n].view(record).stage;
        let Ok(work) = self.phones[n].workspace.refused_work(record) else { return };
        let (mut units, mut amendments) = (Vec::new(), Vec::new());
        for field in work.fields {
            if field.again {
                units.push(field.unit);
            } else if stage.is_sealed() {
                let text = format!("{:?}", field.refused).chars().take(4_000).collect();
                amendments.push(NewAmendment { id: self.id(), path: field.path, text });
            }
        }
        let session = self.phones[n].take_session();
        let workspace = &mut self.phones[n].workspace;
        let resolved = workspace.resolve_refused(record, &units, &amendments, session, NOW, ZONE);
        match resolved {
            Ok(_) => {}
            // Written since: it goes to quarantine with the next round.
            Err(WorkspaceError::NotKept) => return,
            Err(error) => panic!("what the phone offers can be done: {error}"),
        }
        self.phones[n].run();
        *self.done.entry("amendments".into()).or_default() += amendments.len();
    }

    // -- what the office has

    /// The chunks of a push, put together; nothing where it builds on what the office lacks.
    pub(crate) fn chunks(&self, push: &Push, tables: &Tables) -> Option<Vec<Vec<u8>>> {
        let known = self.known(push.record);
        let find = |name: &Prefix| known.iter().find(|hash| prefix(hash) == *name).copied();
        match packed::unpack(&push.changes, tables, find) {
            Ok(chunks) => Some(chunks),
            Err(Unpackable::UnknownDependency) => None,
            Err(Unpackable::Malformed) => panic!("our own request"),
        }
    }

    fn handing_in(&self, push: &Push, tables: &Tables) -> HandedIn {
        let Some(chunks) = self.chunks(push, tables) else { return HandedIn::Following };
        let known = self.known(push.record);
        let hashes: Vec<ChangeHash> = chunks.iter().map(|chunk| hash(chunk)).collect();
        match hashes.iter().all(|hash| known.contains(hash)) {
            true => HandedIn::Held,
            false => HandedIn::New(hashes),
        }
    }

    fn known(&self, record: RecordId) -> BTreeSet<ChangeHash> {
        let known =
            self.office.store().read_with(|reads| reads.change_metas(record)).expect("read");
        known.iter().map(|known| known.hash).chain([genesis::hash()]).collect()
    }

    pub(crate) async fn heads(&self, record: RecordId) -> Option<Heads> {
        Heads::from_hex(&self.office.visit(record).await.expect("there").heads)
    }

    /// Newest first.
    fn quarantine(&self, stand: Option<QuarantineState>) -> Vec<QuarantinedWork> {
        let asked =
            QuarantineFilter { state: stand, limit: u32::MAX, ..QuarantineFilter::default() };
        let whole = self.office.store().read_with(|reads| {
            let listed = reads.quarantine(&asked)?.0;
            listed.iter().map(|line| reads.quarantined(line.id)).collect::<Result<Vec<_>, _>>()
        });
        whole.expect("read").into_iter().flatten().collect()
    }

    pub(crate) fn session(&self, n: usize) -> Session {
        Session { user: PHONES[n].into(), role: Role::Collector, device: device(n) }
    }

    async fn enrol(&self, n: usize, user: &str) {
        let (user, public) = (user.to_owned(), key(n).verifying_key().to_bytes());
        let written = self.office.store().write(move |tx| {
            tx.put_user(&User {
                name: user.clone(),
                display_name: user.clone(),
                role: Role::Collector,
                password_hash: String::new(),
                disabled_at: None,
                created_at: NOW,
                subject: None,
            })?;
            tx.put_device(&Enrolled::enrolled(device(n), &user, NOW))?;
            tx.put_device_key(device(n), public, NOW)
        });
        written.await.expect("enrolled");
    }

    /// A UUID that nothing has.
    pub(crate) fn id(&mut self) -> String {
        self.ticks += 1;
        format!("018bcfe5-0000-7000-8000-{:012}", self.ticks)
    }

    /// No two seals have the same time.
    fn at(&mut self) -> i64 {
        self.ticks += 1;
        NOW + i64::from(self.ticks)
    }
}

fn number(n: usize) -> u8 {
    u8::try_from(n + 1).expect("a small number")
}

fn device(n: usize) -> DeviceId {
    DeviceId([number(n); 16])
}

fn key(n: usize) -> SigningKey {
    SigningKey::from_bytes(&[number(n); 32])
}

fn hash(chunk: &[u8]) -> ChangeHash {
    Change::from_bytes(chunk.to_vec()).expect("an honest change").hash()
}
