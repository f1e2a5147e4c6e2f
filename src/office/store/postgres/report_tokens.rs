//! Tokens of reports in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::office::store::{
    ReportToken, ReportTokenReads, ReportTokenWrites, StoreError, TokenHash,
};

const COLUMNS: &str = "id, hash, user_name, name, created_at, expires_at, used_at";

impl ReportTokenReads for Tx<'_> {
    fn report_tokens(&mut self, user: &str) -> Result<Vec<ReportToken>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM report_tokens WHERE user_name = $1 ORDER BY created_at, id"
        );
        self.query_all(&sql, values![user], token)
    }

    fn report_token(&mut self, hash: &TokenHash) -> Result<Option<ReportToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM report_tokens WHERE hash = $1");
        self.query_optional(&sql, values![hash], token)
    }
}

impl ReportTokenWrites for Tx<'_> {
    fn add_report_token(&mut self, token: &ReportToken) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO report_tokens (id, hash, user_name, name, created_at, expires_at, used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                token.id,
                token.hash,
                &token.user,
                &token.name,
                token.created_at,
                token.expires_at,
                token.used_at,
            ],
        )
    }

    fn note_report_token(&mut self, id: [u8; 16], at: i64) -> Result<(), StoreError> {
        self.write("UPDATE report_tokens SET used_at = $2 WHERE id = $1", values![id, at])
    }

    fn delete_report_token(&mut self, id: [u8; 16], user: &str) -> Result<u64, StoreError> {
        self.write_now(
            "DELETE FROM report_tokens WHERE id = $1 AND user_name = $2",
            values![id, user],
        )
    }
}

fn token(row: &Row) -> Result<ReportToken, StoreError> {
    Ok(ReportToken {
        id: row.fixed(0)?,
        hash: row.fixed(1)?,
        user: row.get(2)?,
        name: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        used_at: row.get(6)?,
    })
}
