//! One record as the device holds it: the row for lists and digests, and what is unsent.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};
use minicbor::{Decode, Encode};

use super::cards;
use crate::ids::{Heads, RecordId};
use crate::record::Record;
use crate::record::terms::{ReviewStatus, Stage};
use crate::record::view::VisitSummary;
use crate::sync::message::{RefusalCode, StateMac, StateToken, Want};
use crate::workspace::output::{ListRow, RecordState, Table};
use crate::workspace::storage::encode;
use crate::workspace::storage::journal::Journal;
use crate::workspace::sync::round::first_of;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Problem {
    /// Chunks are damaged or missing; the office's copy is asked for.
    #[n(0)]
    Damaged,
    /// The office refused a push; its own words.
    #[n(1)]
    Refused {
        #[n(0)]
        code: String,
        #[n(1)]
        path: String,
        #[n(2)]
        message: String,
        /// Its number in the office's quarantine, if it is kept there.
        #[n(3)]
        quarantine: Option<u64>,
        /// What was decided on it since.
        #[n(4)]
        decided: Option<Decision>,
        /// The last number of the outbox that was refused with it: later work is still to be sent,
        /// so that the office keeps it too. `None` in rows of before.
        #[n(5)]
        through: Option<u64>,
    },
}

/// What a person at the office decided on refused work.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Decision {
    #[n(0)]
    pub(crate) accepted: bool,
    #[n(1)]
    pub(crate) reason: String,
}

impl Problem {
    /// What a refusal makes of a record; the number is 0 where the office keeps nothing.
    /// `through` is the last number of the outbox that it is about.
    pub(crate) fn refused(
        code: RefusalCode,
        path: &str,
        message: &str,
        quarantine: u64,
        through: Option<u64>,
    ) -> Self {
        Self::Refused {
            code: code.as_str().to_owned(),
            path: path.to_owned(),
            message: message.to_owned(),
            quarantine: Some(quarantine).filter(|number| *number > 0),
            decided: None,
            through,
        }
    }

    /// The number in quarantine of refused work.
    pub(crate) fn quarantine(&self) -> Option<u64> {
        match self {
            Self::Refused { quarantine, .. } => *quarantine,
            Self::Damaged => None,
        }
    }

    /// Whether the office had no room for the work, which may have passed.
    pub(crate) fn is_not_quarantined(&self) -> bool {
        match self {
            Self::Refused { code, .. } => code == RefusalCode::QuarantineFull.as_str(),
            Self::Damaged => false,
        }
    }
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct RecordEntry {
    pub(crate) id: RecordId,
    pub(crate) summary: Option<VisitSummary>,
    /// Heads of all that is held.
    pub(crate) heads: Heads,
    /// Heads of what the office has confirmed: all but the outbox.
    pub(crate) confirmed: Heads,
    /// Own changes that the office has not confirmed, by number.
    pub(crate) outbox: BTreeMap<u64, Unsent>,
    pub(crate) problem: Option<Problem>,
    /// The office's whole copy is to be asked for.
    pub(crate) wanted: bool,
    /// The office took it away; it is erased once its unsent work has been handed over.
    pub(crate) withdrawn: bool,
    /// The newest state that the office vouched for, for the day when it has lost it.
    pub(crate) attested: Option<AttestedState>,
    /// What the reply that is being applied vouches for.
    pub(crate) offered_token: Option<StateToken>,
    /// How often in a row the office lacked what unsent work builds on.
    pub(crate) missing: u32,
    /// When the device's user visited, ms, where that is over: a card of it stays (rule F6).
    pub(crate) visited: Option<i64>,
}

/// A state that the office vouched for (rule P3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AttestedState {
    #[n(0)]
    pub(crate) heads: Heads,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) mac: StateMac,
}

/// A change that the office has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsent {
    pub(crate) hash: ChangeHash,
    pub(crate) deps: Vec<ChangeHash>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) operations: usize,
    pub(crate) at: i64,
    /// Number of the batch that makes it durable; `None` once it is. Sent only then.
    pub(crate) batch: Option<u64>,
}

#[derive(Encode, Decode)]
struct StoredUnsent {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    bytes: Vec<u8>,
    #[n(1)]
    at: i64,
}

impl Unsent {
    pub(crate) fn encode(&self) -> Vec<u8> {
        encode(&StoredUnsent { bytes: self.bytes.clone(), at: self.at })
    }

    /// From a row; `None` where that is damaged.
    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let stored: StoredUnsent = minicbor::decode(row).ok()?;
        let change = checked_change(&stored.bytes)?;
        let (hash, deps, operations) = (change.hash(), change.deps().to_vec(), change.len());
        Some(Self { hash, deps, bytes: stored.bytes, operations, at: stored.at, batch: None })
    }

    pub(crate) fn change(&self) -> Option<Change> {
        Change::from_bytes(self.bytes.clone()).ok()
    }
}

