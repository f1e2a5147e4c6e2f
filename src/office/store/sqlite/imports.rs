//! Imports in SQLite.

use rusqlite::Row;

use super::Tx;
use super::convert::{number, to_sql};
use crate::office::store::{ImportReads, ImportRow, ImportWrites, StoreError, StoredImport};

const COLUMNS: &str = "id, user, created_at, claimed_until, state";

impl ImportReads for Tx<'_> {
    fn import(&mut self, id: [u8; 16]) -> Result<Option<StoredImport>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM imports WHERE id = ?1");
        self.query_optional(&sql, [id], import)
    }

    fn imports_of(&mut self, user: &str) -> Result<Vec<StoredImport>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM imports WHERE user = ?1 ORDER BY created_at DESC, id DESC"
        );
        self.query_all(&sql, [user], import)
    }

    fn import_file(&mut self, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
        self.query_optional("SELECT file FROM import_files WHERE import = ?1", [id], |row| {
            row.get(0)
        })
    }

    fn import_rows(
        &mut self,
        id: [u8; 16],
        outcome: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportRow>, StoreError> {
        let filter = if outcome.is_empty() { "?2 = ''" } else { "outcome = ?2" };
        let sql = format!(
            "SELECT number, outcome, report FROM import_rows
             WHERE import = ?1 AND {filter} AND number > ?3 ORDER BY number LIMIT ?4"
        );
        self.query_all(&sql, (id, outcome, to_sql(after), limit), |row| {
            Ok(ImportRow { row: number(row, 0)?, outcome: row.get(1)?, report: row.get(2)? })
        })
    }

    fn abandoned_imports(&mut self, at: i64) -> Result<Vec<[u8; 16]>, StoreError> {
        self.query_all(
            "SELECT id FROM imports WHERE claimed_until <= ?1 ORDER BY created_at",
            [at],
            |row| row.get(0),
        )
    }

    fn import_columns(&mut self, user: &str) -> Result<Vec<String>, StoreError> {
        self.query_all(
            "SELECT columns FROM import_columns ORDER BY user = ?1 DESC, at DESC LIMIT 2",
            [user],
            |row| row.get(0),
        )
    }
}

impl ImportWrites for Tx<'_> {
    fn add_import(&mut self, import: &StoredImport, file: &[u8]) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO imports (id, user, created_at, claimed_until, state)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (import.id, &import.user, import.created_at, import.claimed_until, &import.state),
        )?;
        self.write("INSERT INTO import_files (import, file) VALUES (?1, ?2)", (import.id, file))?;
        Ok(())
    }

    fn update_import(&mut self, import: &StoredImport) -> Result<(), StoreError> {
        self.write(
            "UPDATE imports SET claimed_until = ?2, state = ?3 WHERE id = ?1",
            (import.id, import.claimed_until, &import.state),
        )?;
        Ok(())
    }

    fn replace_import_rows(
        &mut self,
        id: [u8; 16],
        first: u64,
        last: u64,
        rows: &[ImportRow],
    ) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM import_rows WHERE import = ?1 AND number BETWEEN ?2 AND ?3",
            (id, to_sql(first), to_sql(last)),
        )?;
        for row in rows {
            self.write(
                "INSERT INTO import_rows (import, number, outcome, report) VALUES (?1, ?2, ?3, ?4)",
                (id, to_sql(row.row), &row.outcome, &row.report),
            )?;
        }
        Ok(())
    }

    fn delete_import(&mut self, id: [u8; 16]) -> Result<(), StoreError> {
        self.write("DELETE FROM imports WHERE id = ?1", [id])?;
        Ok(())
    }

    fn delete_imports_before(&mut self, at: i64) -> Result<(), StoreError> {
        self.write("DELETE FROM imports WHERE created_at < ?1", [at])?;
        Ok(())
    }

    fn put_import_columns(&mut self, user: &str, columns: &str, at: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO import_columns (user, columns, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (user) DO UPDATE SET columns = excluded.columns, at = excluded.at",
            (user, columns, at),
        )?;
        Ok(())
    }
}

fn import(row: &Row<'_>) -> rusqlite::Result<StoredImport> {
    Ok(StoredImport {
        id: row.get(0)?,
        user: row.get(1)?,
        created_at: row.get(2)?,
        claimed_until: row.get(3)?,
        state: row.get(4)?,
    })
}
