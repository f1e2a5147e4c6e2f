//! The columns of `visits` that the dashboard counts.

use rusqlite::{Connection, Row};

use super::Tx;
use super::convert::{failed, word_or_none};
use crate::ids::RecordId;
use crate::office::store::{PromiseFact, ReportFacts, Rows, StoreError};
use crate::record::terms::{OverdueReason, TargetRole};

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
