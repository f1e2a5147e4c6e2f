//! Reads the rows of records: those with unsent work at the start, all others while the first
//! request is on its way, and each at the latest when something needs it (rule D8).

use std::collections::BTreeSet;

use crate::ids::{Heads, RecordId};
use crate::sync::message::Cursor;
use crate::vault::OutboxRow;
use crate::workspace::Workspace;
use crate::workspace::output::{Output, Row, Table};
use crate::workspace::records::entry::RecordEntry;
use crate::workspace::records::outbox::UnsentChange;
use crate::workspace::records::problem::Problem;

impl Workspace {
    /// Unsent work with the rows of its records; the rows of other records are unread.
    pub(super) fn load_unsent(&mut self, records: &[Row], outbox: &[Row]) {
        self.records.begin_reading();
        let mut doubtful: BTreeSet<RecordId> =
            records.iter().filter_map(|row| self.admit(row)).collect();
        for row in outbox {
            let parsed = OutboxRow::parse_key(&row.key);
            let plain = self.vault.decrypt(Table::Outbox, &row.key, &row.value);
            let unsent = plain.and_then(|plain| UnsentChange::decode(&plain));
            let (Some((id, number)), Some(unsent)) = (parsed, unsent) else {
                self.set_damaged_aside(Table::Outbox, row);
                // The chunks have its change too: a load finds it there.
                doubtful.extend(parsed.map(|(id, _)| id));
                continue;
            };
            let entry = self.records.get_or_insert_with(id, || {
                doubtful.insert(id);
                RecordEntry::without_row(id)
            });
            entry.outbox.insert(number, unsent);
        }
        let lacking = self.records.values().filter(|entry| entry.lacks_queued_work());
        doubtful.extend(lacking.map(|entry| entry.id));
        // The chunks have what rows lack.
        for id in doubtful {
            self.load(id, 0);
        }
    }

    /// Adds the record of a row. Gives its id where the row is damaged: the record must be loaded.
    pub(super) fn admit(&mut self, row: &Row) -> Option<RecordId> {
        let id = record_of(row);
        let plain = self.vault.decrypt(Table::Records, &row.key, &row.value);
        let entry = id.zip(plain).and_then(|(id, plain)| RecordEntry::decode(id, &plain));
        let Some(mut entry) = entry else {
            self.set_damaged_aside(Table::Records, row);
            id.into_iter().for_each(|id| self.records.insert(id, RecordEntry::without_row(id)));
            return id;
        };
        let revoked = self.link.revocation().is_some();
        if entry.withdrawn && entry.attested.is_some() && !revoked {
            // It was not erased yet, and is still to be restored.
            self.repair.differs(entry.id, Heads::default());
        }
        // The reply brings the state token that it lacks (rule P3), and no changes that are here.
        entry.wanted |= entry.attested.is_none() && !entry.withdrawn;
        self.records.insert(entry.id, entry);
        None
    }

    /// Asks for the next rows.
    pub(crate) fn read_records(&mut self) {
        if let Some(after) = self.records.read_through() {
            self.outputs.push_back(Output::ReadRecords { after: after.to_owned() });
        }
    }

    /// The next rows of the table `records`, in order of key, in answer to `Output::ReadRecords`; none
    /// where there are no more.
    pub fn records_read(&mut self, rows: &[Row], now_ms: i64) {
        let Some(through) = self.records.read_through().map(str::to_owned) else {
            return;
        };
        let mut last = None;
        let mut is_undecided = false;
        for row in rows.iter().filter(|row| row.key > through) {
            last = last.max(Some(&row.key));
            let id = record_of(row);
            // A record that is here may be newer than its row.
            if id.is_some_and(|id| !self.records.is_unread(&id)) {
                continue;
            }
            let damaged = self.admit(row);
            let entry = id.and_then(|id| self.records.get(&id));
            let lacking = entry.filter(|entry| entry.lacks_queued_work()).map(|entry| entry.id);
            let problem = entry.and_then(|entry| entry.problem.as_ref());
            is_undecided |= problem.and_then(Problem::quarantine).is_some();
            // Its chunks have what its row or the outbox lacks.
            if let Some(doubtful) = damaged.or(lacking) {
                self.load(doubtful, 0);
            }
        }
        if is_undecided && !self.link.is_idle() {
            // The request that is under way does not ask about it.
            self.link.feed_moved(u64::MAX);
        }
        self.records.set_read_through(last.cloned());
        match self.records.is_complete() {
            true => self.all_records_read(),
            false => self.read_records(),
        }
        self.advance(now_ms);
    }

    fn all_records_read(&mut self) {
        let records = &self.records;
        self.retained.retain(|id| records.contains_key(id));
        for id in self.records.reindex().withdrawn().clone() {
            self.finish_withdrawal(id);
        }
        if self.cursor == Cursor::default() && !self.records.is_empty() {
            // Compare the records instead of receiving all of them again.
            self.repair.begin();
        }
        self.outputs.push_back(Output::StatusChanged);
    }
}

/// The record of a row of the table `records`; `None` where the key is none that was ever written.
fn record_of(row: &Row) -> Option<RecordId> {
    row.key.parse::<RecordId>().ok().filter(|id| id.to_string() == row.key)
}
