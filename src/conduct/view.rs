//! Conduct as shown in pages, exports and lists. It contains stable codes; pages translate them.
//!
//! The translation key of a rule is `conduct.rule.<ID>`, of a reason `conduct.reason.<code>` with
//! `params`. A rule of a lender's layer has its own `title`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{Answer, Confidence, LegalStatus, Moment, Scope, Severity, Verdict};
use crate::record::terms::Grade;
use crate::types::ApiType;

ApiType! {
/// The result of evaluating the rules on a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConductView {
    /// The moment of the visit.
    pub moment: Moment,
    /// Whether the collectors may set out; for the other moments `go`.
    pub verdict: Verdict,
    /// Time of the evaluation by the device's clock, ms.
    pub at: i64,
    /// The same by the office's clock, ms, if the skew is known.
    pub corrected_at: Option<i64>,
    /// The planned time of the visit, for which the rules are evaluated before departure, ms.
    pub planned_at: i64,
    /// Before departure: the earliest lawful time, ms; `None` if unknown. With `dont`, the earliest
    /// time once the missing entries are made.
    pub next_lawful_at: Option<i64>,
    /// The layers and their versions, such as `CN@2026-01-30+product@1`.
    pub policy: String,
    /// Unknown layers in `assignment.policy`.
    pub unknown_layers: Vec<String>,
    /// Failed rules that only warn: departure needs a reason for each.
    pub needs_reason: Vec<String>,
    /// One answer per rule, in order of layers and rules.
    pub answers: Vec<RuleAnswer>,
    /// The strictest value of each parameter, and the layers that set it.
    pub limits: Vec<Limit>,
}
}

ApiType! {
/// The answer of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleAnswer {
    /// Its id.
    pub rule: String,
    /// Its layer.
    pub layer: String,
    /// Its sentence; empty if the program has a translation.
    pub title: String,
    /// The answer.
    pub answer: Answer,
    /// The effect of a failure.
    pub severity: Severity,
    /// What it applies to.
    pub scope: Scope,
    /// Its legal status.
    pub status: LegalStatus,
    /// How reliable its source is.
    pub confidence: Confidence,
    /// Its source.
    pub citation: String,
    /// Evaluated in shadow, since it is not in force: never a violation.
    pub shadow: bool,
    /// Whether it prevents departure now.
    pub stops: bool,
    /// Whether the borrower's consent could waive it.
    pub consent: bool,
    /// The recorded reason for continuing despite it; else empty.
    pub overridden: String,
    /// The weakest evidence grade of the answer, if there is evidence.
    pub grade: Option<Grade>,
    /// Stable code of the reason.
    pub reason_code: String,
    /// Parameters of the reason's translation.
    pub params: BTreeMap<String, String>,
    /// The fields that were evaluated.
    pub evidence: Vec<Evidence>,
}
}

ApiType! {
/// A field that a rule evaluated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// Its path.
    pub path: String,
    /// Its value; empty if missing. Times are ms.
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
    /// The layers that set it.
    pub layers: Vec<String>,
    /// Their rules.
    pub rules: Vec<String>,
}
}
