//! Work that the office refused, and the way on (rule M4).
//!
//! The refused changes poison their actor for the record: nothing that follows them holds. So the
//! record becomes what the office confirmed, what the person still wants is written again by a new
//! actor, and all of it goes to the disk in one batch: a power cut leaves the one or the other.

use std::collections::BTreeSet;

use automerge::ChangeHash;

use crate::ids::{RecordId, actor, hex};
use crate::record::command::Command;
use crate::record::history::WrittenField;
use crate::record::refused::{RefusedField, reapply_unit};
use crate::record::{Author, Record};
use crate::sync::message::QuarantineDecision;
use crate::workspace::output::{NewAmendment, Output, RefusedWork, Table};
use crate::workspace::records::entry::{self, Decision, Problem, RecordEntry};
use crate::workspace::storage::loading;
use crate::workspace::{Workspace, WorkspaceError};

/// Key prefix, in the table of damaged rows, of refused changes that the person gave up. Record id
/// and hash follow.
pub(crate) const REFUSED: &str = "refused";

/// Pieces of refused work that one request asks about: half of what the office looks at
/// (`office::quarantine`).
const ASKED_AT_ONCE: usize = 512;

impl Workspace {
    /// What of an open record the office refused, beside what the office has.
    ///
    /// # Errors
    /// The record is not open, or nothing of it is refused.
    pub fn refused_work(&self, record: RecordId) -> Result<RefusedWork, WorkspaceError> {
        let (fields, office) = self.refused_fields(record)?;
        let Some(Problem::Refused { code, path, message, decided, .. }) =
            self.records.get(&record).and_then(|entry| entry.problem.clone())
        else {
            return Err(WorkspaceError::NotRefused);
        };
        let differs = |aside: &RefusedField| aside.refused != aside.office;
        let author = self.author(self.identity.session, 0, "");
        let fields = office.compare_refused(&fields, &author).into_iter().filter(differs).collect();
        let (accepted, reason) = decided.map(|d| (d.accepted, d.reason)).unzip();
        Ok(RefusedWork { code, path, message, accepted, reason, fields })
    }

    /// Takes the office's record and writes again what still holds, under the new `session`.
    /// `units` names it, as [`RefusedWork`] does; late work on a sealed record goes in as
    /// `amendments`. Gives the ticket that will be durable, or `None` where there is none to wait
    /// for. The refused changes stay in the store's table of damaged
    /// rows, and in the office's quarantine.
    ///
    /// # Errors
    /// The record is not open, nothing of it is refused, the office has no room to keep it, or
    /// something may not be written now; nothing is changed then.
    pub fn resolve_refused(
        &mut self,
        record: RecordId,
        units: &[String],
        amendments: &[NewAmendment],
        session: u64,
        now_ms: i64,
        zone: &str,
    ) -> Result<Option<u64>, WorkspaceError> {
        let (mut fields, office) = self.refused_fields(record)?;
        // What the office has not kept is nowhere else: it is not given up here.
        let problem = self.records.get(&record).and_then(|entry| entry.problem.as_ref());
        let waiting = self.records.get(&record).is_some_and(RecordEntry::has_unrefused_work);
        if waiting || problem.is_some_and(Problem::is_not_quarantined) {
            return Err(WorkspaceError::NotKept);
        }
        fields.retain(|field| {
            units.contains(&reapply_unit(&field.path).join("."))
                && office.value_at(&field.path) != field.value
        });
        let mut again = office.clone();
        let author = self.author(session, now_ms, zone);
        let mut steps = Vec::new();
        if let Some(change) = again.reapply(&fields, &author, None)? {
            steps.push((again.clone(), change));
        }
        for NewAmendment { id, path, text } in amendments {
            let (id, path, text) = (id.clone(), path.clone(), text.clone());
            let change = again.apply(&Command::Amend { id, at: now_ms, path, text }, &author)?;
            steps.extend(change.map(|change| (again.clone(), change)));
        }
        let (Some(entry), Some(loaded)) =
            (self.records.get_mut(&record), self.loaded.get_mut(&record))
        else {
            return Err(WorkspaceError::NotOpen);
        };
        self.identity.session = session;
        for (number, unsent) in std::mem::take(&mut entry.outbox) {
            let name = format!("{REFUSED}/{record}/{}", hex(&unsent.hash.0));
            self.journal.put(Table::Damaged, name, unsent.encode());
            self.journal.delete(Table::Outbox, entry::outbox_key(record, number));
        }
        loaded.record = office;
        loading::rewrite(&mut self.journal, &self.vault, record, loaded);
        entry.problem = None;
        entry.missing = 0;
        entry.describe(&loaded.record, &self.identity.user);
        entry.confirmed = entry.heads.clone();
        self.journal.put(Table::Records, record.to_string(), entry.encode());
        for (after, change) in steps {
            if let Some(loaded) = self.loaded.get_mut(&record) {
                loaded.record = after;
            }
            self.store_own_change(record, &change, now_ms);
        }
        self.next_ticket += 1;
        self.journal.ticket(self.next_ticket);
        self.journal.retry();
        self.outputs.push_back(Output::RecordChanged { record: record.to_string() });
        self.outputs.push_back(Output::ListChanged);
        self.outputs.push_back(Output::StatusChanged);
        self.link.schedule_now();
        self.advance(now_ms);
        Ok(Some(self.next_ticket))
    }