/// A change from bytes, its checksum looked at: Automerge itself does not.
pub(crate) fn checked_change(bytes: &[u8]) -> Option<Change> {
    use sha2::{Digest, Sha256};
    let checksum = bytes.get(4..8)?;
    let digest = Sha256::digest(bytes.get(8..)?);
    if digest.get(..4) != Some(checksum) {
        return None;
    }
    Change::from_bytes(bytes.to_vec()).ok()
}

#[derive(Encode, Decode)]
struct StoredEntry {
    #[n(0)]
    heads: Heads,
    #[n(1)]
    confirmed: Heads,
    #[n(2)]
    problem: Option<Problem>,
    #[n(3)]
    wanted: bool,
    #[n(4)]
    withdrawn: bool,
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    summary: Vec<u8>,
    #[n(6)]
    attested: Option<AttestedState>,
    #[n(7)]
    visited: Option<i64>,
}

impl RecordEntry {
    /// A record of which nothing is known yet.
    pub(crate) fn new(id: RecordId) -> Self {
        Self {
            id,
            summary: None,
            heads: Heads::default(),
            confirmed: Heads::default(),
            outbox: BTreeMap::new(),
            problem: None,
            wanted: false,
            withdrawn: false,
            attested: None,
            offered_token: None,
            missing: 0,
            visited: None,
        }
    }

    /// Keeps the state token of a reply that has been applied, if it is for what is now held.
    pub(crate) fn adopt_offered_token(&mut self) {
        let mac =
            self.offered_token.take().and_then(|offer| offer.mac_for(self.id, &self.confirmed));
        if let Some(mac) = mac {
            self.attested = Some(AttestedState { heads: self.confirmed.clone(), mac });
        }
    }

    /// A record of which the office's whole copy is to be asked for.
    pub(crate) fn lacking(id: RecordId) -> Self {
        Self { problem: Some(Problem::Damaged), wanted: true, ..Self::new(id) }
    }

    /// Whether it is one of the records that both sides compare (rule P1).
    pub(crate) fn is_in_digest(&self) -> bool {
        !self.withdrawn && !self.confirmed.as_slice().is_empty()
    }

    /// What is asked for: what lacks here, or everything where what is here is damaged.
    pub(crate) fn want(&self) -> Want {
        let damaged = self.problem == Some(Problem::Damaged);
        let have = if damaged { Heads::default() } else { self.confirmed.clone() };
        Want { record: self.id, have }
    }

    /// Takes from the document what is kept beside it; `user` is the device's.
    pub(crate) fn describe(&mut self, record: &Record, user: &str) {
        let (view, summary) = record.view_and_summary();
        self.heads = record.heads();
        self.visited = cards::visited_at(record, &view, user);
        self.summary = Some(summary);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let summary =
            self.summary.as_ref().and_then(|summary| minicbor_serde::to_vec(summary).ok());
        encode(&StoredEntry {
            heads: self.heads.clone(),
            confirmed: self.confirmed.clone(),
            problem: self.problem.clone(),
            wanted: self.wanted,
            withdrawn: self.withdrawn,
            summary: summary.unwrap_or_default(),
            attested: self.attested.clone(),
            visited: self.visited,
        })
    }

    /// From a row; `None` where that is damaged.
    pub(crate) fn decode(id: RecordId, row: &[u8]) -> Option<Self> {
        let stored: StoredEntry = minicbor::decode(row).ok()?;
        let summary: VisitSummary = minicbor_serde::from_slice(&stored.summary).ok()?;
        if summary.id != id.to_string() {
            return None;
        }
        Some(Self {
            id,
            summary: Some(summary),
            heads: stored.heads,
            confirmed: stored.confirmed,
            outbox: BTreeMap::new(),
            problem: stored.problem,
            wanted: stored.wanted,
            withdrawn: stored.withdrawn,
            attested: stored.attested,
            offered_token: None,
            missing: 0,
            visited: stored.visited,
        })
    }

    /// Puts an own change into the outbox.
    pub(crate) fn queue(&mut self, change: &Change, at: i64, journal: &mut Journal) {
        let number = self.outbox.last_key_value().map_or(1, |(number, _)| number + 1);
        let unsent = Unsent {
            hash: change.hash(),
            deps: change.deps().to_vec(),
            bytes: change.raw_bytes().to_vec(),
            operations: change.len(),
            at,
            batch: Some(journal.number()),
        };
        journal.put(Table::Outbox, outbox_key(self.id, number), unsent.encode());
        self.outbox.insert(number, unsent);
    }

    /// Makes the outbox anew, in causal order: what stands in it, and more of the record's changes.
    pub(crate) fn rebuild_outbox(
        &mut self,
        record: &Record,
        more: &BTreeSet<ChangeHash>,
        journal: &mut Journal,
    ) {
        let at = self.outbox.values().map(|unsent| unsent.at).min().unwrap_or_default();
        let mut queued = std::mem::take(&mut self.outbox);
        journal.delete_all(Table::Outbox, format!("{}/", self.id));
        for change in record.document().get_changes(&[]) {
            let hash = change.hash();
            let before = queued.len();
            queued.retain(|_, unsent| unsent.hash != hash);
            if queued.len() < before || more.contains(&hash) {
                self.queue(&change, at, journal);
            }
        }
        // What the record can't take in is not dropped either.
        for change in queued.values().filter_map(Unsent::change) {
            self.queue(&change, at, journal);
        }
    }

