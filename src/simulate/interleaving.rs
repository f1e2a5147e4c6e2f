//! What another process of the office commits between a judgement and its commit.
//!
//! A process judges outside the store's writer, so others can move the record before its commit.
//! The simulation lets them do so at any write of a request, a command or a decision.

use std::sync::{Arc, Mutex, PoisonError};

use super::commands::Page;
use super::faults::Fault;
use super::network::{Admitted, InFlightRequest, serve};
use super::oracle::{Edit, Effect, Step, Truth, Violation, violation};
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::office::store::StoreError;
use crate::office::{Office, OfficeError};
use crate::record::command::Command;
use crate::record::terms::Role;
use crate::record::view::VisitView;
use crate::sync::message::Reply;

/// The result of work that ran in the midst of another process's work; `None` until it has run.
type Outcome<T> = Arc<Mutex<Option<T>>>;

/// A reply, and what the office held right after it.
type Served = (Result<Reply, OfficeError>, Result<Truth, StoreError>);

/// Work of a second process, handed to the store of the first.
pub(super) enum Rival {
    Request { going: InFlightRequest, outcome: Outcome<Served> },
    Command { edit: Box<RivalEdit>, outcome: Outcome<Result<VisitView, OfficeError>> },
}

/// A command of the office, with the facts that the oracle needs.
pub(super) struct RivalEdit {
    record: RecordId,
    mark: String,
    effect: Effect,
}

impl World<'_> {
    /// Draws whether another process works in the midst of the next `writes` writes of process
    /// `at`, which are about these records.
    pub(super) fn schedule_rival(
        &mut self,
        at: usize,
        writes: usize,
        records: &[RecordId],
    ) -> Result<Option<Rival>, Violation> {
        if writes == 0 || !self.inject(Fault::Interleaved) {
            return Ok(None);
        }
        let others = self.endpoints.len() - 1;
        let second = (at + 1 + self.rng.usize(0..others)) % self.endpoints.len();
        let office = self.endpoints[second].office.clone();
        let after = self.rng.usize(0..writes);
        let waiting = self.rng.bool().then(|| self.take_waiting_request()).flatten();
        let (rival, work) = match waiting {
            Some((going, admitted)) => rival_request(office, going, admitted),
            None => {
                let record = match records {
                    [] => self.records[self.rng.usize(0..self.records.len())],
                    _ => records[self.rng.usize(0..records.len())],
                };
                let page = Page::of(&self.office_record(record)?);
                let mark = self.mark("rival");
                let (command, effect) = self.supervisor_command(&mark, &page);
                rival_command(office, RivalEdit { record, mark, effect }, command)
            }
        };
        self.endpoints[at].store.schedule_rival(after, work);
        Ok(Some(rival))
    }

    /// Whether the second process got to work; from now on it does not.
    pub(super) fn end_rival(&self, at: usize) -> bool {
        !self.endpoints[at].store.cancel_rival()
    }

    /// Accounts for what the second process did, if it got to work.
    pub(super) fn finish_rival(&mut self, rival: Option<Rival>, ran: bool) -> Step {
        match rival {
            None => Ok(()),
            Some(Rival::Request { going, outcome }) => match take(&outcome) {
                Some((reply, truth)) => {
                    let reply = reply.map_err(|error| failed("R2", error))?;
                    let truth = truth.map_err(|error| failed("F3", error))?;
                    self.log(format!("device {} was answered in between", going.device));
                    self.deliver_answer(going, Ok((reply, truth)))
                }
                None if ran => violation("panic", "the office panicked".into()),
                None => {
                    self.put_back(going);
                    Ok(())
                }
            },
            Some(Rival::Command { edit, outcome }) => match take(&outcome) {
                Some(Ok(view)) => {
                    let RivalEdit { record, mark, effect } = *edit;
                    self.log(format!("the office wrote {mark} into {record} in between"));
                    if let [head] = view.heads.as_slice()
                        && let Some(hash) = crate::ids::change_hash(head)
                    {
                        let edit = Edit { record, mark, hash, effect, arrived: true };
                        self.oracle.office_edited(edit);
                    }
                    Ok(())
                }
                Some(Err(OfficeError::Command(_))) => Ok(()),
                Some(Err(error)) => Err(failed("M6", error)),
                None if ran => violation("panic", "the office panicked".into()),
                None => Ok(()),
            },
        }
    }
}

/// Work for the store to run.
type Work = Box<dyn FnOnce() + Send>;

fn rival_request(office: Office, going: InFlightRequest, admitted: Admitted) -> (Rival, Work) {
    let outcome = Outcome::default();
    let result = Arc::clone(&outcome);
    let work = move || {
        let user = admitted.session.user.clone();
        let reply = on_a_runtime(serve(&office, admitted));
        let members = office.store().read_with(|reads| reads.members(&user));
        let truth = members.map(|members| Truth(members.into_iter().collect()));
        put(&result, (reply, truth));
    };
    (Rival::Request { going, outcome }, Box::new(work))
}

fn rival_command(office: Office, edit: RivalEdit, command: Command) -> (Rival, Work) {
    let outcome = Outcome::default();
    let (result, record) = (Arc::clone(&outcome), edit.record);
    let work = move || {
        let done = office.command(record, command, "supervisor", Role::Supervisor);
        put(&result, on_a_runtime(done));
    };
    (Rival::Command { edit: Box::new(edit), outcome }, Box::new(work))
}

/// A process of its own has a runtime of its own.
fn on_a_runtime<T>(work: impl Future<Output = Result<T, OfficeError>>) -> Result<T, OfficeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| StoreError::Failed(error.to_string()))?;
    runtime.block_on(work)
}

fn put<T>(outcome: &Outcome<T>, result: T) {
    *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

fn take<T>(outcome: &Outcome<T>) -> Option<T> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
}
