//! Conduct rules: what a visit must comply with, before departure, at the door and afterwards.
//!
//! A [policy](Policy) consists of layers of rules; the strictest rule wins. [`evaluate`] checks
//! every rule of the layers that apply to a record. Each rule gives one of four
//! [answers](Answer) with its evidence. Evaluation is a pure function, the same on the phone and in
//! the office: time and the borrower's [zone](ZoneData) are arguments.
//!
//! A rule is written in [TOML](parse) and checked; it is selected by the record's policy or by the
//! borrower's zone and evaluated at three [moments](Moment). The record stores the answers with
//! the version of the policy and the evaluated heads. Stored answers never change; a later state
//! gets a new evaluation.
//!
//! Four guarantees: missing evidence never passes, a draft rule never reports a violation, no layer
//! loosens a rule of another, and no truthful record of a bad visit is refused.

pub mod answers;
pub mod builtin;
mod context;
pub mod day_plan;
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
