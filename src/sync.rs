//! What a device and the office say to each other, and how both prove that they hold the same.

pub(crate) mod chunk;
pub mod digest;
mod envelope;
pub mod message;
pub mod packed;
pub mod ranges;
pub(crate) mod reader;

pub use envelope::MalformedBody;
