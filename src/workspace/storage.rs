//! The device's store: batches of writes, reading rows, loading documents, damaged rows.

pub(super) mod causal;
pub(super) mod journal;
pub(super) mod loading;
pub(super) mod reading;
