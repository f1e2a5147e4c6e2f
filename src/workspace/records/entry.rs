//! The entry of a record: what lists, digests and sync need without its document.

use automerge::ChangeHash;
use minicbor::{Decode, Encode};

use super::cards;
use super::listing::{ListRow, RecordState};
use super::outbox::Outbox;
use super::problem::Problem;
use crate::ids::{Heads, RecordId};
use crate::record::Record;
use crate::record::queue::{self, OpenPromise, QueueOrder};
use crate::record::terms::{ReviewStatus, Stage};
use crate::record::view::VisitSummary;
use crate::sync::message::{StateMac, StateToken, Want};
use crate::vault::encode;
use crate::workspace::storage::journal::Journal;

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct RecordEntry {
    pub(crate) id: RecordId,
    /// `None` while its document can't be read.
    pub(crate) summary: Option<VisitSummary>,
    /// Heads of the whole document.
    pub(crate) heads: Heads,
    /// Heads of all changes that the office has confirmed: the document without the outbox.
    pub(crate) confirmed: Heads,
    pub(crate) outbox: Outbox,
    pub(crate) problem: Option<Problem>,
    /// The next request asks for what this device lacks of it.
    pub(crate) wanted: bool,
    /// The office has withdrawn it; it is erased once its unsent work is at the office.
    pub(crate) withdrawn: bool,
    /// The newest state that the office has attested, in case the office loses it (rule P3).
    pub(crate) attested: Option<AttestedState>,
    /// The state token of the reply that is being applied.
    pub(crate) offered_token: Option<StateToken>,
    /// How often in a row the office lacked what unsent work builds on.
    pub(crate) missing_replies: u32,
    /// When this device's user visited, ms, once the visit is over (rule F6).
    pub(crate) visited: Option<i64>,
    /// The promised payment, while it is open.
    pub(crate) promise: Option<OpenPromise>,
}

/// A state that the office has attested (rule P3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AttestedState {
    #[n(0)]
    pub(crate) heads: Heads,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) mac: StateMac,
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
    /// Absent in rows of earlier versions, until the record changes.
    #[n(8)]
    promise: Option<OpenPromise>,
}

impl RecordEntry {
    /// A record of which nothing is known yet.
    pub(crate) fn new(id: RecordId) -> Self {
        Self {
            id,
            summary: None,
            heads: Heads::default(),
            confirmed: Heads::default(),
            outbox: Outbox::new(id),
            problem: None,
            wanted: false,
            withdrawn: false,
            attested: None,
            offered_token: None,
            missing_replies: 0,
            visited: None,
            promise: None,
        }
    }

    /// A record whose row is lost or damaged: rebuilt from its chunks, and wanted since it has no
    /// state token.
    pub(crate) fn without_row(id: RecordId) -> Self {
        Self { wanted: true, ..Self::new(id) }
    }

