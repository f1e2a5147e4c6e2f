//! The rules of conduct on the phone: evaluation, and the departures that they stop.

use crate::conduct::day_plan::DayStop;
use crate::conduct::terms::Verdict;
use crate::conduct::view::ConductView;
use crate::conduct::{EvalInput, ExternalFacts, Moment, Policy, ZoneData, builtin, evaluate};
use crate::ids::RecordId;
use crate::record::command::{Command, NewEvaluation};
use crate::record::view::VisitView;
use crate::workspace::output::Table;
use crate::workspace::{Workspace, WorkspaceError};

pub(crate) const LAYERS_KEY: &str = "layers";

impl Workspace {
    /// Evaluates the rules for an open record at a moment of the visit, as if the time were `at`,
    /// ms.
    ///
    /// # Errors
    /// The record is not open.
    pub fn conduct(
        &self,
        record: RecordId,
        moment: Moment,
        at: i64,
    ) -> Result<ConductView, WorkspaceError> {
        Ok(self.evaluate_conduct(&self.open_record(record)?.view(), moment, at))
    }

    /// An open record as a stop of the day of `at`, ms.
    ///
    /// # Errors
    /// The record is not open.
    pub fn day_stop(&self, record: RecordId, at: i64) -> Result<DayStop, WorkspaceError> {
        let view = self.open_record(record)?.view();
        let conduct = self.evaluate_conduct(&view, Moment::Before, at);
        let zone = self.zones.get(&view.case.zone);
        Ok(DayStop::new(&view, &conduct, &self.policy.select(&view), zone, at))
    }

    /// Whether the data of a time zone is loaded and covers a time, ms.
    pub fn has_zone(&self, zone: &str, at: i64) -> bool {
        self.zones.get(zone).is_some_and(|data| data.spans.is_empty() || data.local(at).is_some())
    }

    /// Adds a time zone from the platform's data; it has no spans where the platform lacks it.
    pub fn add_zone(&mut self, zone: ZoneData) {
        self.zones.insert(zone.name.clone(), zone);
    }

    /// Stores the lender's own layers, as the office packs them; gives whether they were valid.
    pub fn set_layers(&mut self, packed: &[u8]) -> bool {
        let Some(policy) = policy(packed) else { return false };
        if policy != self.policy {
            self.policy = policy;
            self.journal.put(Table::Meta, LAYERS_KEY.into(), packed.to_vec());
        }
        true
    }

    /// The evaluation to record with a command, or why the rules stop the command.
    pub(crate) fn check_conduct(
        &self,
        record: RecordId,
        command: &Command,
    ) -> Result<Option<NewEvaluation>, WorkspaceError> {
        let (moment, at) = match command {
            Command::Depart { at } => (Moment::Before, *at),
            Command::Arrive(arrival) => (Moment::Arrival, arrival.at),
            Command::Seal { at } => (Moment::After, *at),
            _ => return Ok(None),
        };
        let view = self.open_record(record)?.view();
        let zone = &view.case.zone;
        if moment == Moment::Before && !zone.is_empty() && !self.has_zone(zone, at) {
            return Err(WorkspaceError::ZoneNeeded { zone: zone.clone() });
        }
        let conduct = self.evaluate_conduct(&view, moment, at);
        if moment == Moment::Before && conduct.verdict != Verdict::Go {
            let rules = conduct.stopping().map(|answer| answer.rule.clone()).collect();
            let blocked = conduct.stopping().any(|answer| {
                !conduct.needs_reason.contains(&answer.rule) && answer.overridden.is_empty()
            });
            let until = conduct.next_lawful_at;
            return Err(if blocked {
                WorkspaceError::Stopped { rules, until }
            } else {
                WorkspaceError::ReasonNeeded { rules: conduct.needs_reason, until }
            });
        }
        Ok(conduct.new_evaluation(&view, self.link.clock_skew_ms()))
    }

    fn evaluate_conduct(&self, view: &VisitView, moment: Moment, at: i64) -> ConductView {
        let skew = self.link.clock_skew_ms();
        let facts = ExternalFacts {
            skew_ms: skew,
            // Expressed in the device's clock of that time.
            office_as_of: self.link.proven_at().map(|at| at - skew.unwrap_or(0)),
            retention_months: None,
        };
        let zone = self.zones.get(&view.case.zone);
        evaluate(&self.policy.select(view), &EvalInput { view, moment, at, zone, facts })
    }
}

/// The policy of the built-in layers and the lender's; `None` where these are invalid.
pub(crate) fn policy(packed: &[u8]) -> Option<Policy> {
    let mut policy = Policy::default();
    builtin::unpack(packed)?.into_iter().try_for_each(|layer| policy.add(layer)).ok()?;
    Some(policy)
}
