//! The office: where records are made, merged, kept and listed.

pub mod cases;
pub mod money;
pub mod store;
