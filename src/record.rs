//! The visit record.
pub mod command;
pub mod terms;
pub mod view;
