//! The sync protocol: the bodies of a round, and the digests by which both sides prove that they
//! hold the same.

pub(crate) mod chunk;
pub mod digest;
// Only the office sends documents.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod document;
mod envelope;
pub mod message;
pub mod packed;
pub mod ranges;
pub(crate) mod reader;

pub use envelope::MalformedBody;
