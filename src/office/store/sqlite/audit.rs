//! The audit log in SQLite. Triggers refuse changes of its rows.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::Tx;
use super::convert::{device_id, number, to_sql};
use crate::office::store::{AuditEntry, AuditFilter, AuditReads, AuditWrites, StoreError};

const COLUMNS: &str = "seq, at, user, role, session, action, subject, detail, previous, hash";

impl AuditReads for Tx<'_> {
    fn last_audit_entry(&mut self) -> Result<Option<AuditEntry>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1");
        self.query_optional(&sql, (), entry)
    }

    fn audit_page(&mut self, asked: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let mut filter = String::from("1");
        let mut values = Vec::new();
        let mut add = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                filter.push_str(" AND ");
                filter.push_str(condition);
                values.push(value);
            }
        };
        add("user = ?", asked.user.clone().map(Value::Text));
        add("action = ?", asked.action.clone().map(Value::Text));
        add("subject = ?", asked.subject.clone().map(Value::Text));
        add("at >= ?", asked.from.map(Value::Integer));
        add("at < ?", asked.until.map(Value::Integer));
        add("seq < ?", asked.before.map(|seq| Value::Integer(to_sql(seq))));
        values.push(Value::Integer(asked.limit.into()));
        self.query_all(
            &format!("SELECT {COLUMNS} FROM audit WHERE {filter} ORDER BY seq DESC LIMIT ?"),
            params_from_iter(&values),
            entry,
        )
    }

    fn audit_after(&mut self, seq: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.query_all(
            &format!("SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
            (to_sql(seq), limit),
            entry,
        )
    }
}

impl AuditWrites for Tx<'_> {
    fn append_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write(
            &format!(
                "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
            ),
            (
                to_sql(entry.seq),
                entry.at,
                &entry.user,
                &entry.role,
                entry.session.0,
                &entry.action,
                &entry.subject,
                &entry.detail,
                entry.previous,
                entry.hash,
            ),
        )
        .map(drop)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        seq: number(row, 0)?,
        at: row.get(1)?,
        user: row.get(2)?,
        role: row.get(3)?,
        session: device_id(row, 4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        detail: row.get(7)?,
        previous: row.get(8)?,
        hash: row.get(9)?,
    })
}
