//! The plain rows of a record in SQLite (rule M7).

use rusqlite::{OptionalExtension, Row};

use super::Tx;
use super::convert::{contact, damaged, failed, payment, to_sql, word, word_or_none};
use super::facts::{FACTS, facts};
use super::search::search_text;
use crate::ids::RecordId;
use crate::office::store::{Rows, StoreError};
use crate::record::queue::OpenPromise;
use crate::record::terms::{
    AppointmentStatus, Disposition, Flag, OverdueReason, ReviewStatus, Stage, TargetRole,
};
use crate::record::view::{Conflict, ConflictValue, ContactView, PaymentView, VisitSummary};

/// The columns that [`summary`] reads, of `visits` named `v`. Lists are joined by line ends, which
/// neither flags nor sign-in names contain.
pub(super) const SUMMARY: &str = "v.record, v.case_no, v.borrower_name, v.address, v.product,
    v.overdue, v.currency, v.days_past_due, v.stage, v.starts_at, v.ends_at,
    v.appointment_status, v.due_by, v.priority, v.disposition, v.review_status, v.conflicts,
    (SELECT group_concat(flag, char(10) ORDER BY flag) FROM visit_holds h WHERE h.record = v.record),
    (SELECT group_concat(collector, char(10) ORDER BY collector)
     FROM visit_collectors c WHERE c.record = v.record),
    v.updated_at, v.accepted_at";

/// Due date and amount of an open promise, '' and 0 without one.
pub(super) const PROMISE: &str =
    "iif(v.promise_open, v.promise_due, ''), iif(v.promise_open, v.promise_amount, 0)";

/// The summary of a row, and when it was updated.
pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<(VisitSummary, i64)> {
    let lines = |column: usize| -> rusqlite::Result<Vec<String>> {
        let joined: Option<String> = row.get(column)?;
        Ok(joined.map_or(Vec::new(), |text| text.lines().map(str::to_owned).collect()))
    };
    // In the order of `Flag::ALL`, as in a view.
    let active = lines(17)?;
    let holds = Flag::ALL
        .iter()
        .copied()
        .filter(|flag| active.iter().any(|word| word == flag.as_str()))
        .collect();
    let summary = VisitSummary {
        id: RecordId(row.get(0)?).to_string(),
        case_no: row.get(1)?,
        borrower_name: row.get(2)?,
        address: row.get(3)?,
        product: row.get(4)?,
        overdue: row.get(5)?,
        currency: row.get(6)?,
        days_past_due: row.get(7)?,
        stage: word(row, 8, Stage::parse)?,
        starts_at: row.get(9)?,
        ends_at: row.get(10)?,
        appointment_status: word_or_none(row, 11, AppointmentStatus::parse)?,
        due_by: row.get(12)?,
        priority: row.get(13)?,
        disposition: word_or_none(row, 14, Disposition::parse)?,
        review_status: word(row, 15, ReviewStatus::parse)?,
        conflicts: row.get(16)?,
        holds,
        collectors: lines(18)?,
    };
    Ok((summary, row.get(19)?))
}

/// The promise in a row with the columns of [`SUMMARY`] and [`PROMISE`].
pub(super) fn promise(row: &Row<'_>) -> rusqlite::Result<Option<OpenPromise>> {
    let promise = OpenPromise { due_date: row.get(21)?, amount: row.get(22)? };
    Ok(Some(promise).filter(|promise| !promise.due_date.is_empty()))
}

