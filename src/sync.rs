//! What a device and the office say to each other, and how both prove that they hold the same.

pub mod digest;
mod envelope;
pub mod message;

pub use envelope::MalformedBody;
