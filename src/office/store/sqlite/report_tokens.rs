//! Tokens of reports in SQLite.

use rusqlite::Row;

use super::Tx;
use crate::office::store::{
    ReportToken, ReportTokenReads, ReportTokenWrites, StoreError, TokenHash,
};

const COLUMNS: &str = "id, hash, user, name, created_at, expires_at, used_at";

impl ReportTokenReads for Tx<'_> {
    fn report_tokens(&mut self, user: &str) -> Result<Vec<ReportToken>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM report_tokens WHERE user = ?1 ORDER BY created_at, id");
        self.query_all(&sql, [user], token)
    }

    fn report_token(&mut self, hash: &TokenHash) -> Result<Option<ReportToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM report_tokens WHERE hash = ?1");
        self.query_optional(&sql, [hash], token)
    }
}

impl ReportTokenWrites for Tx<'_> {
    fn add_report_token(&mut self, token: &ReportToken) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO report_tokens (id, hash, user, name, created_at, expires_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                token.id,
                token.hash,
                &token.user,
                &token.name,
                token.created_at,
                token.expires_at,
                token.used_at,
            ),
        )?;
        Ok(())
    }

    fn note_report_token(&mut self, id: [u8; 16], at: i64) -> Result<(), StoreError> {
        self.write("UPDATE report_tokens SET used_at = ?2 WHERE id = ?1", (id, at))?;
        Ok(())
    }

    fn delete_report_token(&mut self, id: [u8; 16], user: &str) -> Result<u64, StoreError> {
        self.write("DELETE FROM report_tokens WHERE id = ?1 AND user = ?2", (id, user))
    }
}

fn token(row: &Row<'_>) -> rusqlite::Result<ReportToken> {
    Ok(ReportToken {
        id: row.get(0)?,
        hash: row.get(1)?,
        user: row.get(2)?,
        name: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        used_at: row.get(6)?,
    })
}