impl Tx<'_> {
    pub(super) fn read_rows(&mut self, id: RecordId) -> Result<Option<Rows>, StoreError> {
        let found = self
            .connection
            .prepare_cached(&format!("SELECT {SUMMARY}, {FACTS} FROM visits v WHERE v.record = ?1"))
            .and_then(|mut statement| {
                let read = |row: &Row<'_>| {
                    let (summary, updated_at) = summary(row)?;
                    Ok((summary, updated_at, row.get(20)?, facts(row)?))
                };
                statement.query_row([id.0], read).optional()
            })
            .map_err(failed)?;
        let Some((summary, updated_at, accepted_at, facts)) = found else { return Ok(None) };
        let contacts = self.query_all(
            "SELECT id, at, zone, channel, number_ref, target_role, outcome, note, by_user
                 FROM contacts WHERE record = ?1 ORDER BY id",
            [id.0],
            contact,
        )?;
        let payments = self.query_all(
            "SELECT id, amount, at, channel, reference, receipt, by_user
                 FROM payments WHERE record = ?1 ORDER BY id",
            [id.0],
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
        type Line = (String, String, String, String, i64);
        let lines: Vec<Line> = self.query_all(
            "SELECT path, value_id, value, by_user, at
                 FROM conflicts WHERE record = ?1 ORDER BY path, n",
            [id.0],
            |row| row.try_into(),
        )?;
        let mut conflicts: Vec<Conflict> = Vec::new();
        for (path, id, value, by, at) in lines {
            let value = serde_json::from_str(&value).map_err(|_| damaged("a conflict's value"))?;
            let value = ConflictValue { id, value, by, at };
            match conflicts.last_mut() {
                Some(last) if last.path == path => last.values.push(value),
                _ => conflicts.push(Conflict { path, values: vec![value] }),
            }
        }
        Ok(conflicts)
    }

    /// Replaces the rows of a record. Most changes touch one field or entry, so rows that stay the
    /// same are read and not written.
    pub(super) fn write_rows(&mut self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        // Rows that cannot be read must not keep work out: they are replaced.
        match self.read_rows(id).ok().flatten() {
            // Each row of a payment repeats the currency.
            Some(old) if old.summary.currency == rows.summary.currency => {
                self.update_rows(id, &old, rows)
            }
            Some(_) | None => self.replace_rows(id, rows),
        }
    }

    fn replace_rows(&self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        for table in ["visit_collectors", "visit_holds", "contacts", "payments", "conflicts"] {
            self.write(&format!("DELETE FROM {table} WHERE record = ?1"), [id.0])?;
        }
        self.write_summary(id, rows)?;
        self.write_search(id, &rows.summary)?;
        self.write_collectors(id, &rows.summary.collectors)?;
        self.write_holds(id, &rows.summary.holds)?;
        self.write_contacts(id, &rows.contacts)?;
        self.write_payments(id, &rows.summary.currency, &rows.payments)?;
        self.write_conflicts(id, &rows.conflicts)?;
        self.write_attachments(id, &rows.attachments)
    }

    /// Writes what differs.
    fn update_rows(&self, id: RecordId, old: &Rows, new: &Rows) -> Result<(), StoreError> {
        let (before, after) = (&old.summary, &new.summary);
        if indexed(old) == indexed(new) {
            self.update_summary(id, new)?;
            if before.starts_at != after.starts_at || old.facts != new.facts {
                self.update_facts(id, new)?;
            }
        } else {
            self.write_summary(id, new)?;
        }
        if search_text(before) != search_text(after) {
            self.write_search(id, after)?;
        }
        if before.collectors != after.collectors {
            self.write("DELETE FROM visit_collectors WHERE record = ?1", [id.0])?;
            self.write_collectors(id, &after.collectors)?;
        }
        if before.holds != after.holds {
            self.write("DELETE FROM visit_holds WHERE record = ?1", [id.0])?;
            self.write_holds(id, &after.holds)?;
        }
        let contacts = Difference::of(&old.contacts, &new.contacts, |entry| &entry.id);
        for id_of_entry in contacts.gone {
            let key = (id.0, id_of_entry);
            self.write("DELETE FROM contacts WHERE record = ?1 AND id = ?2", key)?;
        }
        self.write_contacts(id, contacts.written)?;
        let payments = Difference::of(&old.payments, &new.payments, |entry| &entry.id);
        for id_of_entry in payments.gone {
            let key = (id.0, id_of_entry);
            self.write("DELETE FROM payments WHERE record = ?1 AND id = ?2", key)?;
        }
        self.write_payments(id, &after.currency, payments.written)?;
        if old.conflicts != new.conflicts {
            self.write("DELETE FROM conflicts WHERE record = ?1", [id.0])?;
            self.write_conflicts(id, &new.conflicts)?;
        }
        if old.attachments != new.attachments {
            self.write_attachments(id, &new.attachments)?;
        }
        Ok(())
    }

    fn write_collectors(&self, id: RecordId, collectors: &[String]) -> Result<(), StoreError> {
        for collector in collectors {
            self.write("INSERT INTO visit_collectors VALUES (?1, ?2)", (id.0, collector))?;
        }
        Ok(())
    }

    fn write_holds(&self, id: RecordId, holds: &[Flag]) -> Result<(), StoreError> {
        for flag in holds {
            self.write("INSERT INTO visit_holds VALUES (?1, ?2)", (id.0, flag.as_str()))?;
        }
        Ok(())
    }

    fn write_contacts<'e>(
        &self,
        id: RecordId,
        contacts: impl IntoIterator<Item = &'e ContactView>,
    ) -> Result<(), StoreError> {
        for entry in contacts {
            self.write(
                "INSERT OR REPLACE INTO contacts (record, id, at, zone, channel, number_ref,
                   target_role, outcome, note, by_user)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                (
                    id.0,
                    &entry.id,
                    entry.at,
                    &entry.zone,
                    entry.channel.as_str(),
                    &entry.number_ref,
                    entry.target_role.as_str(),
                    entry.outcome.as_str(),
                    &entry.note,
                    &entry.by,
                ),
            )?;
        }
        Ok(())
    }

    fn write_payments<'e>(
        &self,
        id: RecordId,
        currency: &str,
        payments: impl IntoIterator<Item = &'e PaymentView>,
    ) -> Result<(), StoreError> {
        for entry in payments {
            self.write(
                "INSERT OR REPLACE INTO payments (record, id, amount, currency, at, channel,
                   reference, receipt, by_user) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (
                    id.0,
                    &entry.id,
                    entry.amount,
                    currency,
                    entry.at,
                    &entry.channel,
                    &entry.reference,
                    &entry.receipt,
                    &entry.by,
                ),
            )?;
        }
        Ok(())
    }

    fn write_summary(&self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        let (row, facts) = (&rows.summary, &rows.facts);
        let promise = facts.promise.as_ref();
        let queue_key = self.read_queue_order()?.sort_key(row, rows.open_promise().as_ref());
        self.write(
            "INSERT OR REPLACE INTO visits (record, case_no, borrower_name, address, product,
               overdue, currency, days_past_due, stage, starts_at, ends_at, appointment_status,
               due_by, priority, disposition, review_status, conflicts, updated_at,
               accepted_at, arrived_at, person_met, overdue_reason, promise_amount, promise_due,
               promise_open, unassigned, held, queue_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
               ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)",
            rusqlite::params![
                id.0,
                row.case_no,
                row.borrower_name,
                row.address,
                row.product,
                row.overdue,
                row.currency,
                row.days_past_due,
                row.stage.as_str(),
                row.starts_at,
                row.ends_at,
                row.appointment_status.map(AppointmentStatus::as_str),
                row.due_by,
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
                promise.map(|promise| &promise.due),
                promise.is_some_and(|promise| promise.open),
                row.collectors.is_empty(),
                !row.holds.is_empty(),
                queue_key,
            ],
        )
        .map(drop)
    }

    /// The same for a row whose [`indexed`] columns stay, without the facts of the report: naming
    /// them would rewrite their indexes.
    fn update_summary(&self, id: RecordId, rows: &Rows) -> Result<(), StoreError> {
        let row = &rows.summary;
        self.write(
            "UPDATE visits SET borrower_name = ?2, product = ?3, currency = ?4, ends_at = ?5,
               appointment_status = ?6, disposition = ?7, updated_at = ?8, accepted_at = ?9, expired = 0
             WHERE record = ?1",
            rusqlite::params![
                id.0,
                row.borrower_name,
                row.product,
                row.currency,
                row.ends_at,
                row.appointment_status.map(AppointmentStatus::as_str),
                row.disposition.map(Disposition::as_str),
                rows.updated_at,
                rows.accepted_at,
            ],
        )
        .map(drop)
    }

    fn write_conflicts(&self, id: RecordId, conflicts: &[Conflict]) -> Result<(), StoreError> {
        for conflict in conflicts {
            for (n, value) in (0u64..).zip(&conflict.values) {
                let json = serde_json::to_string(&value.value)
                    .map_err(|_| damaged("a conflict's value"))?;
                self.write(
                    "INSERT INTO conflicts (record, path, n, value_id, value, by_user, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    (id.0, &conflict.path, to_sql(n), &value.id, json, &value.by, value.at),
                )?;
            }
        }
        Ok(())
    }
}