    /// What refused changes made of which fields, and the record as the office has confirmed it.
    fn refused_fields(
        &self,
        record: RecordId,
    ) -> Result<(Vec<WrittenField>, Record), WorkspaceError> {
        let here = self.open_record(record)?;
        let entry = self.records.get(&record).ok_or(WorkspaceError::UnknownRecord)?;
        if !matches!(entry.problem, Some(Problem::Refused { .. })) {
            return Err(WorkspaceError::NotRefused);
        }
        let refused: Vec<ChangeHash> = entry.outbox.values().map(|unsent| unsent.hash).collect();
        let aside: BTreeSet<ChangeHash> = refused.iter().copied().collect();
        let mut changes = here.document().get_changes(&[]);
        changes.retain(|change| !aside.contains(&change.hash()));
        let mut office = Record::blank();
        loading::absorb_what_fits(&mut office, changes);
        Ok((here.fields_written_by(&refused), office))
    }

    pub(crate) fn author(&self, session: u64, now_ms: i64, zone: &str) -> Author {
        Author {
            actor: actor(self.identity.device, session),
            user: self.identity.user.clone(),
            role: self.identity.role,
            now_ms,
            zone: zone.to_owned(),
        }
    }

    /// Numbers in quarantine of which the office may have news; nothing where there are none. Where
    /// there are many, others are asked about in each round.
    pub(crate) fn undecided(&self) -> Option<Vec<u64>> {
        let numbers =
            self.records.values().filter_map(|entry| entry.problem.as_ref()?.quarantine());
        let mut numbers: Vec<u64> = numbers.collect();
        if numbers.len() > ASKED_AT_ONCE {
            let rounds = usize::try_from(self.link.next_round).unwrap_or_default();
            let first = rounds.wrapping_mul(ASKED_AT_ONCE) % numbers.len();
            numbers.rotate_left(first);
            numbers.truncate(ASKED_AT_ONCE);
        }
        Some(numbers).filter(|numbers| !numbers.is_empty())
    }

    /// Notes what was decided at the office on refused work.
    pub(crate) fn apply_decisions(&mut self, decisions: &[QuarantineDecision]) {
        for made in decisions {
            let of = |entry: &&mut entry::RecordEntry| {
                entry.problem.as_ref().and_then(Problem::quarantine) == Some(made.quarantine)
            };
            for entry in self.records.values_mut().filter(of) {
                let Some(Problem::Refused { decided, .. }) = &mut entry.problem else { continue };
                *decided = Some(Decision { accepted: made.accepted, reason: made.reason.clone() });
                self.journal.put(Table::Records, entry.id.to_string(), entry.encode());
                self.outputs.push_back(Output::RecordChanged { record: entry.id.to_string() });
            }
        }
    }

    /// Work that the office could not keep is offered again.
    pub(crate) fn retry_unquarantined(&mut self) {
        for entry in self.records.values_mut() {
            entry.problem.take_if(|problem| problem.is_not_quarantined());
        }
    }
}
