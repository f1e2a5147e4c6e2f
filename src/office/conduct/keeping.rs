//! Keeps the queue of failures and unknowns, and the counts that records of one case need of each
//! other.
//!
//! No merge waits for an evaluation, and no read causes one: records without an evaluation of their
//! present state are found by their heads, and evaluated by a background job (`evaluating`) or by
//! `doorstep conduct evaluate`. So the queue is the same after a crash, a merge or a change of the
//! policy.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{judge, moment_of, zone};
use crate::conduct::terms::{Answer, Moment};
use crate::conduct::view::ConductView;
use crate::conduct::{Policy, builtin, summary};
use crate::ids::{Heads, RecordId};
use crate::office::documents::DocumentCache;
use crate::office::store::{ConductListing, ConductRow, Reads, StoreError};
use crate::office::{OWN_NAME, Office, OfficeError};
use crate::record::command::Command;
use crate::record::terms::Role;
use crate::record::view::VisitView;

/// Records that are evaluated together and kept in one job of the writer: few, since others wait
/// for it.
const BATCH: u32 = 25;

/// Whom the office's own entries are signed by.
const OFFICE: (&str, Role) = (OWN_NAME, Role::Supervisor);

/// What was found of one record.
struct Found {
    id: RecordId,
    heads: Heads,
    rows: Vec<ConductRow>,
    /// What is to be written into records of its case, this one included.
    summaries: Vec<(RecordId, Command)>,
    /// Sealed, and the last word kept in it is another.
    differs: bool,
}

impl Office {
    /// Asks the rules of every record that they were not asked of since it changed; gives how
    /// many. `progress` hears the number after each batch.
    pub async fn keep_conduct(&self, progress: impl Fn(u64)) -> Result<u64, OfficeError> {
        let mut done = 0;
        loop {
            match self.keep_conduct_of_some().await? {
                0 => return Ok(done),
                some => done += some,
            }
            progress(done);
        }
    }

    /// The same for as many as are evaluated together; gives how many, 0 where none is left.
    pub(super) async fn keep_conduct_of_some(&self) -> Result<u64, OfficeError> {
        let policy = fingerprint(&self.policy);
        let found = self.blocking(move |office| office.ask_pending(&policy)).await?;
        let count = found.len() as u64;
        if found.is_empty() {
            return Ok(0);
        }
        let mut writes = Vec::new();
        for one in &found {
            writes.extend(one.summaries.iter().cloned());
        }
        let differing: Vec<RecordId> =
            found.iter().filter(|one| one.differs).map(|one| one.id).collect();
        self.store
            .write(move |tx| {
                found
                    .iter()
                    .try_for_each(|one| tx.put_conduct(one.id, &one.heads, &policy, &one.rows))
            })
            .await?;
        for (id, command) in writes {
            self.command(id, command, OFFICE.0, OFFICE.1).await?;
        }
        for id in differing {
            self.record_evaluation(id, OFFICE.0, OFFICE.1).await?;
        }
        Ok(count)
    }

    /// One page of the queue, as far as records were evaluated.
    pub async fn conduct_queue(
        &self,
        listing: ConductListing,
    ) -> Result<Vec<ConductRow>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.conduct_rows(&listing))?)
        })
        .await
    }

    /// Whether records have changed since they were evaluated last: the queue may lack some.
    pub async fn is_evaluating(&self) -> Result<bool, OfficeError> {
        let policy = fingerprint(&self.policy);
        self.blocking(move |office| {
            Ok(office
                .store
                .read_with(|reads| Ok(!reads.conduct_pending(&policy, 1)?.is_empty()))?)
        })
        .await
    }

    fn ask_pending(&self, policy: &[u8; 32]) -> Result<Vec<Found>, OfficeError> {
        let now = self.now();
        Ok(self.store.read_with(|reads| {
            let pending = reads.conduct_pending(policy, BATCH)?;
            let mut found = Vec::with_capacity(pending.len());
            for id in pending {
                if let Some(one) = self.ask_one(reads, id, now)? {
                    found.push(one);
                }
            }
            Ok(found)
        })?)
    }

    fn ask_one(
        &self,
        reads: &mut dyn Reads,
        id: RecordId,
        now: i64,
    ) -> Result<Option<Found>, StoreError> {
        let Some(stored) = reads.record(id)? else { return Ok(None) };
        // Skip unreadable records; `verify` reports them.
        let Ok(view) = self.documents.view(id, &stored) else {
            return Ok(Some(Found {
                id,
                heads: stored.heads,
                rows: Vec::new(),
                summaries: Vec::new(),
                differs: false,
            }));
        };
        let conduct = judge(&self.policy, &view, moment_of(&view), now);
        let sealed = view.stage.is_sealed();
        let differs = sealed
            && conduct.moment == Moment::After
            && conduct.new_evaluation(&view, None).is_some();
        let rows = rows(id, &view, &conduct);
        let summaries = summaries(reads, &self.documents, &stored.case_no, now)?;
        Ok(Some(Found { id, heads: stored.heads, rows, summaries, differs }))
    }
}

/// The summaries that records of a case lack.
fn summaries(
    reads: &mut dyn Reads,
    documents: &DocumentCache,
    case_no: &str,
    now: i64,
) -> Result<Vec<(RecordId, Command)>, StoreError> {
    let ids = reads.records_of_case(case_no)?;
    if ids.len() < 2 {
        return Ok(Vec::new());
    }
    let mut views: Vec<(RecordId, VisitView, BTreeMap<String, i64>)> = Vec::new();
    for id in ids {
        let stored = reads.record(id)?;
        if let Some(view) = stored.and_then(|stored| documents.view(id, &stored).ok()) {
            let counts =
                zone(&view, now).map(|zone| summary::counts(&view, &zone, now)).unwrap_or_default();
            views.push((id, view, counts));
        }
    }
    let mut lacking = Vec::new();
    for (id, view, _) in &views {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (_, _, theirs) in views.iter().filter(|(other, ..)| other != id) {
            for (name, count) in theirs {
                *counts.entry(name.clone()).or_default() += count;
            }
        }
        let held: Option<BTreeMap<String, i64>> = view.case.contact_summary.as_ref().map(|held| {
            held.counts.iter().map(|count| (count.name.clone(), count.count)).collect()
        });
        if held.as_ref() != Some(&counts) {
            lacking.push((*id, Command::SummarizeContacts { as_of: now, counts }));
        }
    }
    Ok(lacking)
}

/// The rows of what did not pass.
pub(super) fn rows(id: RecordId, view: &VisitView, conduct: &ConductView) -> Vec<ConductRow> {
    conduct
        .answers
        .iter()
        .filter(|answer| matches!(answer.answer, Answer::Fail | Answer::Unknown))
        .map(|answer| ConductRow {
            record: id,
            case_no: view.case_no.clone(),
            rule: answer.rule.clone(),
            moment: conduct.moment,
            layer: answer.layer.clone(),
            answer: answer.answer,
            severity: answer.severity,
            status: answer.status,
            shadow: answer.shadow,
            grade: answer.grade,
            reason: answer.reason_code.clone(),
            policy: conduct.policy.clone(),
            at: conduct.at,
        })
        .collect()
}

/// Names the layers, so that a change of one asks everything anew.
fn fingerprint(policy: &Policy) -> [u8; 32] {
    Sha256::digest(builtin::pack(policy.layers())).into()
}