/// What indexes of `visits` depend on, apart from the time of the update. Order rules read the
/// address, the priority and the age.
fn indexed(rows: &Rows) -> impl PartialEq {
    let row = &rows.summary;
    (
        (row.case_no.clone(), row.due_by.clone(), row.overdue, row.stage, row.review_status),
        (row.conflicts, row.collectors.is_empty(), row.holds.is_empty()),
        (row.address.clone(), row.priority, row.days_past_due, rows.open_promise()),
    )
}

/// What turns one list of entries into another; both are in order of their ids.
struct Difference<'e, E> {
    /// Ids of entries that are gone.
    gone: Vec<&'e str>,
    /// Entries that are new or have changed.
    written: Vec<&'e E>,
}

impl<'e, E: PartialEq> Difference<'e, E> {
    fn of(old: &'e [E], new: &'e [E], id: fn(&E) -> &String) -> Self {
        let find = |entries: &'e [E], entry: &E| {
            let found = entries.binary_search_by(|other| id(other).cmp(id(entry)));
            found.ok().and_then(|at| entries.get(at))
        };
        let gone = old.iter().filter(|entry| find(new, entry).is_none());
        let written = new.iter().filter(|entry| find(old, entry) != Some(*entry));
        Self { gone: gone.map(|entry| id(entry).as_str()).collect(), written: written.collect() }
    }
}
