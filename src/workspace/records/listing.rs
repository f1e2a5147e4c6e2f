//! The list of records, and what of it has changed since a reader last asked.
//!
//! Every change of a row gets the next version. Each reader, such as a browser tab, remembers the
//! version that it has read up to; removals stay in the log for readers that still show the row.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::entry::RecordEntry;
use super::problem::{Problem, RecordProblem};
use crate::ids::{Heads, RecordId};
use crate::record::queue::{OpenPromise, QueueOrder, Work};
use crate::record::view::VisitSummary;
use crate::types::TsType;
use crate::workspace::output::Output;
use crate::workspace::{Identity, Workspace};

TsType! {
/// A row of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListRow {
    /// What the record says.
    #[serde(flatten)]
    pub summary: VisitSummary,
    /// Its state between this device and the office.
    pub state: RecordState,
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// When the oldest of them was made, ms.
    pub unsent_since: Option<i64>,
    /// It has a draft of a form (rule D7).
    pub has_draft: bool,
    /// What is wrong with it.
    pub problem: Option<RecordProblem>,
    /// What has to be done next.
    pub work: Work,
    /// The promised payment, while it is open.
    pub promise: Option<OpenPromise>,
    /// The district or town of the address; empty if unknown.
    pub area: String,
    /// Sort key by the office's rules, to be compared by code unit.
    pub order: String,
}
}

TsType! {
/// The state of a record between this device and the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Some of it is on this phone only.
    OnPhone,
    /// It is being sent.
    Sending,
    /// The office has confirmed all of it.
    AtOffice,
    /// The office returned it.
    Returned,
    /// The office accepted it.
    Accepted,
    /// The user has to act.
    Attention,
}
}

TsType! {
/// How far a reader has read the list of one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMark {
    /// Which workspace, and which start of it.
    pub workspace: String,
    /// The last version that was read.
    pub version: i64,
}
}

TsType! {
/// The next changes of the list after a mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListPage {
    /// To be given with the next request.
    pub mark: ListMark,
    /// The list from its beginning: the mark that was given is of another workspace.
    pub fresh: bool,
    /// New and changed rows.
    pub rows: Vec<ListRow>,
    /// Ids of records that are no longer on the device.
    pub removed: Vec<String>,
    /// Whether more changes follow after the mark.
    pub more: bool,
}
}

/// The change log of the list.
#[derive(Debug)]
pub(crate) struct Listing {
    workspace: String,
    version: i64,
    /// How rows are sorted.
    pub(crate) order: QueueOrder,
    rows: BTreeMap<RecordId, (RowState, i64)>,
    /// The newest change of each record, by version.
    log: BTreeMap<i64, RecordId>,
    /// Versions of removals.
    removed: BTreeMap<RecordId, i64>,
    /// Records that were being sent when the log was last brought up to date.
    sending: BTreeSet<RecordId>,
    /// The log has been brought up to date once.
    is_begun: bool,
    /// The version of which readers have been told.
    announced: i64,
}

/// What a row is made from, far cheaper to compare than the row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RowState {
    heads: Heads,
    readable: bool,
    unsent: usize,
    sending: bool,
    has_draft: bool,
    problem: Option<Problem>,
}

impl RowState {
    fn of(entry: &RecordEntry, sending: bool, has_draft: bool) -> Self {
        Self {
            heads: entry.heads.clone(),
            readable: entry.summary.is_some(),
            unsent: entry.outbox.len(),
            sending,
            has_draft,
            problem: entry.problem.clone(),
        }
    }

    /// Compares without making a copy.
    fn is_of(&self, entry: &RecordEntry, sending: bool, has_draft: bool) -> bool {
        self.heads == entry.heads
            && self.readable == entry.summary.is_some()
            && self.unsent == entry.outbox.len()
            && self.sending == sending
            && self.has_draft == has_draft
            && self.problem == entry.problem
    }
}

