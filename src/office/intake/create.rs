//! New records.

use automerge::Change;

use super::commit::{AcceptedState, Provenance, commit, rows};
use crate::ids::RecordId;
use crate::office::change::ChangeMeta;
use crate::office::store::{Pending, StoreError};
use crate::office::{Office, OfficeError, random};
use crate::record::command::{AssignmentPatch, CasePatch};
use crate::record::terms::Role;
use crate::record::{Author, CommandError, Record, genesis};

/// Records per job of the writer: enough that the cost of a commit does not matter, few enough that
/// others get their turn.
const BATCH: usize = 200;

/// A record to be created.
#[derive(Debug, Clone)]
pub struct NewVisit {
    /// The lender's case number.
    pub case_no: String,
    /// Facts of the case.
    pub case: CasePatch,
    /// Assigned collectors.
    pub assignment: AssignmentPatch,
}

/// What became of a record to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It was created.
    New(RecordId),
    /// The case already has this record; nothing was written.
    Exists(RecordId),
    /// A value is invalid; nothing was written.
    Invalid(CommandError),
}

/// A document that is ready to be stored, or why there is none.
enum Built {
    Ready(RecordId, Box<AcceptedState>),
    Invalid(CommandError),
}

impl Office {
    /// Creates records; one result for each, in order. Durable once answered.
    ///
    /// Documents are built on other threads while the writer stores those that are ready. If the
    /// store fails, the records before have been created.
    pub async fn create_visits(
        &self,
        visits: Vec<NewVisit>,
        by: &str,
    ) -> Result<Vec<Created>, OfficeError> {
        let mut created = Vec::with_capacity(visits.len());
        let mut writing: Option<Pending<Vec<Created>>> = None;
        let mut visits = visits.into_iter().peekable();
        while visits.peek().is_some() {
            let batch: Vec<NewVisit> = visits.by_ref().take(BATCH).collect();
            let user = by.to_owned();
            let built = self.blocking(move |office| office.build(batch, &user)).await?;
            if let Some(before) = writing.replace(self.queue_built(built, by)) {
                created.extend(before.await?);
            }
        }
        if let Some(last) = writing {
            created.extend(last.await?);
        }
        Ok(created)
    }

    /// Builds documents, on as many threads as the machine has cores. Blocks.
    fn build(&self, visits: Vec<NewVisit>, by: &str) -> Result<Vec<Built>, OfficeError> {
        let author = self.author(by, Role::Supervisor);
        let named = visits
            .into_iter()
            .map(|visit| Ok((RecordId::v7(author.now_ms, random(self.random.as_ref())?), visit)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = named.len().div_ceil(threads).max(1);
        let parts = std::thread::scope(|scope| {
            let parts: Vec<_> = named
                .chunks(share)
                .map(|part| {
                    let build = || part.iter().map(|(id, visit)| build_one(*id, visit, &author));
                    scope.spawn(move || build().collect::<Vec<_>>())
                })
                .collect();
            parts.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut all = Vec::with_capacity(named.len());
        for part in parts {
            all.extend(part.map_err(|_| OfficeError::Closing)?);
        }
        Ok(all)
    }

    /// Queues records for the writer, which skips cases that have a record by then.
    fn queue_built(&self, built: Vec<Built>, by: &str) -> Pending<Vec<Created>> {
        let (user, device) = (by.to_owned(), self.device);
        self.store.write(move |tx| {
            built
                .iter()
                .map(|built| match built {
                    Built::Invalid(error) => Ok(Created::Invalid(error.clone())),
                    Built::Ready(id, state) => {
                        if let Some(existing) = tx.find_case(&state.rows.summary.case_no)? {
                            return Ok(Created::Exists(existing));
                        }
                        let (user, at) = (user.clone(), state.rows.updated_at);
                        let provenance = Provenance { user, device, at, quarantine: None };
                        commit(tx, *id, None, state, &provenance)?;
                        Ok(Created::New(*id))
                    }
                })
                .collect()
        })
    }
}

fn build_one(id: RecordId, visit: &NewVisit, author: &Author) -> Built {
    let NewVisit { case_no, case, assignment } = visit;
    let record = match Record::create_with_empty_summary(id, case_no, case, assignment, author) {
        Ok(record) => record,
        Err(error) => return Built::Invalid(error),
    };
    let changes = record.document().get_changes(&[genesis::hash()]);
    let added: Vec<(ChangeMeta, Vec<u8>)> = changes.iter().map(with_meta).collect();
    let state = AcceptedState {
        document: record.save(),
        heads: record.heads(),
        max_op: added.iter().map(|(meta, _)| meta.max_op).max().unwrap_or(0),
        added,
        rows: rows(&record, author.now_ms),
        audited_seal: None,
    };
    Built::Ready(id, Box::new(state))
}

fn with_meta(change: &Change) -> (ChangeMeta, Vec<u8>) {
    let meta = ChangeMeta {
        hash: change.hash(),
        actor: change.actor_id().clone(),
        seq: change.seq(),
        max_op: change.max_op(),
    };
    (meta, change.raw_bytes().to_vec())
}
