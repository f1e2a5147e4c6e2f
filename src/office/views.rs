//! Saved views of the console's list.

use super::store::SavedView;
use super::{Office, OfficeError};
use crate::record::terms::Role;

/// Views of one user.
const MAX_PER_USER: usize = 100;

/// Longest name, in characters.
const MAX_NAME: usize = 60;

/// Longest search, in bytes.
const MAX_SEARCH: usize = 2_000;

/// Why a view was not saved or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewRefusal {
    /// There is no such view, or it is another user's.
    #[error("there is no such view")]
    Unknown,
    /// A name is missing or too long, or the search is.
    #[error("a view has a name of at most {MAX_NAME} characters")]
    Invalid,
    /// The user has too many.
    #[error("there are {MAX_PER_USER} views: delete one first")]
    TooMany,
}

impl Office {
    /// The views that a user sees, by name.
    pub async fn saved_views(&self, user: &str) -> Result<Vec<SavedView>, OfficeError> {
        let user = user.to_owned();
        self.blocking(move |office| Ok(office.store.read_with(|reads| reads.saved_views(&user))?))
            .await
    }

    /// Saves a view of its owner, or replaces it.
    pub async fn save_view(
        &self,
        view: SavedView,
    ) -> Result<Result<SavedView, ViewRefusal>, OfficeError> {
        let view = SavedView { name: view.name.trim().to_owned(), ..view };
        let length = view.name.chars().count();
        if length == 0 || length > MAX_NAME || view.search.len() > MAX_SEARCH {
            return Ok(Err(ViewRefusal::Invalid));
        }
        let saved = self.store.write(move |tx| {
            match tx.saved_view(view.id)? {
                Some(before) if before.owner != view.owner => return Ok(Err(ViewRefusal::Unknown)),
                Some(_) => {}
                None => {
                    let all = tx.saved_views(&view.owner)?;
                    let own = all.iter().filter(|other| other.owner == view.owner).count();
                    if own >= MAX_PER_USER {
                        return Ok(Err(ViewRefusal::TooMany));
                    }
                }
            }
            tx.put_saved_view(&view)?;
            Ok(Ok(view.clone()))
        });
        Ok(saved.await?)
    }

    /// Deletes a view: an own one, or as an administrator a shared one.
    pub async fn delete_view(
        &self,
        id: [u8; 16],
        (user, role): (&str, Role),
    ) -> Result<Result<(), ViewRefusal>, OfficeError> {
        let user = user.to_owned();
        let deleted = self.store.write(move |tx| {
            let view = tx.saved_view(id)?;
            let may =
                view.is_some_and(|view| view.owner == user || (view.shared && role == Role::Admin));
            if !may {
                return Ok(Err(ViewRefusal::Unknown));
            }
            tx.delete_saved_view(id)?;
            Ok(Ok(()))
        });
        Ok(deleted.await?)
    }
}
