//! The columns of `visits` that the dashboard counts.

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::Tx;
use super::convert::{failed, word_or_none};
use super::filters::{Filter, text};
use crate::conduct::terms::Answer;
use crate::ids::RecordId;
use crate::office::store::{
    Event, FactFilter, Period, PromiseFact, PromiseState, ReportFacts, Rows, StoreError,
};
use crate::record::terms::{Disposition, OverdueReason, TargetRole};

/// The columns that [`facts`] reads, behind those of the summary.
pub(super) const FACTS: &str = "v.arrived_at, v.person_met, v.overdue_reason, v.promise_amount,
    v.promise_due, v.promise_open";

/// The facts of a row.
pub(super) fn facts(row: &Row<'_>) -> rusqlite::Result<ReportFacts> {
    let promise = match (row.get(24)?, row.get(25)?) {
        (Some(amount), Some(due)) => Some(PromiseFact { amount, due, open: row.get(26)? }),
        (None, _) | (_, None) => None,
    };
    Ok(ReportFacts {
        arrived_at: row.get(21)?,
        person_met: word_or_none(row, 22, TargetRole::parse)?,
        overdue_reason: word_or_none(row, 23, OverdueReason::parse)?,
        promise,
    })
}

/// Writes the facts of a row.
pub(super) fn put_facts(
    connection: &Connection,
    record: &[u8],
    facts: &ReportFacts,
) -> rusqlite::Result<()> {
    let promise = facts.promise.as_ref();
    connection
        .prepare_cached(
            "UPDATE visits SET arrived_at = ?2, person_met = ?3, overdue_reason = ?4,
               promise_amount = ?5, promise_due = ?6, promise_open = ?7 WHERE record = ?1",
        )?
        .execute(rusqlite::params![
            record,
            facts.arrived_at,
            facts.person_met.map(TargetRole::as_str),
            facts.overdue_reason.map(OverdueReason::as_str),
            promise.map(|promise| promise.amount),
            promise.map(|promise| &promise.due),
            promise.is_some_and(|promise| promise.open),
        ])
        .map(drop)
}

impl Tx<'_> {
    /// Writes the indexed columns that an update of the summary leaves out.
    pub(super) fn update_facts(&self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        self.write(
            "UPDATE visits SET starts_at = ?2 WHERE record = ?1",
            (id.0, rows.summary.starts_at),
        )?;
        put_facts(self.connection, &id.0, &rows.facts).map_err(failed)
    }
}

impl Filter {
    /// Restricts `visits v` to records with an event in a period.
    pub(super) fn add_event(&mut self, event: Event, period: &Period) {
        let times = [Value::Integer(period.start), Value::Integer(period.end)];
        let dates = [text(&period.from), text(&period.to)];
        match event {
            Event::Planned => self.add(
                "v.starts_at >= ? AND v.starts_at < ? AND v.appointment_status = 'agreed'",
                times,
            ),
            Event::Visited => self.add("v.arrived_at >= ? AND v.arrived_at < ?", times),
            Event::Contacted => self.add(
                "v.record IN (SELECT record FROM contacts INDEXED BY contacts_by_time
                              WHERE at >= ? AND at < ? AND outcome <> 'sent')",
                times,
            ),
            Event::Reached => self.add(
                "v.record IN (SELECT record FROM contacts INDEXED BY contacts_by_time
                              WHERE at >= ? AND at < ? AND outcome = 'reached')",
                times,
            ),
            Event::Promised => self.add("v.promise_due >= ? AND v.promise_due <= ?", dates),
            Event::Due => {
                self.add("v.due_key >= ? AND v.due_key <= ? AND v.stage <> 'reviewed'", dates);
            }
        }
    }

    /// Adds the conditions over facts.
    pub(super) fn add_facts(&mut self, facts: &FactFilter) {
        if let Some((event, period)) = &facts.event {
            self.add_event(*event, period);
        }
        if facts.visited {
            self.add("v.arrived_at IS NOT NULL", []);
        }
        if facts.met {
            self.add("v.person_met IN ('borrower', 'guarantor', 'representative')", []);
        }
        // `IS` compares with NULL too.
        let word = |word: Option<&'static str>| word.map_or(Value::Null, text);
        if let Some(outcome) = facts.outcome {
            self.add("v.disposition IS ?", [word(outcome.map(Disposition::as_str))]);
        }
        if let Some(reason) = facts.reason {
            self.add("v.overdue_reason IS ?", [word(reason.map(OverdueReason::as_str))]);
        }
        if let Some(dpd) = facts.dpd {
            let range = [dpd.least, dpd.most.unwrap_or(i64::MAX)].map(Value::Integer);
            self.add("v.days_past_due BETWEEN ? AND ?", range);
        }
        if let Some((state, today)) = &facts.promise {
            let today = [text(today)];
            match state {
                PromiseState::Kept => {
                    self.add("v.promise_due IS NOT NULL AND v.promise_open = 0", []);
                }
                PromiseState::Pending => {
                    self.add("v.promise_open = 1 AND v.promise_due >= ?", today)
                }
                PromiseState::Broken => self.add("v.promise_open = 1 AND v.promise_due < ?", today),
            }
        }
        if facts.rule.is_some() || facts.answer.is_some() {
            let rule = facts.rule.as_deref().map_or(Value::Null, text);
            let answer = facts.answer.map(Answer::as_str).map_or(Value::Null, text);
            self.add(
                "EXISTS (SELECT 1 FROM conduct k WHERE k.record = v.record AND k.shadow = 0
                         AND k.rule = coalesce(?, k.rule) AND k.answer = coalesce(?, k.answer))",
                [rule, answer],
            );
        }
    }
}
