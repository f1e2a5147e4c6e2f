//! The sync protocol: the bodies of a round, and the digests by which both sides prove that they
//! hold the same.

pub(crate) mod chunk;
pub mod digest;
pub(crate) mod document;
mod envelope;
pub mod message;
pub mod packed;
pub mod ranges;
pub(crate) mod reader;

pub use envelope::MalformedBody;
