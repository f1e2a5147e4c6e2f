//! Refused work and its resolution (rule M4).
//!
//! Nothing that follows a refused change is accepted from the same actor. So the record is reset
//! to what the office confirmed and the values that the user picks are written again by a new
//! actor, all in one batch.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{RecordId, actor, hex};
use crate::record::command::Command;
use crate::record::history::WrittenField;
use crate::record::refused::{RefusedField, reapply_unit};
use crate::record::{Author, Record};
use crate::sync::message::QuarantineDecision;
use crate::types::TsType;
use crate::workspace::output::{Output, Table};
use crate::workspace::records::problem::{Decision, Problem, RefusalReason};
use crate::workspace::storage::causal::apply_in_order;
use crate::workspace::storage::loading::{self, DISCARDED};
use crate::workspace::{Workspace, WorkspaceError};

/// Quarantine numbers that one request asks about: half of the office's cap (`office::quarantine`).
const MAX_UNDECIDED: usize = 512;

TsType! {
/// Work on a record that the office refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusedWork {
    /// Why.
    pub code: RefusalReason,
    /// The path that may not be written; else empty.
    pub path: String,
    /// The office's sentence.
    pub message: String,
    /// A supervisor's decision, once there is one.
    pub accepted: Option<bool>,
    /// The reason of the decision.
    pub reason: Option<String>,
    /// Fields whose refused value differs from the office's.
    pub fields: Vec<RefusedField>,
}
}

TsType! {
/// An amendment with refused work for a sealed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAmendment {
    /// UUIDv7 made on the device.
    pub id: String,
    /// The field that it is about.
    pub path: String,
    /// The addition or correction.
    pub text: String,
}
}

impl Workspace {
    /// The refused work of an open record, compared with the office's values.
    ///
    /// # Errors
    /// The record is not open, or none of its work is refused.
    pub fn refused_work(&self, record: RecordId) -> Result<RefusedWork, WorkspaceError> {
        let (fields, office) = self.refused_fields(record)?;
        let Some(Problem::Refused { reason: code, path, message, decided, .. }) =
            self.records.get(&record).and_then(|entry| entry.problem.clone())
        else {
            return Err(WorkspaceError::NotRefused);
        };
        let differs = |field: &RefusedField| field.refused != field.office;
        let author = self.author(self.identity.session, 0, "");
        let fields = office.compare_refused(&fields, &author).into_iter().filter(differs).collect();
        let (accepted, reason) = decided.map(|d| (d.accepted, d.reason)).unzip();
        Ok(RefusedWork { code, path, message, accepted, reason, fields })
    }

