//! Tables that people exchange with the office: case lists in ([`import`]), visit records out
//! ([`export`]).

pub mod export;
pub(super) mod formula;
pub mod import;
