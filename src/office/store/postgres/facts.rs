//! The columns of `visits` that the dashboard counts.

use super::listing::Filter;
use super::row::Row;
use crate::conduct::terms::Answer;
use crate::office::store::{
    Event, FactFilter, Period, PromiseFact, PromiseState, ReportFacts, StoreError,
};
use crate::record::terms::{Disposition, OverdueReason, TargetRole};

/// The columns that [`facts`] reads, behind those of the summary.
pub(super) const FACTS: &str = "v.arrived_at, v.person_met, v.overdue_reason, v.promise_amount,
    v.promise_due, v.promise_open";

/// The facts of a row.
pub(super) fn facts(row: &Row) -> Result<ReportFacts, StoreError> {
    let promise = match (row.get(24)?, row.get(25)?) {
        (Some(amount), Some(due)) => Some(PromiseFact { amount, due, open: row.get(26)? }),
        (None, _) | (_, None) => None,
    };
    Ok(ReportFacts {
        arrived_at: row.get(21)?,
        person_met: row.word_or_none(22, TargetRole::parse)?,
        overdue_reason: row.word_or_none(23, OverdueReason::parse)?,
        promise,
    })
}

impl Filter {
    /// Restricts `visits v` to records with an event in a period.
    pub(super) fn add_event(&mut self, event: Event, period: &Period) {
        let by_date = match event {
            Event::Planned | Event::Visited | Event::Contacted | Event::Reached => false,
            Event::Promised | Event::Due => true,
        };
        let (from, to) = if by_date {
            (self.value(&period.from), self.value(&period.to))
        } else {
            (self.value(period.start), self.value(period.end))
        };
        let condition = match event {
            Event::Planned => format!(
                "v.starts_at >= {from} AND v.starts_at < {to} AND v.appointment_status = 'agreed'"
            ),
            Event::Visited => format!("v.arrived_at >= {from} AND v.arrived_at < {to}"),
            Event::Contacted => format!(
                "v.record IN (SELECT record FROM contacts
                              WHERE at >= {from} AND at < {to} AND outcome <> 'sent')"
            ),
            Event::Reached => format!(
                "v.record IN (SELECT record FROM contacts
                              WHERE at >= {from} AND at < {to} AND outcome = 'reached')"
            ),
            Event::Promised => format!("v.promise_due >= {from} AND v.promise_due <= {to}"),
            Event::Due => {
                format!("v.due_key >= {from} AND v.due_key <= {to} AND v.stage <> 'reviewed'")
            }
        };
        self.add(&condition);
    }

    /// Adds the conditions over facts.
    pub(super) fn add_facts(&mut self, facts: &FactFilter) {
        if let Some((event, period)) = &facts.event {
            self.add_event(*event, period);
        }
        if facts.visited {
            self.add("v.arrived_at IS NOT NULL");
        }
        if facts.met {
            self.add("v.person_met IN ('borrower', 'guarantor', 'representative')");
        }
        if let Some(outcome) = facts.outcome {
            let outcome = self.value(outcome.map(Disposition::as_str));
            self.add(&format!("v.disposition IS NOT DISTINCT FROM {outcome}"));
        }
        if let Some(reason) = facts.reason {
            let reason = self.value(reason.map(OverdueReason::as_str));
            self.add(&format!("v.overdue_reason IS NOT DISTINCT FROM {reason}"));
        }
        if let Some(dpd) = facts.dpd {
            let (least, most) = (self.value(dpd.least), self.value(dpd.most.unwrap_or(i64::MAX)));
            self.add(&format!("v.days_past_due BETWEEN {least} AND {most}"));
        }
        if let Some((state, today)) = &facts.promise {
            match state {
                PromiseState::Kept => self.add("v.promise_due IS NOT NULL AND NOT v.promise_open"),
                PromiseState::Pending => {
                    let today = self.value(today);
                    self.add(&format!("v.promise_open AND v.promise_due >= {today}"));
                }
                PromiseState::Broken => {
                    let today = self.value(today);
                    self.add(&format!("v.promise_open AND v.promise_due < {today}"));
                }
            }
        }
        if facts.rule.is_some() || facts.answer.is_some() {
            let rule = self.value(facts.rule.as_deref());
            let answer = self.value(facts.answer.map(Answer::as_str));
            self.add(&format!(
                "EXISTS (SELECT 1 FROM conduct k WHERE k.record = v.record AND NOT k.shadow
                         AND k.rule = coalesce({rule}, k.rule)
                         AND k.answer = coalesce({answer}, k.answer))"
            ));
        }
    }
}
