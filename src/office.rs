//! The office: where records are made, merged, kept and listed.

pub mod store;
