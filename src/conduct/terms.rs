//! The vocabularies of conduct.

pub use crate::record::terms::Moment;
use crate::record::terms::vocabulary;
use crate::types::ApiType;

vocabulary! {
/// What a rule says of a record. Missing evidence is `unknown`, never `pass`.
Answer {
    /// Evidence shows that the rule was kept.
    Pass = "pass",
    /// Evidence shows that it was not.
    Fail = "fail",
    /// Evidence is missing, too old, or contradicts itself.
    Unknown = "unknown",
    /// The rule has nothing to say here.
    NotApplicable = "not_applicable",
}}

vocabulary! {
/// What a failed rule does.
Severity {
    /// Stops the departure.
    Block = "block",
    /// Stops it until a reason is written down.
    Warn = "warn",
    /// Stops nothing; shows that evidence is missing.
    EvidenceGap = "evidence_gap",
}}

vocabulary! {
/// What stands behind a rule.
LegalStatus {
    /// Statute or regulation.
    Law = "law",
    /// National or industry standard.
    Standard = "standard",
    /// Rules that an association gives itself.
    SelfRegulatory = "self_regulatory",
    /// A supervisor's guidance.
    Guidance = "guidance",
    /// Not in force: evaluated in shadow, never called a violation.
    Draft = "draft",
    /// What this product thinks decent.
    ProductChoice = "product_choice",
    /// What a lender asks of its own people.
    Lender = "lender",
}}

vocabulary! {
/// How well the source of a rule was seen.
Confidence {
    /// An official text or a near copy.
    S1 = "S1",
    /// News, a law firm's note, a translation.
    S2 = "S2",
    /// From memory, not found.
    M = "M",
}}

vocabulary! {
/// Whether the collectors may set out.
Verdict {
    /// Nothing stops it.
    Go = "go",
    /// Something stops it until a time.
    WaitUntil = "wait_until",
    /// Something stops it that no waiting ends, as far as is known.
    Dont = "dont",
}}

vocabulary! {
/// What a rule is about.
Scope {
    /// Visits.
    Visit = "visit",
    /// Calls and messages.
    Call = "call",
    /// Both.
    Both = "both",
}}

impl Answer {
    /// The answer of a rule whose duties gave these: one failure fails it, one gap leaves it open.
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
