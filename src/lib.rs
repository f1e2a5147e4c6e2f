//! Doorstep: offline-first visit records.
//!
//! The layers, from the lowest: [`ids`], [`sync`] (protocol), [`vault`] (the phone's encrypted rows),
//! [`record`] (the document), [`conduct`] (rules on visits), [`workspace`] (the phone), `office` (the
//! server), `simulate` (both under faults). A test checks that modules import lower layers only.

pub mod conduct;
pub mod ids;
#[cfg(not(target_arch = "wasm32"))]
pub mod office;
pub mod record;
#[cfg(not(target_arch = "wasm32"))]
pub mod simulate;
pub mod sync;
mod types;
pub mod vault;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod workspace;
