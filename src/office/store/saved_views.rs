//! Saved views of the console's list: filters and an order under a name.

use super::StoreError;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// UUID made by the client.
    pub id: [u8; 16],
    /// Who saved it.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// Filters and order, as in the address of the list.
    pub search: String,
    /// All users of the console see it.
    pub shared: bool,
}

/// Reads of saved views.
pub trait SavedViewReads {
    /// The views that a user sees: the own and the shared ones, by name.
    fn saved_views(&mut self, user: &str) -> Result<Vec<SavedView>, StoreError>;
    /// A view.
    fn saved_view(&mut self, id: [u8; 16]) -> Result<Option<SavedView>, StoreError>;
}

/// Writes of saved views.
pub trait SavedViewWrites {
    /// Adds a view, or replaces everything but its owner.
    fn put_saved_view(&mut self, view: &SavedView) -> Result<(), StoreError>;
    /// Deletes a view.
    fn delete_saved_view(&mut self, id: [u8; 16]) -> Result<(), StoreError>;
}
