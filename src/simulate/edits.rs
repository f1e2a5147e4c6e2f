//! What people do: collectors on their phones, supervisors at the office.

use std::time::Duration;

use super::commands::{Page, contact};
use super::faults::Fault;
use super::oracle::{Edit, Effect, Step, Violation, violation};
use super::world::{World, failed};
use crate::ids::RecordId;
use crate::office::store::{QuarantineFilter, QuarantineState};
use crate::office::{Created, NewVisit, OfficeError, QuarantineError};
use crate::record::Record;
use crate::record::command::{AssignmentPatch, CasePatch, Command, TalkPatch};
use crate::record::terms::{Disposition, Role, Stage};
use crate::record::view::VisitView;
use crate::workspace::{NewAmendment, WorkspaceError};

impl World<'_> {
    /// A collector does something to one of the records on a phone.
    pub(super) fn edit(&mut self, n: usize) -> Step {
        if self.devices[n].frozen {
            return Ok(());
        }
        let held = self.devices[n].records();
        if held.is_empty() {
            return Ok(());
        }
        let id = held[self.rng.usize(0..held.len())];
        if self.devices[n].is_refused(id) {
            // A person looks at it now or later; a supervisor may be faster.
            return if self.rng.u32(0..4) == 0 { self.resolve_refused(n, id) } else { Ok(()) };
        }
        // A record that has to be loaded first is edited in a later step.
        let Ok(page) = self.devices[n].record(id).map(Page::of) else { return Ok(()) };
        let mark = self.mark(&format!("d{n}"));
        let (command, effect) = match self.rng.u32(0..30) {
            0 => self.resolve_conflict(n, id, &mark),
            _ => self.collector_command(&mark, &page),
        };
        let at = self.now_on(n);
        let device = &mut self.devices[n];
        let ticket = device.workspace.apply(id, &command, at, "Etc/UTC");
        device.poll_outputs();
        match ticket {
            // A new change follows all that is held, so it is the only head.
            Ok(Some(ticket)) => {
                let heads = self.devices[n].record(id).map(|record| record.heads());
                let Some(hash) = heads.ok().and_then(|heads| heads.as_slice().first().copied())
                else {
                    return violation("D1", format!("device {n} lost {id} while it was edited"));
                };
                let edit = Edit { record: id, mark: mark.clone(), hash, effect, arrived: false };
                self.oracle.edited(n, ticket, edit);
            }
            Ok(None)
            | Err(
                WorkspaceError::Command(_)
                | WorkspaceError::Stopped { .. }
                | WorkspaceError::ReasonNeeded { .. },
            ) => return Ok(()),
            Err(error) => return violation("D1", format!("device {n} may not edit: {error}")),
        }
        self.log(format!("device {n} writes {mark} into {id}: {}", word(&command)));
        Ok(())
    }

    /// Reapplies refused work where allowed, and adds the rest as amendments.
    pub(super) fn resolve_refused(&mut self, n: usize, id: RecordId) -> Step {
        let at = self.now_on(n);
        let Ok(sealed) = self.devices[n].record(id).map(|record| record.stage().is_sealed()) else {
            return Ok(());
        };
        let Ok(work) = self.devices[n].workspace.refused_work(id) else { return Ok(()) };
        let (mut units, mut amendments) = (Vec::new(), Vec::new());
        for field in work.fields {
            if field.again {
                units.push(field.unit);
            } else if sealed && !field.unit.starts_with("seal") {
                let text = format!("{:?}", field.refused).chars().take(1_000).collect();
                amendments.push(NewAmendment { id: self.mark("late"), path: field.path, text });
            }
        }
        let session = self.devices[n].next_session(self.rng.u32(..));
        let device = &mut self.devices[n];
        let done =
            device.workspace.resolve_refused(id, &units, &amendments, session, at, "Etc/UTC");
        device.poll_outputs();
        match done {
            Ok(_) => {
                self.log(format!("device {n} adds its refused work on {id} as amendments"));
                Ok(())
            }
            Err(
                WorkspaceError::Command(_) | WorkspaceError::NotRefused | WorkspaceError::NotKept,
            ) => Ok(()),
            Err(error) => violation("M4", format!("device {n} cannot go on with {id}: {error}")),
        }
    }

    /// A supervisor does something to one of the records.
    pub(super) fn office_edit(&mut self) -> Step {
        let some = self.records[self.rng.usize(0..self.records.len())];
        // Prefer records that wait for a review: few reach that stage.
        let id = self.handed_in()?.filter(|_| self.rng.u32(0..4) > 0).unwrap_or(some);
        if self.inject(Fault::Reassigned) || self.rng.u32(0..20) == 0 {
            return self.reassign(id);
        }
        if self.rng.u32(0..8) == 0 {
            return self.decide();
        }
        let page = Page::of(&self.office_record(id)?);
        let mark = self.mark("office");
        let (command, effect) = self.supervisor_command(&mark, &page);
        self.log(format!("the office writes {mark} into {id}: {}", word(&command)));
        if let Some(view) = self.office_command(id, command)?
            && let [head] = view.heads.as_slice()
            && let Some(hash) = crate::ids::change_hash(head)
        {
            self.oracle.office_edited(Edit { record: id, mark, hash, effect, arrived: true });
        }
        Ok(())
    }

    /// A record that is sealed and not judged.
    fn handed_in(&self) -> Result<Option<RecordId>, Violation> {
        for id in &self.records {
            if self.office_record(*id)?.stage() == Stage::Sealed {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }

    /// A supervisor looks at the oldest refused work and accepts it, or dismisses it.
    fn decide(&mut self) -> Step {
        let asked = QuarantineFilter {
            state: Some(QuarantineState::Open),
            limit: u32::MAX,
            ..QuarantineFilter::default()
        };
        let open = self.office().store().read_with(|reads| reads.quarantine(&asked));
        let open = open.map_err(|error| failed("M4", error))?.0;
        let Some(id) = open.last().map(|oldest| oldest.id) else { return Ok(()) };
        let accepts = self.rng.u32(0..4) > 0;
        self.log(format!("the office decides on {id}: {accepts}"));
        let at = self.some_endpoint();
        self.schedule_death(at, 1);
        let rival = self.schedule_rival(at, 1, &[])?;
        let office = self.endpoints[at].office.clone();
        let decided = self.fixture.runtime.block_on(async {
            match accepts {
                true => {
                    office.accept_quarantined(id, None, "", "supervisor", Role::Supervisor).await
                }
                false => office.dismiss_quarantined(id, "no", "supervisor").await,
            }
        });
        let ran = self.end_rival(at);
        let died = self.restart_if_dead(at)?;
        self.finish_rival(rival, ran)?;
        if died {
            return Ok(());
        }
        match decided {
            // What an honest phone wrote can be accepted, unless an entry was made twice.
            Ok(_) | Err(OfficeError::Quarantine(QuarantineError::Impossible { .. })) => Ok(()),
            Err(error) => Err(failed("M4", error)),
        }
    }

    /// The office takes accepted records off the phones (rule F5).
    pub(super) fn expire_accepted(&mut self, at: usize) -> Step {
        self.schedule_death(at, self.records.len());
        let office = self.endpoints[at].office.clone();
        let done = self.fixture.runtime.block_on(office.expire_accepted(Duration::ZERO));
        if self.restart_if_dead(at)? {
            return Ok(());
        }
        if done.map_err(|error| failed("F5", error))? > 0 {
            self.count(Fault::AcceptedExpired);
        }
        Ok(())
    }

    fn reassign(&mut self, id: RecordId) -> Step {
        let collectors = self.some_users();
        self.log(format!("the office gives {id} to {collectors:?}"));
        let patch = AssignmentPatch { collectors: Some(collectors), ..Default::default() };
        self.office_command(id, Command::Assign(patch)).map(drop)
    }

    /// Gives the record after the command, where it was carried out and answered.
    fn office_command(
        &mut self,
        id: RecordId,
        command: Command,
    ) -> Result<Option<VisitView>, Violation> {
        let at = self.some_endpoint();
        self.schedule_death(at, 1);
        let rival = self.schedule_rival(at, 1, &[id])?;
        let office = &self.endpoints[at].office;
        let done = office.command(id, command, "supervisor", Role::Supervisor);
        let done = self.fixture.runtime.block_on(done);
        let ran = self.end_rival(at);
        let died = self.restart_if_dead(at)?;
        self.finish_rival(rival, ran)?;
        if died {
            return Ok(None);
        }
        match done {
            Ok(view) => Ok(Some(view)),
            Err(OfficeError::Command(_)) => Ok(None),
            Err(error) => Err(failed("M6", error)),
        }
    }

    /// Picks one of the values in conflict.
    fn resolve_conflict(&mut self, n: usize, id: RecordId, mark: &str) -> (Command, Effect) {
        let conflicts = self.devices[n].record(id).map(Record::conflicts).unwrap_or_default();
        let picked = conflicts.into_iter().next().and_then(|conflict| {
            let pick = conflict.values.last()?.id.clone();
            Some(Command::Resolve { path: conflict.path, pick })
        });
        let at = self.moment();
        picked.map_or_else(|| contact(mark, at), |picked| (picked, Effect::History))
    }

    /// The office makes the records.
    pub(super) fn create_records(&mut self) -> Result<(), OfficeError> {
        let visits = (0..self.plan.records)
            .map(|n| NewVisit {
                case_no: format!("C{n}"),
                case: CasePatch {
                    borrower_name: Some(format!("Borrower {n}")),
                    currency: Some("CNY".into()),
                    ..Default::default()
                },
                assignment: AssignmentPatch {
                    collectors: Some(self.some_users()),
                    ..Default::default()
                },
            })
            .collect();
        let office = self.office().clone();
        let created = self.fixture.runtime.block_on(office.create_visits(visits, "supervisor"))?;
        self.records = created
            .into_iter()
            .filter_map(|created| match created {
                Created::New(id) | Created::Exists(id) => Some(id),
                Created::Invalid(_) => None,
            })
            .collect();
        self.records.sort_unstable();
        self.complete_first_visit()
    }

    /// Completes one visit in advance: few get that far in one run.
    fn complete_first_visit(&mut self) -> Result<(), OfficeError> {
        let Some(id) = self.records.first().copied() else { return Ok(()) };
        let office = self.office().clone();
        let view = self.fixture.runtime.block_on(office.visit(id))?;
        let Some(user) = view.assignment.collectors.first() else { return Ok(()) };
        let talk = TalkPatch { disposition: Some(Disposition::Ptp), ..Default::default() };
        for command in [Command::EditTalk(talk), Command::Seal { at: self.now() }] {
            let done = office.command(id, command, user, Role::Collector);
            self.fixture.runtime.block_on(done)?;
        }
        Ok(())
    }

    /// Collectors: those with phones at the beginning, and one whose first phone comes late.
    pub(super) fn users(&self) -> usize {
        self.plan.devices.div_ceil(2) + 1
    }

    /// One user or more.
    pub(super) fn some_users(&mut self) -> Vec<String> {
        let users = self.users();
        let one = self.rng.usize(0..users);
        (0..users).filter(|n| *n == one || self.rng.bool()).map(|n| format!("user{n}")).collect()
    }
}

/// What a command is called.
fn word(command: &Command) -> String {
    let text = format!("{command:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
