//! The office.
pub mod cases;
pub mod money;
