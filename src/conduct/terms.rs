//! Enums of conduct, each with one fixed text form.

pub use crate::record::terms::Moment;
use crate::record::terms::vocabulary;
use crate::types::ApiType;

vocabulary! {
/// The answer of a rule. Missing evidence is `unknown`, never `pass`.
Answer {
    /// Evidence shows compliance.
    Pass = "pass",
    /// Evidence shows a violation.
    Fail = "fail",
    /// Evidence is missing, too old, or contradicts itself.
    Unknown = "unknown",
    /// The rule does not apply.
    NotApplicable = "not_applicable",
}}

vocabulary! {
/// The effect of a failed rule.
Severity {
    /// Prevents departure.
    Block = "block",
    /// Prevents departure until a reason is recorded.
    Warn = "warn",
    /// Prevents nothing; reports missing evidence.
    EvidenceGap = "evidence_gap",
}}

vocabulary! {
/// The legal status of a rule.
LegalStatus {
    /// Statute or regulation.
    Law = "law",
    /// National or industry standard.
    Standard = "standard",
    /// Rules of an industry association.
    SelfRegulatory = "self_regulatory",
    /// A supervisor's guidance.
    Guidance = "guidance",
    /// Not in force: evaluated in shadow, never reported as a violation.
    Draft = "draft",
    /// A choice of this product.
    ProductChoice = "product_choice",
    /// A lender's own rule.
    Lender = "lender",
}}

vocabulary! {
/// The reliability of a rule's source.
Confidence {
    /// An official text or a near copy.
    S1 = "S1",
    /// News, a law firm's note, a translation.
    S2 = "S2",
    /// From memory, source not found.
    M = "M",
}}

vocabulary! {
/// Whether the collectors may set out.
Verdict {
    /// Nothing prevents it.
    Go = "go",
    /// A rule prevents it until a known time.
    WaitUntil = "wait_until",
    /// A rule prevents it, and waiting does not help as far as is known.
    Dont = "dont",
}}

vocabulary! {
/// What a rule applies to.
Scope {
    /// Visits.
    Visit = "visit",
    /// Calls and messages.
    Call = "call",
    /// Both.
    Both = "both",
}}

impl Answer {
    /// Combines the answers of two requirements: the worse one counts.
    pub fn and(self, other: Self) -> Self {
        let rank = |answer| match answer {
            Self::Fail => 3,
            Self::Unknown => 2,
            Self::Pass => 1,
            Self::NotApplicable => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}
