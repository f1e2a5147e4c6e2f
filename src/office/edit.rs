//! The office's own edits: records that it makes, commands from the console.

use std::sync::Arc;

use automerge::Change;

use super::cancel::CancelToken;
use super::intake::Step;
use super::keep::{HandedIn, State, keep};
use super::merge::{self, Held, Judgement, Sender};
use super::store::{Known, Pending, Reads, StoreError};
use super::{Office, OfficeError, conduct, random};
use crate::conduct::Moment;
use crate::ids::RecordId;
use crate::record::command::{AssignmentPatch, CasePatch, Command};
use crate::record::terms::Role;
use crate::record::view::VisitView;
use crate::record::{Author, CommandError, Record, genesis};

/// Records in one job of the writer: enough that commits don't count, few enough that others get
/// their turn in between.
const BATCH: usize = 200;

/// Where the office writes. Its times are UTC; the borrower's zone stands in the case.
pub(super) const OFFICE_ZONE: &str = "Etc/UTC";

/// A record to be made.
#[derive(Debug, Clone)]
pub struct NewVisit {
    /// The lender's case number.
    pub case_no: String,
    /// Facts of the case.
    pub case: CasePatch,
    /// Who visits.
    pub assignment: AssignmentPatch,
}

/// What became of a record that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// Made.
    New(RecordId),
    /// The case has a record already; nothing was written.
    Exists(RecordId),
    /// A value does not hold; nothing was written.
    Invalid(CommandError),
}

