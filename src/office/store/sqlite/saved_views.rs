//! Saved views in SQLite.

use rusqlite::Row;

use super::Tx;
use crate::office::store::{SavedView, SavedViewReads, SavedViewWrites, StoreError};

const COLUMNS: &str = "id, owner, name, search, shared";

impl SavedViewReads for Tx<'_> {
    fn saved_views(&mut self, user: &str) -> Result<Vec<SavedView>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM saved_views WHERE owner = ?1 OR shared ORDER BY name, id"
        );
        self.query_all(&sql, [user], view)
    }

    fn saved_view(&mut self, id: [u8; 16]) -> Result<Option<SavedView>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM saved_views WHERE id = ?1");
        self.query_optional(&sql, [id], view)
    }
}

impl SavedViewWrites for Tx<'_> {
    fn put_saved_view(&mut self, view: &SavedView) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO saved_views (id, owner, name, search, shared) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, search = excluded.search,
               shared = excluded.shared",
            (view.id, &view.owner, &view.name, &view.search, view.shared),
        )?;
        Ok(())
    }

    fn delete_saved_view(&mut self, id: [u8; 16]) -> Result<(), StoreError> {
        self.write("DELETE FROM saved_views WHERE id = ?1", [id])?;
        Ok(())
    }
}

fn view(row: &Row<'_>) -> rusqlite::Result<SavedView> {
    Ok(SavedView {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        search: row.get(3)?,
        shared: row.get(4)?,
    })
}
