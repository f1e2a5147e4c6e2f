//! Conduct: what rules say of a visit, before, at the door and after.
//!
//! A [policy](Policy) is layers of rules, strictest wins. [`evaluate`] asks every rule of the
//! layers that speak of a record, and each gives one of four [answers](Answer) with what it looked
//! at. It is a function of its arguments alone, the same code on the phone and in the office: time
//! and the borrower's [zone](ZoneData) come as data, the layers are compiled in or given.
//!
//! The life of a rule: written as [TOML](parse), checked, selected for a record by its policy or
//! by the borrower's zone, asked at three [moments](Moment), its answer kept in the record beside
//! the policy's version and the state that it was asked of. Kept answers are never changed; what
//! the rules say of a later state is kept anew.
//!
//! Four things it never does: take missing evidence for a pass, call a draft's answer a violation,
//! let a layer loosen what another asks, refuse a record that tells the truth about a bad visit.

pub mod answers;
pub mod builtin;
mod context;
mod evaluate;
mod finding;
mod limits;
#[cfg(not(target_arch = "wasm32"))]
pub mod parse;
pub mod policy;
mod requirement;
mod select;
pub mod summary;
pub mod terms;
pub mod time;
pub mod view;
#[cfg(not(target_arch = "wasm32"))]
pub mod zones;

pub use context::{EvalInput, ExternalFacts};
pub use evaluate::evaluate;
pub use select::{DuplicateId, Policy, SelectedLayers};
pub use terms::{Answer, Moment};
pub use time::ZoneData;
