//! What the dashboard counts.

use crate::record::queue::open_promise;
use crate::record::terms::{OverdueReason, TargetRole};
use crate::record::view::VisitView;

/// Facts of a record that the dashboard counts, beside those of its summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFacts {
    /// When the collectors arrived, ms.
    pub arrived_at: Option<i64>,
    /// Whom they met.
    pub person_met: Option<TargetRole>,
    /// Why payment is late.
    pub overdue_reason: Option<OverdueReason>,
    /// The promise of a payment.
    pub promise: Option<PromiseFact>,
}

/// A promised payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseFact {
    /// Minor units of the record's currency.
    pub amount: i64,
    /// `YYYY-MM-DD`.
    pub due: String,
    /// The recorded payments do not reach its amount.
    pub open: bool,
}

impl ReportFacts {
    /// The facts of a record.
    pub fn of(view: &VisitView) -> Self {
        let promise = view.talk.promise.as_ref().map(|promise| PromiseFact {
            amount: promise.amount,
            due: promise.due_date.clone(),
            open: open_promise(view).is_some(),
        });
        Self {
            arrived_at: view.visit.arrived_at,
            person_met: view.visit.person_met,
            overdue_reason: view.talk.overdue_reason,
            promise,
        }
    }
}
