//! The device's store: batches of writes, loading, damaged rows.

pub(super) mod causal;
pub(super) mod journal;
pub(super) mod loading;
