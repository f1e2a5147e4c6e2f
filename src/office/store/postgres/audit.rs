//! The audit log in PostgreSQL. A trigger refuses changes of its rows.

use super::listing::Filter;
use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::office::store::{AuditEntry, AuditFilter, AuditReads, AuditWrites, StoreError};

const COLUMNS: &str = "seq, at, user_name, role, session, action, subject, detail, previous, hash";

impl AuditReads for Tx<'_> {
    fn last_audit_entry(&mut self) -> Result<Option<AuditEntry>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1");
        self.query_optional(&sql, values![], entry)
    }

    fn audit_page(&mut self, asked: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let mut filter = Filter::default();
        for (column, wanted) in
            [("user_name", &asked.user), ("action", &asked.action), ("subject", &asked.subject)]
        {
            if let Some(wanted) = wanted {
                let wanted = filter.value(wanted);
                filter.add(&format!("{column} = {wanted}"));
            }
        }
        if let Some(from) = asked.from {
            let from = filter.value(from);
            filter.add(&format!("at >= {from}"));
        }
        if let Some(until) = asked.until {
            let until = filter.value(until);
            filter.add(&format!("at < {until}"));
        }
        if let Some(before) = asked.before {
            let before = filter.value(before);
            filter.add(&format!("seq < {before}"));
        }
        let limit = filter.value(asked.limit);
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY seq DESC LIMIT {limit}",
            filter.sql
        );
        self.query_all(&sql, filter.values, entry)
    }

    fn audit_after(&mut self, seq: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.query_all(
            &format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2"),
            values![seq, limit],
            entry,
        )
    }
}

impl AuditWrites for Tx<'_> {
    fn append_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write(
            &format!(
                "INSERT INTO audit ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            ),
            values![
                entry.seq,
                entry.at,
                &entry.user,
                &entry.role,
                entry.session.0,
                &entry.action,
                &entry.subject,
                &entry.detail,
                entry.previous,
                entry.hash,
            ],
        )
    }
}

fn entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        seq: row.number(0)?,
        at: row.get(1)?,
        user: row.get(2)?,
        role: row.get(3)?,
        session: row.device_id(4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        detail: row.get(7)?,
        previous: row.fixed(8)?,
        hash: row.fixed(9)?,
    })
}
