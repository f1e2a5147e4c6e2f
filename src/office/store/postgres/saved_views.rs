//! Saved views in PostgreSQL.

use super::row::Row;
use super::tx::Tx;
use super::value::values;
use crate::office::store::{SavedView, SavedViewReads, SavedViewWrites, StoreError};

const COLUMNS: &str = "id, owner, name, search, shared";

impl SavedViewReads for Tx<'_> {
    fn saved_views(&mut self, user: &str) -> Result<Vec<SavedView>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM saved_views WHERE owner = $1 OR shared ORDER BY name, id"
        );
        self.query_all(&sql, values![user], view)
    }

    fn saved_view(&mut self, id: [u8; 16]) -> Result<Option<SavedView>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM saved_views WHERE id = $1");
        self.query_optional(&sql, values![id], view)
    }
}

impl SavedViewWrites for Tx<'_> {
    fn put_saved_view(&mut self, view: &SavedView) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO saved_views (id, owner, name, search, shared) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, search = excluded.search,
               shared = excluded.shared",
            values![view.id, &view.owner, &view.name, &view.search, view.shared],
        )
    }

    fn delete_saved_view(&mut self, id: [u8; 16]) -> Result<(), StoreError> {
        self.write("DELETE FROM saved_views WHERE id = $1", values![id])
    }
}

fn view(row: &Row) -> Result<SavedView, StoreError> {
    Ok(SavedView {
        id: row.fixed(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        search: row.get(3)?,
        shared: row.get(4)?,
    })
}