    /// A record whose document must come from the office.
    pub(crate) fn without_document(id: RecordId) -> Self {
        Self { problem: Some(Problem::Damaged), wanted: true, ..Self::new(id) }
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
            promise: self.promise.clone(),
        })
    }

    /// From a row; `None` where the row is damaged.
    pub(crate) fn decode(id: RecordId, row: &[u8]) -> Option<Self> {
        let stored: StoredEntry = minicbor::decode(row).ok()?;
        let summary: VisitSummary = minicbor_serde::from_slice(&stored.summary).ok()?;
        if summary.id != id.to_string() {
            return None;
        }
        Some(Self {
            summary: Some(summary),
            heads: stored.heads,
            confirmed: stored.confirmed,
            problem: stored.problem,
            wanted: stored.wanted,
            withdrawn: stored.withdrawn,
            attested: stored.attested,
            visited: stored.visited,
            promise: stored.promise,
            ..Self::new(id)
        })
    }

    // -- getters

    pub(crate) fn is_damaged(&self) -> bool {
        self.problem == Some(Problem::Damaged)
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.problem.as_ref().is_some_and(Problem::is_refused)
    }

    pub(crate) fn is_quarantine_full(&self) -> bool {
        self.problem.as_ref().is_some_and(Problem::is_quarantine_full)
    }

    /// Whether it is one of the records that both sides compare (rule P1).
    pub(crate) fn is_in_digest(&self) -> bool {
        !self.withdrawn && !self.confirmed.as_slice().is_empty()
    }

    /// What to ask the office for: the changes after the confirmed heads, or the whole document
    /// where this one is damaged.
    pub(crate) fn want(&self) -> Want {
        let have = if self.is_damaged() { Heads::default() } else { self.confirmed.clone() };
        Want { record: self.id, have }
    }

    /// Whether a revoked device can upload work of it now: all that is durable, refused or not,
    /// unless the office has no room for it.
    pub(crate) fn can_drain(&self) -> bool {
        !self.is_quarantine_full() && self.outbox.has_durable()
    }

    /// Whether it has unsent work that the office has not refused.
    pub(crate) fn has_unrefused_work(&self) -> bool {
        match self.refused_through() {
            None => !self.outbox.is_empty(),
            Some(through) => self.has_sendable_work() || self.outbox.has_pending_after(through),
        }
    }

    /// Whether a change is neither confirmed nor queued: its damaged row was moved aside, and the device
    /// died before it was queued anew.
    pub(crate) fn lacks_queued_work(&self) -> bool {
        let mut reached = self.confirmed.clone();
        for (_, unsent) in self.outbox.iter() {
            reached.advance(unsent.hash, &unsent.deps);
        }
        reached != self.heads
    }

    /// Whether it has work to send now, which must be durable. Later work on a refused record is
    /// sent together with the refused changes, which it builds on.
    pub(crate) fn has_sendable_work(&self) -> bool {
        let last = self.outbox.next_page().changes.last().map(|(number, _)| *number);
        last.is_some_and(|last| self.refused_through().is_none_or(|through| last > through))
    }

    /// The last outbox number that the office has refused; `None` where nothing is refused. Work
    /// that the office could not quarantine is resent by `retry_unquarantined` instead.
    fn refused_through(&self) -> Option<u64> {
        match &self.problem {
            Some(problem @ Problem::Refused { through, .. }) => {
                let known = through.filter(|_| !problem.is_quarantine_full());
                Some(known.unwrap_or(u64::MAX))
            }
            Some(Problem::Damaged) | None => None,
        }
    }

    /// Its row of the list.
    pub(crate) fn list_row(&self, sending: bool, has_draft: bool, order: &QueueOrder) -> ListRow {
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
        let problem = self.problem.as_ref().map(Problem::summary);
        let unsent = i64::try_from(self.outbox.len()).unwrap_or(i64::MAX);
        let promise = self.promise.as_ref();
        ListRow {
            work: queue::work(&summary, promise),
            area: queue::area(&summary.address).to_owned(),
            order: order.sort_key(&summary, promise),
            promise: self.promise.clone(),
            summary,
            state,
            unsent,
            unsent_since: self.outbox.oldest_at(),
            has_draft,
            problem,
        }
    }

    // -- changes

    /// Takes summary and heads from the document; `user` is the device's.
    pub(crate) fn update_from(&mut self, record: &Record, user: &str) {
        let (view, summary) = record.view_and_summary();
        self.heads = record.heads();
        self.visited = cards::visited_at(record, &view, user);
        self.promise = queue::open_promise(&view);
        self.summary = Some(summary);
    }

    /// Keeps the offered state token if it is for the confirmed state.
    pub(crate) fn adopt_offered_token(&mut self) {
        let token = self.offered_token.take();
        if let Some(mac) = token.and_then(|token| token.mac_for(self.id, &self.confirmed)) {
            self.attested = Some(AttestedState { heads: self.confirmed.clone(), mac });
        }
    }

    /// Removes unsent changes that the office has; a refusal of them is over. Gives whether there
    /// were any.
    pub(crate) fn confirm(
        &mut self,
        record: &Record,
        at_office: impl Fn(&ChangeHash) -> bool,
        journal: &mut Journal,
    ) -> bool {
        let confirmed = self.outbox.remove_known(at_office, journal);
        if confirmed {
            // Others' changes may build on them already, so their place among the heads is not known.
            self.confirmed = self.outbox.confirmed_heads(record);
            self.clear_refusal();
        }
        confirmed
    }

    /// The problem of a refusal is over: the work was accepted, confirmed or submitted.
    pub(crate) fn clear_refusal(&mut self) {
        self.problem.take_if(|problem| problem.is_refused());
    }
}

/// The summary of a record that cannot be read yet.
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