    /// Resets a record to the office's state, then writes `units` of the refused work, named as in
    /// [`RefusedWork`], and `amendments` again under a new `session`. Gives the ticket that will be
    /// durable. The refused changes remain in the table of damaged rows and in quarantine.
    ///
    /// # Errors
    /// The record is not open, none of its work is refused, the office has not quarantined all of
    /// it, or a value may not be written now. Nothing is changed then.
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
        let entry = self.records.get(&record).ok_or(WorkspaceError::UnknownRecord)?;
        // Work that is not in quarantine must not be discarded here.
        if entry.has_unrefused_work() || entry.is_quarantine_full() {
            return Err(WorkspaceError::NotKept);
        }
        fields.retain(|field| {
            units.contains(&reapply_unit(&field.path).join("."))
                && office.value_at(&field.path) != field.value
        });
        let author = self.author(session, now_ms, zone);
        let mut resolved = office.clone();
        // Each change with the record after it.
        let mut steps = Vec::new();
        if let Some(change) = resolved.reapply(&fields, &author, None)? {
            steps.push((resolved.clone(), change));
        }
        for NewAmendment { id, path, text } in amendments {
            let (id, path, text) = (id.clone(), path.clone(), text.clone());
            let change = resolved.apply(&Command::Amend { id, at: now_ms, path, text }, &author)?;
            steps.extend(change.map(|change| (resolved.clone(), change)));
        }
        let (Some(entry), Some(loaded)) =
            (self.records.get_mut(&record), self.loaded.get_mut(&record))
        else {
            return Err(WorkspaceError::NotOpen);
        };
        self.identity.session = session;
        for unsent in entry.outbox.take_all(&mut self.journal) {
            let key = format!("{DISCARDED}/{record}/{}", hex(&unsent.hash.0));
            self.journal.put(Table::Damaged, key, unsent.encode());
        }
        loaded.record = office;
        loading::compact(&mut self.journal, &self.vault, record, loaded);
        entry.problem = None;
        entry.missing_replies = 0;
        entry.update_from(&loaded.record, &self.identity.user);
        entry.confirmed = entry.heads.clone();
        self.journal.put(Table::Records, record.to_string(), entry.encode());
        for (after, change) in steps {
            if let Some(loaded) = self.loaded.get_mut(&record) {
                loaded.record = after;
            }
            self.store_own_change(record, &change, now_ms);
        }
        let ticket = self.issue_ticket();
        self.outputs.push_back(Output::RecordChanged { record: record.to_string() });
        self.outputs.push_back(Output::StatusChanged);
        self.link.schedule().schedule_now();
        self.advance(now_ms);
        Ok(Some(ticket))
    }

    /// The fields that refused changes wrote, and the record as the office has confirmed it.
    fn refused_fields(
        &self,
        record: RecordId,
    ) -> Result<(Vec<WrittenField>, Record), WorkspaceError> {
        let local = self.open_record(record)?;
        let entry = self.records.get(&record).ok_or(WorkspaceError::UnknownRecord)?;
        if !entry.is_refused() {
            return Err(WorkspaceError::NotRefused);
        }
        let refused: BTreeSet<_> = entry.outbox.hashes();
        let mut changes = local.document().get_changes(&[]);
        changes.retain(|change| !refused.contains(&change.hash()));
        let mut office = Record::blank();
        apply_in_order(&mut office, changes);
        let in_order: Vec<_> = entry.outbox.iter().map(|(_, unsent)| unsent.hash).collect();
        Ok((local.fields_written_by(&in_order), office))
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

    /// Quarantine numbers whose decisions to ask for; `None` where there are none. Where there are
    /// more than fit, each round asks about others.
    pub(crate) fn undecided(&self) -> Option<Vec<u64>> {
        let index = self.records.index();
        let with_problem = index.with_problem().iter().filter_map(|id| self.records.get(id));
        let mut numbers: Vec<u64> =
            with_problem.filter_map(|entry| entry.problem.as_ref()?.quarantine()).collect();
        if numbers.len() > MAX_UNDECIDED {
            let rounds = usize::try_from(self.link.next_round()).unwrap_or_default();
            let first = rounds.wrapping_mul(MAX_UNDECIDED) % numbers.len();
            numbers.rotate_left(first);
            numbers.truncate(MAX_UNDECIDED);
        }
        Some(numbers).filter(|numbers| !numbers.is_empty())
    }

    /// Notes decisions on refused work.
    pub(crate) fn apply_decisions(&mut self, decisions: &[QuarantineDecision]) {
        if decisions.is_empty() {
            return;
        }
        let decisions: BTreeMap<u64, &QuarantineDecision> =
            decisions.iter().map(|made| (made.quarantine, made)).collect();
        for id in self.records.reindex().with_problem().clone() {
            if let Some(entry) = self.records.get_mut(&id) {
                let Some(Problem::Refused { quarantine, decided, .. }) = &mut entry.problem else {
                    continue;
                };
                if let Some(made) = quarantine.and_then(|number| decisions.get(&number)) {
                    let QuarantineDecision { accepted, reason, .. } = (*made).clone();
                    *decided = Some(Decision { accepted, reason });
                    self.journal.put(Table::Records, entry.id.to_string(), entry.encode());
                    let record = entry.id.to_string();
                    self.outputs.push_back(Output::RecordChanged { record });
                }
            }
        }
    }

    /// Pushes work again that the office could not quarantine.
    pub(crate) fn retry_unquarantined(&mut self) {
        for id in self.records.reindex().with_problem().clone() {
            if let Some(entry) = self.records.get_mut(&id) {
                entry.problem.take_if(|problem| problem.is_quarantine_full());
            }
        }
    }
}
