//! What pages, exports and lists show of conduct. Sentences are theirs: here stand stable words.
//!
//! A rule's sentence is i18n's `conduct.rule.<ID>`, a reason's is `conduct.reason.<code>` with
//! `params`; a rule of a lender's layer brings its own `title`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{Answer, Confidence, LegalStatus, Moment, Scope, Severity, Verdict};
use crate::record::terms::Grade;
use crate::types::ApiType;

ApiType! {
/// What the rules say of a record at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConductView {
    /// Which moment.
    pub moment: Moment,
    /// Whether the collectors may set out; for the other moments `go`.
    pub verdict: Verdict,
    /// When it was asked, by the asking device's clock, ms.
    pub at: i64,
    /// The same by the office's clock, ms, where the device knows how far apart they are.
    pub corrected_at: Option<i64>,
    /// When the visit is going to be, as far as the record says: what the rules were asked for
    /// before departure, ms.
    pub planned_at: i64,
    /// Before departure: the earliest lawful time, ms; `None` where none is known. Beside `dont`, the
    /// earliest once what is wanted has been written down.
    pub next_lawful_at: Option<i64>,
    /// The layers and their versions, such as `CN@2026-01-30+product@1`.
    pub policy: String,
    /// Layers that `assignment.policy` names and nobody knows.
    pub unknown_layers: Vec<String>,
    /// Rules that only warn, failed, and have no reason written down: departure waits for one.
    pub needs_reason: Vec<String>,
    /// One answer a rule, in order of layers and rules.
    pub answers: Vec<RuleAnswer>,
    /// The strictest value of each parameter, and the layer that decided it.
    pub limits: Vec<Limit>,
}
}

ApiType! {
/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleAnswer {
    /// Its id.
    pub rule: String,
    /// The layer that it is of.
    pub layer: String,
    /// Its own sentence, where the program has none; else empty.
    pub title: String,
    /// The answer.
    pub answer: Answer,
    /// What a failure does.
    pub severity: Severity,
    /// What it is about.
    pub scope: Scope,
    /// What stands behind it.
    pub status: LegalStatus,
    /// How well that was seen.
    pub confidence: Confidence,
    /// Where it is written.
    pub citation: String,
    /// Evaluated in shadow, since it is not in force: never a violation.
    pub shadow: bool,
    /// Whether it stops a departure now.
    pub stops: bool,
    /// Whether the borrower's consent could waive it.
    pub consent: bool,
    /// The reason that was written down for going on in spite of it; else empty.
    pub overridden: String,
    /// The weakest evidence that the answer rests on; `None` where there is none.
    pub grade: Option<Grade>,
    /// Why, as a stable word.
    pub reason_code: String,
    /// What the sentence of the reason names.
    pub params: BTreeMap<String, String>,
    /// What was looked at.
    pub evidence: Vec<Evidence>,
}
}

ApiType! {
/// Something that a rule looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands in the record.
    pub path: String,
    /// What it says; empty where it is missing. Times are ms.
    pub value: String,
}
}

ApiType! {
/// The strictest value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Such as `visit_window` or `visits_30d`.
    pub parameter: String,
    /// Such as `09:00–19:00` or `2`.
    pub value: String,
    /// The layers that decided it, the strictest.
    pub layers: Vec<String>,
    /// Their rules.
    pub rules: Vec<String>,
}
}
