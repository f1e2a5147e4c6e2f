//! Doorstep: offline-first visit records.

pub mod ids;
pub mod record;
pub mod sync;
mod types;
