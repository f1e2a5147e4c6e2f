//! The visit record: one Automerge document per planned visit.
//!
//! A record begins with a [first change](genesis) that has the same bytes in every record of a
//! schema version. It creates all containers, so that two devices never create the same one
//! concurrently. The office adds one change with id, case and assignment. From then on
//! [`Record::apply`] turns each [command](command::Command) into one change and refuses what the
//! [field table](schema) does not allow. Everything else is read from the document: the
//! [view](view::VisitView), the [summary](view::VisitSummary) for lists, the derived
//! [stage](terms::Stage), [conflicts](view::Conflict) and the [history](view::HistoryEntry).
//!
//! There is no clock and no randomness here: times and ids come with the [`Author`] and the
//! commands.

mod author;
pub mod authority;
pub mod command;
mod conflict;
pub(crate) mod date;
mod document;
mod error;
pub mod genesis;
pub(crate) mod history;
pub mod plan;
pub mod queue;
mod read;
mod reader;
pub(crate) mod refused;
mod review_mark;
pub mod schema;
pub mod signature;
mod snapshot;
mod stage;
mod steps;
pub mod terms;
mod validate;
pub mod view;
mod write;

pub use author::Author;
pub use document::Record;
pub use error::{CommandError, Invalid, LoadError};