impl Office {
    /// Makes records, one result for each in order. Durable once answered.
    ///
    /// Documents are made on other threads while the writer keeps those that are ready, and many
    /// share a commit. A failure of the store leaves what was kept before it.
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
            let made = self.blocking(move |office| office.make(batch, &user)).await?;
            if let Some(before) = writing.replace(self.keep_made(made, by)) {
                created.extend(before.await?);
            }
        }
        if let Some(last) = writing {
            created.extend(last.await?);
        }
        Ok(created)
    }

    /// Makes documents. Takes its time, on as many threads as the machine has.
    fn make(&self, visits: Vec<NewVisit>, by: &str) -> Result<Vec<Made>, OfficeError> {
        let now = self.now();
        let author = Author {
            actor: self.actor.clone(),
            user: by.to_owned(),
            role: Role::Supervisor,
            now_ms: now,
            zone: OFFICE_ZONE.into(),
        };
        let named = visits
            .into_iter()
            .map(|visit| Ok((RecordId::v7(now, random(self.random.as_ref())?), visit)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = named.len().div_ceil(threads).max(1);
        let made = std::thread::scope(|scope| {
            let parts: Vec<_> = named
                .chunks(share)
                .map(|part| {
                    scope.spawn(|| {
                        let made =
                            |(id, visit): &(RecordId, NewVisit)| make_one(*id, visit, &author);
                        part.iter().map(made).collect::<Vec<_>>()
                    })
                })
                .collect();
            parts.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut all = Vec::with_capacity(named.len());
        for part in made {
            for one in part.map_err(|_| OfficeError::Closing)? {
                all.push(one?);
            }
        }
        Ok(all)
    }

    fn keep_made(&self, made: Vec<Made>, by: &str) -> Pending<Vec<Created>> {
        let user = by.to_owned();
        let device = self.device;
        self.store.write(move |tx| {
            made.iter()
                .map(|made| match made {
                    Made::Invalid(error) => Ok(Created::Invalid(error.clone())),
                    Made::Ready(id, state) => {
                        if let Some(held) = tx.find_case(&state.rows.summary.case_no)? {
                            return Ok(Created::Exists(held));
                        }
                        let at = state.rows.updated_at;
                        let by = HandedIn { user: &user, device, at, quarantine: None };
                        keep(tx, *id, None, state, by)?;
                        Ok(Created::New(*id))
                    }
                })
                .collect()
        })
    }

    /// Carries out a command of the office's people: judged and kept like a phone's push (rule
    /// M6). Gives the record after it; durable once answered.
    pub async fn command(
        &self,
        record: RecordId,
        command: Command,
        user: &str,
        role: Role,
    ) -> Result<VisitView, OfficeError> {
        let work = move |document: &mut Record, author: &Author| document.apply(&command, author);
        self.carry_out(record, Arc::new(work), user, role).await
    }

    /// Keeps in a record what the rules of conduct say of it after the visit, where that is not
    /// what was kept last.
    pub(super) async fn keep_evaluation(
        &self,
        record: RecordId,
        user: &str,
        role: Role,
    ) -> Result<VisitView, OfficeError> {
        let policy = self.policy.clone();
        let work = move |document: &mut Record, author: &Author| {
            let view = document.view();
            let conduct = conduct::judge(&policy, &view, Moment::After, author.now_ms);
            match conduct.new_evaluation(&view, None) {
                Some(evaluation) => document.record_evaluation(&evaluation, author),
                None => Ok(None),
            }
        };
        self.carry_out(record, Arc::new(work), user, role).await
    }

    async fn carry_out(
        &self,
        record: RecordId,
        work: Arc<Work>,
        user: &str,
        role: Role,
    ) -> Result<VisitView, OfficeError> {
        let user = user.to_owned();
        let judge = move |office: &Self, record: RecordId, _: &()| {
            office.judge_edit(record, work.as_ref(), &user, role)
        };
        let done = self.take_in(vec![(record, ())], &CancelToken::default(), judge).await?;
        done.into_iter().next().ok_or(OfficeError::Closing)
    }

    /// Writes an edit on a copy and judges it. Blocks.
    fn judge_edit(
        &self,
        id: RecordId,
        work: &Work,
        user: &str,
        role: Role,
    ) -> Result<Step<VisitView>, OfficeError> {
        let read = |reads: &mut dyn Reads| Ok((reads.record(id)?, reads.known(id)?));
        let (stored, known) = self.store.look(read)?;
        let Some(stored) = stored else { return Err(OfficeError::UnknownRecord) };
        let at = self.now();
        let author = Author {
            actor: self.actor.clone(),
            user: user.to_owned(),
            role,
            now_ms: at,
            zone: OFFICE_ZONE.into(),
        };
        let change = match write(&stored.document, work, &author)? {
            (view, None) => return Ok(Step::Done(view)),
            (_, Some(change)) => change,
        };
        let held = Held { known: &known, document: &stored.document };
        // The office signs no seal.
        let sender = Sender { user, role, device: self.device, keys: &[] };
        let accepted = match merge::judge(held, &[change.raw_bytes()], sender) {
            Judgement::Accepted(accepted) => accepted,
            Judgement::Refused(refusal) => return Err(OfficeError::Refused(refusal)),
            // The change was made on the state that it is merged into.
            Judgement::Duplicate | Judgement::Missing => {
                let what = format!("record {id} is not what its changes say");
                return Err(StoreError::Damaged(what).into());
            }
        };
        let view = accepted.record.view();
        let state = State::of(*accepted, at);
        let (user, device) = (user.to_owned(), self.device);
        Ok(Step::write(state.size(), move |tx| {
            if tx.heads(id)?.as_ref() != Some(&stored.heads) {
                return Ok(None);
            }
            let by = HandedIn { user: &user, device, at, quarantine: None };
            keep(tx, id, Some(&stored), &state, by)?;
            Ok(Some(view.clone()))
        }))
    }
}

/// What is written into a record.
type Work =
    dyn Fn(&mut Record, &Author) -> Result<Option<Change>, CommandError> + Send + Sync + 'static;

fn write(
    document: &[u8],
    work: &Work,
    author: &Author,
) -> Result<(VisitView, Option<Change>), OfficeError> {
    let mut record = Record::load(document)?;
    let change = work(&mut record, author)?;
    Ok((record.view(), change))
}

/// A document that is ready to be kept, or why there is none.
enum Made {
    Ready(RecordId, Box<State>),
    Invalid(CommandError),
}

fn make_one(id: RecordId, visit: &NewVisit, author: &Author) -> Result<Made, OfficeError> {
    let made = Record::create_with_empty_summary(
        id,
        &visit.case_no,
        &visit.case,
        &visit.assignment,
        author,
    );
    let record = match made {
        Ok(record) => record,
        Err(error) => return Ok(Made::Invalid(error)),
    };
    let changes = record.document().get_changes(&[genesis::hash()]);
    let added: Vec<(Known, Vec<u8>)> = changes.iter().map(added).collect();
    let state = State {
        document: record.save(),
        heads: record.heads(),
        max_op: added.iter().map(|(known, _)| known.max_op).max().unwrap_or(0),
        added,
        rows: super::keep::rows(&record, author.now_ms),
    };
    Ok(Made::Ready(id, Box::new(state)))
}

fn added(change: &Change) -> (Known, Vec<u8>) {
    let known = Known {
        hash: change.hash(),
        actor: change.actor_id().clone(),
        seq: change.seq(),
        max_op: change.max_op(),
    };
    (known, change.raw_bytes().to_vec())
}
