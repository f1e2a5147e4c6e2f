//! What the rules of conduct say at the office.
//!
//! Findings, never refusals: a record that tells the truth about a bad visit is accepted like any
//! other, and flagged. Time is the office's, so no clock is in doubt but the one that wrote the
//! record, whose skew the phone kept beside its own evaluation.

mod evaluating;
mod keeping;
mod walking;

use std::sync::Arc;

use super::{Office, OfficeError};
use crate::conduct::view::ConductView;
use crate::conduct::{EvalInput, ExternalFacts, Moment, Policy, ZoneData, evaluate, zones};
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::view::VisitView;
pub use walking::Walked;

/// For how many months records are kept: the office erases none, so longer than any rule asks.
const KEPT_MONTHS: i64 = 1_200;

impl Office {
    /// The same office with other layers of conduct.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// The layers that the office knows.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the rules say of a record now; at the moment that it has come to, where none is named.
    pub async fn conduct(
        &self,
        id: RecordId,
        moment: Option<Moment>,
    ) -> Result<ConductView, OfficeError> {
        self.blocking(move |office| {
            let view = Record::load(&office.bytes(id)?)?.view();
            let moment = moment.unwrap_or_else(|| moment_of(&view));
            Ok(judge(&office.policy, &view, moment, office.now()))
        })
        .await
    }
}

/// The moment that a record has come to.
pub(super) fn moment_of(view: &VisitView) -> Moment {
    let over = view.visit.left_at.is_some() || view.talk.disposition.is_some();
    match (view.visit.arrived_at, over || view.seal.is_some()) {
        (_, true) => Moment::After,
        (Some(_), false) => Moment::Arrival,
        (None, false) => Moment::Before,
    }
}

/// What the office says of a record at a time, ms.
pub(super) fn judge(policy: &Policy, view: &VisitView, moment: Moment, at: i64) -> ConductView {
    let facts = ExternalFacts {
        skew_ms: None,
        office_as_of: Some(at),
        retention_months: Some(KEPT_MONTHS),
    };
    let zone = zone(view, at);
    let input = EvalInput { view, moment, at, zone: zone.as_ref(), facts };
    evaluate(&policy.select(view), &input)
}

/// The borrower's zone around the time that a record is about.
pub(super) fn zone(view: &VisitView, at: i64) -> Option<ZoneData> {
    let about = view.visit.arrived_at.unwrap_or(at);
    (!view.case.zone.is_empty()).then(|| zones::around(&view.case.zone, about))
}
