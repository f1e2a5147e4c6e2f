//! Doorstep: offline-first visit records.

pub mod conduct;
pub mod ids;
#[cfg(not(target_arch = "wasm32"))]
pub mod office;
pub mod record;
#[cfg(not(target_arch = "wasm32"))]
pub mod simulate;
pub mod sync;
mod types;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod workspace;
