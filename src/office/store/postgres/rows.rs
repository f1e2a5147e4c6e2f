//! The plain rows of a record in PostgreSQL (rule M7).

use super::facts::{FACTS, facts};
use super::row::{Row, damaged};
use super::tx::Tx;
use super::value::values;
use crate::ids::RecordId;
use crate::office::store::{Rows, StoreError};
use crate::record::queue::{self, OpenPromise};
use crate::record::terms::{
    AppointmentStatus, Channel, ContactOutcome, Disposition, Flag, OverdueReason, ReviewStatus,
    Stage, TargetRole,
};
use crate::record::view::{Conflict, ConflictValue, ContactView, PaymentView, VisitSummary};

/// The columns that [`summary`] reads, of `visits` named `v`.
pub(super) const SUMMARY: &str = "v.record, v.case_no, v.borrower_name, v.address, v.product,
    v.overdue, v.currency, v.days_past_due, v.stage, v.starts_at, v.ends_at,
    v.appointment_status, v.due_by, v.priority, v.disposition, v.review_status, v.conflicts,
    ARRAY(SELECT flag FROM visit_holds h WHERE h.record = v.record),
    ARRAY(SELECT collector FROM visit_collectors c WHERE c.record = v.record ORDER BY collector),
    v.updated_at, v.accepted_at";

/// Due date and amount of an open promise, '' and 0 without one.
pub(super) const PROMISE: &str = "CASE WHEN v.promise_open THEN v.promise_due ELSE '' END,
    CASE WHEN v.promise_open THEN v.promise_amount ELSE 0 END";

/// The summary of a row, and when it was updated.
pub(super) fn summary(row: &Row) -> Result<(VisitSummary, i64), StoreError> {
    // In the order of `Flag::ALL`, as in a view.
    let active: Vec<&str> = row.get(17)?;
    let holds = Flag::ALL.iter().copied().filter(|flag| active.contains(&flag.as_str())).collect();
    let summary = VisitSummary {
        id: row.record_id(0)?.to_string(),
        case_no: row.get(1)?,
        borrower_name: row.get(2)?,
        address: row.get(3)?,
        product: row.get(4)?,
        overdue: row.get(5)?,
        currency: row.get(6)?,
        days_past_due: row.get(7)?,
        stage: row.word(8, Stage::parse)?,
        starts_at: row.get(9)?,
        ends_at: row.get(10)?,
        appointment_status: row.word_or_none(11, AppointmentStatus::parse)?,
        due_by: row.get(12)?,
        priority: row.get(13)?,
        disposition: row.word_or_none(14, Disposition::parse)?,
        review_status: row.word(15, ReviewStatus::parse)?,
        conflicts: small(row, 16)?,
        holds,
        collectors: row.get(18)?,
    };
    Ok((summary, row.get(19)?))
}

/// The promise in a row with the columns of [`SUMMARY`] and [`PROMISE`].
pub(super) fn promise(row: &Row) -> Result<Option<OpenPromise>, StoreError> {
    let promise = OpenPromise { due_date: row.get(21)?, amount: row.get(22)? };
    Ok(Some(promise).filter(|promise| !promise.due_date.is_empty()))
}

fn small<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, StoreError> {
    T::try_from(row.get(column)?).map_err(|_| damaged("a number"))
}