impl Listing {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            // No two starts of a store have the same session (rule I1).
            workspace: format!("{}/{}", identity.device, identity.session),
            version: 0,
            order: QueueOrder::default(),
            rows: BTreeMap::new(),
            log: BTreeMap::new(),
            removed: BTreeMap::new(),
            sending: BTreeSet::new(),
            is_begun: false,
            announced: 0,
        }
    }

    /// An empty log that no earlier mark is of.
    fn restarted(before: &Self) -> Self {
        Self {
            workspace: format!("{}+", before.workspace),
            version: 0,
            order: before.order.clone(),
            rows: BTreeMap::new(),
            log: BTreeMap::new(),
            removed: BTreeMap::new(),
            sending: BTreeSet::new(),
            is_begun: false,
            announced: 0,
        }
    }

    fn next_version(&mut self, record: RecordId, replaced: Option<i64>) -> i64 {
        if let Some(replaced) = replaced {
            self.log.remove(&replaced);
        }
        self.version += 1;
        self.log.insert(self.version, record);
        self.version
    }

    fn upsert(&mut self, record: RecordId, state: RowState) {
        let replaced = self.rows.get(&record).map(|(_, version)| *version);
        let replaced = replaced.or_else(|| self.removed.remove(&record));
        let version = self.next_version(record, replaced);
        self.rows.insert(record, (state, version));
    }

    fn remove(&mut self, record: RecordId) {
        let replaced = self.rows.remove(&record).map(|(_, version)| version);
        let version = self.next_version(record, replaced);
        self.removed.insert(record, version);
    }
}

impl Workspace {
    /// Sorts the list by the office's rules, in the words of [`QueueOrder::from_words`]; readers get
    /// all rows again.
    pub fn set_queue_order(&mut self, words: &[String]) {
        let order = QueueOrder::from_words(words.iter().map(String::as_str));
        if order != self.listing.order {
            self.listing = Listing { order, ..Listing::restarted(&self.listing) };
            self.outputs.push_back(Output::ListChanged);
        }
    }

    /// Changes of the list after a mark, at most `limit` of them; without a mark the whole list
    /// from its beginning.
    pub fn list_changes(&mut self, since: Option<&ListMark>, limit: usize) -> ListPage {
        let is_first = !self.listing.is_begun;
        self.log_list_changes();
        if is_first {
            self.listing.announced = self.listing.version;
        }
        let known = since.filter(|mark| mark.workspace == self.listing.workspace);
        let mut version = known.map_or(0, |mark| mark.version);
        let (mut rows, mut removed) = (Vec::new(), Vec::new());
        let mut changes = self.listing.log.range(version.saturating_add(1)..);
        for (changed, id) in changes.by_ref().take(limit) {
            version = *changed;
            match self.records.get(id) {
                Some(entry) => rows.push(self.row_of(entry)),
                None => removed.push(id.to_string()),
            }
        }
        let more = changes.next().is_some();
        let mark = ListMark { workspace: self.listing.workspace.clone(), version };
        ListPage { mark, fresh: known.is_none(), rows, removed, more }
    }

    /// Says once that rows have changed, whatever changed them; nothing before the list was first
    /// read.
    pub(crate) fn announce_list_changes(&mut self) -> Option<Output> {
        if !self.listing.is_begun {
            return None;
        }
        self.log_list_changes();
        let announced = std::mem::replace(&mut self.listing.announced, self.listing.version);
        (self.listing.version > announced).then_some(Output::ListChanged)
    }

    /// Gives a version to each row that is not as the log has it. Looks only at records that were
    /// changed since the last call, or are being sent now or were then.
    fn log_list_changes(&mut self) {
        let mut changed = self.records.take_unlisted();
        if !std::mem::replace(&mut self.listing.is_begun, true) {
            changed.extend(self.records.values().map(|entry| entry.id));
        }
        let sending: BTreeSet<RecordId> = self.link.sending().collect();
        changed.extend(sending.symmetric_difference(&self.listing.sending));
        for id in changed {
            let logged = self.listing.rows.get(&id);
            match self.records.get(&id) {
                Some(entry) => {
                    let (sending, has_draft) = (sending.contains(&id), self.drafts.has(id));
                    if logged.is_none_or(|(row, _)| !row.is_of(entry, sending, has_draft)) {
                        self.listing.upsert(id, RowState::of(entry, sending, has_draft));
                    }
                }
                None if logged.is_some() => self.listing.remove(id),
                None => {}
            }
        }
        self.listing.sending = sending;
    }
}