    /// A batch is durable: what it made durable may be sent.
    pub(crate) fn mark_durable(&mut self, batch: u64) {
        for unsent in self.outbox.values_mut() {
            unsent.batch.take_if(|waiting| *waiting == batch);
        }
    }

    /// A batch failed: what it held goes with the next one.
    pub(crate) fn requeue_batch(&mut self, batch: u64, next: u64) {
        for unsent in self.outbox.values_mut().filter(|unsent| unsent.batch == Some(batch)) {
            unsent.batch = Some(next);
        }
    }

    /// The office is known to have some changes: they are not unsent any more, and where they had
    /// been refused, somebody has accepted them. Gives whether there were any.
    pub(crate) fn confirm(
        &mut self,
        there: impl Fn(&ChangeHash) -> bool,
        journal: &mut Journal,
    ) -> bool {
        let known = self.outbox.iter().filter(|(_, unsent)| there(&unsent.hash));
        let known: Vec<u64> = known.map(|(number, _)| *number).collect();
        for number in &known {
            self.outbox.remove(number);
            journal.delete(Table::Outbox, outbox_key(self.id, *number));
        }
        let any = !known.is_empty();
        self.problem.take_if(|problem| any && matches!(problem, Problem::Refused { .. }));
        any
    }

    /// Whether there is work that a device which is shut out may hand over now: all that is
    /// durable, refused or not, unless the office has no room for it.
    pub(crate) fn can_drain(&self) -> bool {
        !self.problem.as_ref().is_some_and(Problem::is_not_quarantined)
            && self.outbox.values().any(|unsent| unsent.batch.is_none())
    }

    /// Whether there is unsent work that the office has not refused.
    pub(crate) fn has_unrefused_work(&self) -> bool {
        match self.refused_through() {
            None => !self.outbox.is_empty(),
            Some(through) => {
                let later = self.outbox.range(through.saturating_add(1)..);
                self.has_sendable_work()
                    || later.into_iter().any(|(_, unsent)| unsent.batch.is_some())
            }
        }
    }

    /// Whether there is work that may be sent now: durable too. Later work on a refused record goes
    /// out with the refused, which it builds on, as far as one request takes it.
    pub(crate) fn has_sendable_work(&self) -> bool {
        let sent = first_of(&self.outbox).0;
        let last = sent.last().map(|(number, _)| *number);
        last.is_some_and(|last| self.refused_through().is_none_or(|through| last > through))
    }

    /// The last number of the outbox that the office has refused; `None` where nothing is refused.
    /// Work that it had no room for is offered again another way.
    fn refused_through(&self) -> Option<u64> {
        match &self.problem {
            Some(problem @ Problem::Refused { through, .. }) => {
                let known = through.filter(|_| !problem.is_not_quarantined());
                Some(known.unwrap_or(u64::MAX))
            }
            Some(Problem::Damaged) | None => None,
        }
    }

    pub(crate) fn row(&self, sending: bool, begun: bool) -> ListRow {
        let summary = self.summary.clone().unwrap_or_else(|| unreadable(self.id));
        let state = match (&self.problem, self.outbox.is_empty()) {
            (Some(_), _) => RecordState::Attention,
            (None, false) if sending => RecordState::Sending,
            (None, false) => RecordState::OnPhone,
            (None, true) => match (summary.stage, summary.review_status) {
                (Stage::Reviewed, _) => RecordState::Accepted,
                (Stage::Recorded, ReviewStatus::Returned) => RecordState::Returned,
                _ => RecordState::AtOffice,
            },
        };
        let problem = match &self.problem {
            None => None,
            Some(Problem::Damaged) => Some("damaged".to_owned()),
            Some(Problem::Refused { decided: Some(Decision { accepted: true, .. }), .. }) => {
                Some("refused_accepted".to_owned())
            }
            Some(Problem::Refused { code, .. }) => Some(format!("refused_{code}")),
        };
        let unsent = i64::try_from(self.outbox.len()).unwrap_or(i64::MAX);
        ListRow { summary, state, unsent, begun, problem }
    }
}

/// The row of a record that cannot be read yet.
fn unreadable(id: RecordId) -> VisitSummary {
    VisitSummary {
        id: id.to_string(),
        case_no: String::new(),
        borrower_name: String::new(),
        address: String::new(),
        product: String::new(),
        overdue: 0,
        currency: String::new(),
        days_past_due: 0,
        stage: Stage::Assigned,
        starts_at: None,
        ends_at: None,
        appointment_status: None,
        due_by: String::new(),
        priority: 2,
        disposition: None,
        review_status: ReviewStatus::Pending,
        holds: Vec::new(),
        conflicts: 0,
        collectors: Vec::new(),
    }
}

/// Key of an outbox row; numbers sort as text.
pub(crate) fn outbox_key(record: RecordId, number: u64) -> String {
    format!("{record}/{number:012}")
}