impl Tx<'_> {
    pub(super) fn read_rows(&mut self, id: RecordId) -> Result<Option<Rows>, StoreError> {
        let found = self.query_optional(
            &format!("SELECT {SUMMARY}, {FACTS} FROM visits v WHERE v.record = $1"),
            values![id.0],
            |row| {
                let (summary, updated_at) = summary(row)?;
                Ok((summary, updated_at, row.get(20)?, facts(row)?))
            },
        )?;
        let Some((summary, updated_at, accepted_at, facts)) = found else { return Ok(None) };
        let contacts = self.query_all(
            "SELECT id, at, zone, channel, number_ref, target_role, outcome, note, by_user
                 FROM contacts WHERE record = $1 ORDER BY id",
            values![id.0],
            contact,
        )?;
        let payments = self.query_all(
            "SELECT id, amount, at, channel, reference, receipt, by_user
                 FROM payments WHERE record = $1 ORDER BY id",
            values![id.0],
            payment,
        )?;
        let conflicts = self.read_conflicts(id)?;
        let attachments = self.read_attachments(id)?;
        Ok(Some(Rows {
            summary,
            contacts,
            payments,
            conflicts,
            attachments,
            updated_at,
            accepted_at,
            facts,
        }))
    }

    fn read_conflicts(&mut self, id: RecordId) -> Result<Vec<Conflict>, StoreError> {
        let lines = self.query_all(
            "SELECT path, value_id, value, by_user, at
                 FROM conflicts WHERE record = $1 ORDER BY path, n",
            values![id.0],
            |row| {
                let value =
                    serde_json::from_str(row.get(2)?).map_err(|_| damaged("a conflict's value"))?;
                let (id, by, at) = (row.get(1)?, row.get(3)?, row.get(4)?);
                Ok((row.get::<String>(0)?, ConflictValue { id, value, by, at }))
            },
        )?;
        let mut conflicts: Vec<Conflict> = Vec::new();
        for (path, value) in lines {
            match conflicts.last_mut() {
                Some(last) if last.path == path => last.values.push(value),
                _ => conflicts.push(Conflict { path, values: vec![value] }),
            }
        }
        Ok(conflicts)
    }

    /// Replaces the rows of a record. The server compares: rows that stay the same are not written.
    pub(super) fn write_rows(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        self.write_summary(id, rows)?;
        let summary = &rows.summary;
        let collectors: Vec<&str> = summary.collectors.iter().map(String::as_str).collect();
        self.write_set(id, "visit_collectors", "collector", collectors)?;
        let holds: Vec<&str> = summary.holds.iter().map(|flag| flag.as_str()).collect();
        self.write_set(id, "visit_holds", "flag", holds)?;
        self.write_contacts(id, &rows.contacts)?;
        self.write_payments(id, &summary.currency, &rows.payments)?;
        self.write_conflicts(id, &rows.conflicts)?;
        self.write_attachments(id, &rows.attachments)
    }

    fn write_set(
        &mut self,
        id: RecordId,
        table: &str,
        column: &str,
        values: Vec<&str>,
    ) -> Result<(), StoreError> {
        self.write(
            &format!("DELETE FROM {table} WHERE record = $1 AND {column} <> ALL ($2::text[])"),
            values![id.0, values.clone()],
        )?;
        if values.is_empty() {
            return Ok(());
        }
        self.write(
            &format!(
                "INSERT INTO {table} (record, {column}) SELECT $1, * FROM unnest($2::text[])
                 ON CONFLICT DO NOTHING"
            ),
            values![id.0, values],
        )
    }

    /// Deletes the entries of a record that are not among these ids.
    fn keep_only(&mut self, id: RecordId, table: &str, ids: Vec<&str>) -> Result<(), StoreError> {
        self.write(
            &format!("DELETE FROM {table} WHERE record = $1 AND id <> ALL ($2::text[])"),
            values![id.0, ids],
        )
    }

    fn write_contacts(&mut self, id: RecordId, entries: &[ContactView]) -> Result<(), StoreError> {
        self.keep_only(id, "contacts", texts(entries, |entry| &entry.id))?;
        if entries.is_empty() {
            return Ok(());
        }
        let at: Vec<i64> = entries.iter().map(|entry| entry.at).collect();
        self.write(
            "INSERT INTO contacts AS t (record, id, at, zone, channel, number_ref, target_role,
               outcome, note, by_user)
             SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
               $7::text[], $8::text[], $9::text[], $10::text[])
             ON CONFLICT (record, id) DO UPDATE SET at = excluded.at, zone = excluded.zone,
               channel = excluded.channel, number_ref = excluded.number_ref,
               target_role = excluded.target_role, outcome = excluded.outcome,
               note = excluded.note, by_user = excluded.by_user
             WHERE t.* IS DISTINCT FROM excluded.*",
            values![
                id.0,
                texts(entries, |entry| &entry.id),
                at,
                texts(entries, |entry| &entry.zone),
                texts(entries, |entry| entry.channel.as_str()),
                texts(entries, |entry| &entry.number_ref),
                texts(entries, |entry| entry.target_role.as_str()),
                texts(entries, |entry| entry.outcome.as_str()),
                texts(entries, |entry| &entry.note),
                texts(entries, |entry| &entry.by),
            ],
        )
    }

    fn write_payments(
        &mut self,
        id: RecordId,
        currency: &str,
        entries: &[PaymentView],
    ) -> Result<(), StoreError> {
        self.keep_only(id, "payments", texts(entries, |entry| &entry.id))?;
        if entries.is_empty() {
            return Ok(());
        }
        let amount: Vec<i64> = entries.iter().map(|entry| entry.amount).collect();
        let at: Vec<i64> = entries.iter().map(|entry| entry.at).collect();
        self.write(
            "INSERT INTO payments AS t (record, id, amount, currency, at, channel, reference,
               receipt, by_user)
             SELECT $1, e.id, e.amount, $2, e.at, e.channel, e.reference, e.receipt, e.by_user
             FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
               $8::text[], $9::text[])
               AS e (id, amount, at, channel, reference, receipt, by_user)
             ON CONFLICT (record, id) DO UPDATE SET amount = excluded.amount,
               currency = excluded.currency, at = excluded.at, channel = excluded.channel,
               reference = excluded.reference, receipt = excluded.receipt,
               by_user = excluded.by_user
             WHERE t.* IS DISTINCT FROM excluded.*",
            values![
                id.0,
                currency,
                texts(entries, |entry| &entry.id),
                amount,
                at,
                texts(entries, |entry| &entry.channel),
                texts(entries, |entry| &entry.reference),
                texts(entries, |entry| &entry.receipt),
                texts(entries, |entry| &entry.by),
            ],
        )
    }

    fn write_summary(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        let (row, facts) = (&rows.summary, &rows.facts);
        let promise = facts.promise.as_ref();
        self.write(
            "INSERT INTO visits (record, case_no, borrower_name, address, product, overdue,
               currency, days_past_due, stage, starts_at, ends_at, appointment_status, due_by,
               priority, disposition, review_status, conflicts, updated_at, accepted_at,
               arrived_at, person_met, overdue_reason, promise_amount, promise_due, promise_open,
               area)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
               $18, $19, $20, $21, $22, $23, $24, $25, $26)
             ON CONFLICT (record) DO UPDATE SET case_no = excluded.case_no,
               borrower_name = excluded.borrower_name, address = excluded.address,
               product = excluded.product, overdue = excluded.overdue,
               currency = excluded.currency, days_past_due = excluded.days_past_due,
               stage = excluded.stage, starts_at = excluded.starts_at,
               ends_at = excluded.ends_at, appointment_status = excluded.appointment_status,
               due_by = excluded.due_by, priority = excluded.priority,
               disposition = excluded.disposition, review_status = excluded.review_status,
               conflicts = excluded.conflicts, updated_at = excluded.updated_at,
               accepted_at = excluded.accepted_at, arrived_at = excluded.arrived_at,
               person_met = excluded.person_met, overdue_reason = excluded.overdue_reason,
               promise_amount = excluded.promise_amount, promise_due = excluded.promise_due,
               promise_open = excluded.promise_open, area = excluded.area, expired = false",
            values![
                id.0,
                &row.case_no,
                &row.borrower_name,
                &row.address,
                &row.product,
                row.overdue,
                &row.currency,
                row.days_past_due,
                row.stage.as_str(),
                row.starts_at,
                row.ends_at,
                row.appointment_status.map(AppointmentStatus::as_str),
                &row.due_by,
                row.priority,
                row.disposition.map(Disposition::as_str),
                row.review_status.as_str(),
                row.conflicts,
                rows.updated_at,
                rows.accepted_at,
                facts.arrived_at,
                facts.person_met.map(TargetRole::as_str),
                facts.overdue_reason.map(OverdueReason::as_str),
                promise.map(|promise| promise.amount),
                promise.map(|promise| promise.due.as_str()),
                promise.is_some_and(|promise| promise.open),
                queue::area(&row.address),
            ],
        )
    }

    fn write_conflicts(&mut self, id: RecordId, conflicts: &[Conflict]) -> Result<(), StoreError> {
        self.write("DELETE FROM conflicts WHERE record = $1", values![id.0])?;
        for conflict in conflicts {
            for (n, value) in (0u64..).zip(&conflict.values) {
                let json = serde_json::to_string(&value.value)
                    .map_err(|_| damaged("a conflict's value"))?;
                self.write(
                    "INSERT INTO conflicts (record, path, n, value_id, value, by_user, at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    values![id.0, &conflict.path, n, &value.id, json, &value.by, value.at],
                )?;
            }
        }
        Ok(())
    }
}

/// One column of some entries.
fn texts<'e, E>(entries: &'e [E], column: impl Fn(&'e E) -> &'e str) -> Vec<&'e str> {
    entries.iter().map(column).collect()
}

fn contact(row: &Row) -> Result<ContactView, StoreError> {
    Ok(ContactView {
        id: row.get(0)?,
        at: row.get(1)?,
        zone: row.get(2)?,
        channel: row.word(3, Channel::parse)?,
        number_ref: row.get(4)?,
        target_role: row.word(5, TargetRole::parse)?,
        outcome: row.word(6, ContactOutcome::parse)?,
        note: row.get(7)?,
        by: row.get(8)?,
    })
}

fn payment(row: &Row) -> Result<PaymentView, StoreError> {
    Ok(PaymentView {
        id: row.get(0)?,
        amount: row.get(1)?,
        at: row.get(2)?,
        channel: row.get(3)?,
        reference: row.get(4)?,
        receipt: row.get(5)?,
        by: row.get(6)?,
    })
}
