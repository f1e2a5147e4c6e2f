//! The visit record: one Automerge document per planned visit, with what led up to it.
//!
//! A record begins with a [first change](genesis) that is the same bytes for every record of a
//! schema version and makes every container that two devices could otherwise both make. The
//! office adds one change with id, case and assignment; from then on [`Record::apply`] turns
//! [commands](command::Command) into changes, one change a command, and refuses what the
//! [authority table](schema) does not allow. Everything else is read from it: the
//! [view](view::VisitView), the [summary](view::VisitSummary) for lists, the derived
//! [stage](terms::Stage), [conflicts](view::Conflict) and the [history](view::HistoryEntry).
//!
//! No clock, no randomness: times and ids come in with the [`Author`] and the commands.

mod author;
pub mod authority;
pub mod command;
mod conflict;
mod document;
mod error;
pub mod genesis;
pub(crate) mod history;
pub mod plan;
mod read;
mod reader;
pub(crate) mod refused;
pub mod schema;
pub mod signature;
mod stage;
mod steps;
pub mod terms;
mod validate;
pub mod view;
mod write;

pub use author::Author;
pub use document::Record;
pub use error::{CommandError, Invalid, LoadError};
