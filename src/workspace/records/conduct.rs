//! What the rules of conduct say on the phone, and the departure that they stop.

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
    /// What the rules say of an open record at a moment, as if it were `at`, ms.
    ///
    /// # Errors
    /// The record is not open.
    pub fn conduct(
        &self,
        record: RecordId,
        moment: Moment,
        at: i64,
    ) -> Result<ConductView, WorkspaceError> {
        Ok(self.ask(&self.open_record(record)?.view(), moment, at))
    }

    /// Whether the zone's data is here, and covers a time.
    pub fn has_zone(&self, zone: &str, at: i64) -> bool {
        self.zones.get(zone).is_some_and(|data| data.spans.is_empty() || data.local(at).is_some())
    }

    /// Takes in a zone, as the platform knows it; without spans where it does not.
    pub fn add_zone(&mut self, zone: ZoneData) {
        self.zones.insert(zone.name.clone(), zone);
    }

    /// Takes in the lender's own layers, as the office packs them, and keeps them; gives whether
    /// they were understood.
    pub fn set_layers(&mut self, packed: &[u8]) -> bool {
        let Some(policy) = policy(packed) else { return false };
        if policy != self.policy {
            self.policy = policy;
            self.journal.put(Table::Meta, LAYERS_KEY.into(), packed.to_vec());
        }
        true
    }

    /// What is to be kept beside a command, or why the command may not be carried out.
    pub(crate) fn judge(
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
        let conduct = self.ask(&view, moment, at);
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

    fn ask(&self, view: &VisitView, moment: Moment, at: i64) -> ConductView {
        let skew = self.link.clock_skew_ms();
        let facts = ExternalFacts {
            skew_ms: skew,
            // By the device's clock, as it was then.
            office_as_of: self.link.proven_at().map(|at| at - skew.unwrap_or(0)),
            retention_months: None,
        };
        let zone = self.zones.get(&view.case.zone);
        evaluate(&self.policy.select(view), &EvalInput { view, moment, at, zone, facts })
    }
}

/// The program's layers and the lender's.
pub(crate) fn policy(packed: &[u8]) -> Option<Policy> {
    let mut policy = Policy::default();
    builtin::unpack(packed)?.into_iter().try_for_each(|layer| policy.add(layer)).ok()?;
    Some(policy)
}
