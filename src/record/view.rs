//! The content of a record as plain values, for pages, exports and lists.
//!
//! Times are milliseconds since 1970-01-01 UTC, dates `YYYY-MM-DD`, money minor units of
//! `case.currency`. Hashes are lower-case hex.

mod field;
mod visit;

use serde::{Deserialize, Serialize};

use super::terms::{
    AppointmentStatus, Channel, ConductKind, ContactOutcome, Disposition, Flag, Grade, Moment,
    NoticeAbout, PlaceType, ReviewStatus, Stage, TargetRole,
};
use crate::types::ApiType;
pub use field::{Conflict, ConflictValue, FieldValue, HistoryEntry};
pub use visit::{
    AmendmentView, AppointmentView, AttachmentView, CheckView, OptionView, PaymentView, ReviewView,
    SealView, SignatureView, TalkView, VisitFactsView,
};

ApiType! {
/// One visit record, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitView {
    /// Schema version.
    pub schema: i64,
    /// UUIDv7.
    pub id: String,
    /// The lender's case number.
    pub case_no: String,
    /// The state that this view shows: Automerge heads, sorted.
    pub heads: Vec<String>,
    /// Derived from the fields below.
    pub stage: Stage,
    /// Facts of the case.
    pub case: CaseView,
    /// Who visits.
    pub assignment: AssignmentView,
    /// Contact attempts, oldest first.
    pub contacts: Vec<ContactView>,
    /// Time and place.
    pub appointment: AppointmentView,
    /// What happened on site.
    pub visit: VisitFactsView,
    /// Answers on the checklist, one per item and collector.
    pub checks: Vec<CheckView>,
    /// What was said.
    pub talk: TalkView,
    /// Payments, oldest first.
    pub payments: Vec<PaymentView>,
    /// Notes of both sides.
    pub notes: String,
    /// The borrower's own feedback.
    pub feedback: String,
    /// Named attachments, oldest first.
    pub attachments: Vec<AttachmentView>,
    /// The collector's seal, if the record is sealed.
    pub seal: Option<SealView>,
    /// Additions after the seal, oldest first.
    pub amendments: Vec<AmendmentView>,
    /// The office's review.
    pub review: ReviewView,
    /// Conduct entries, oldest first.
    pub conduct: Vec<ConductEntry>,
    /// Fields with several concurrent values.
    pub conflicts: Vec<Conflict>,
    /// The five steps with their missing fields.
    pub steps: Vec<StepView>,
}
}

ApiType! {
/// Facts of the case, maintained by the office.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseView {
    /// The borrower's name.
    pub borrower_name: String,
    /// Phone numbers in order of use.
    pub phones: Vec<String>,
    /// Postal address.
    pub address: String,
    /// Degrees north of the address.
    pub lat: Option<f64>,
    /// Degrees east of the address.
    pub lon: Option<f64>,
    /// Product.
    pub product: String,
    /// Principal, minor units.
    pub principal: Option<i64>,
    /// Overdue amount, minor units.
    pub overdue: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Days past due.
    pub days_past_due: i64,
    /// `YYYY-MM-DD`.
    pub due_date: String,
    /// `YYYY-MM-DD`, empty when none.
    pub last_payment_date: String,
    /// BCP 47.
    pub preferred_language: String,
    /// The borrower's IANA time zone.
    pub zone: String,
    /// Note of the loan system.
    pub note: String,
    /// Holds, one entry per flag and author.
    pub flags: Vec<FlagView>,
    /// Counts over the other records of the case; `None` if the office has not written them.
    pub contact_summary: Option<ContactSummary>,
}
}

ApiType! {
/// Counts over the other records of the same case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSummary {
    /// The counts are complete up to this time, ms.
    pub as_of: i64,
    /// By name and day, in order of their names.
    pub counts: Vec<ContactCount>,
}
}

ApiType! {
/// One count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCount {
    /// Such as `visits.2026-11-03`.
    pub name: String,
    /// How many.
    pub count: i64,
}
}

ApiType! {
/// A conduct entry. The kind decides which fields are used; the others are empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConductEntry {
    /// Its key.
    pub id: String,
    /// What it is.
    pub kind: ConductKind,
    /// ms.
    pub at: i64,
    /// Who wrote it.
    pub by: String,
    /// Evaluation: layers and their versions.
    pub policy: String,
    /// Evaluation: the moment of the visit.
    pub moment: Option<Moment>,
    /// Evaluation: the evaluated heads, hex.
    pub heads: Vec<String>,
    /// Evaluation: the rules that did not pass, encoded by `conduct::answers`.
    pub answers: String,
    /// Evaluation: by how much the device's clock was ahead of the office's, ms, if known.
    pub skew: Option<i64>,
    /// Consent, override: the rule.
    pub rule: String,
    /// A note.
    pub note: String,
    /// Consent: valid from, ms.
    pub from: Option<i64>,
    /// Consent: valid until, ms, exclusive.
    pub until: Option<i64>,
    /// Consent, notice: how it is evidenced.
    pub grade: Option<Grade>,
    /// Withdrawal: id of the consent.
    pub of: String,
    /// Notice: its subject.
    pub about: Option<NoticeAbout>,
    /// Wish: days of the week, Monday the lowest bit.
    pub days: i64,
    /// Wish: minutes since midnight.
    pub starts: i64,
    /// Wish: minutes since midnight.
    pub ends: i64,
    /// Wish: the place type; `None` for all.
    pub place: Option<PlaceType>,
}
}

ApiType! {
/// A hold as one person raised it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagView {
    /// Which hold.
    pub flag: Flag,
    /// Who raised it.
    pub by: String,
    /// Since when, ms.
    pub since: i64,
    /// Until when, ms.
    pub until: Option<i64>,
    /// Why.
    pub note: String,
}
}

ApiType! {
/// Assigned collectors, due date and instructions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssignmentView {
    /// Sign-in names, sorted.
    pub collectors: Vec<String>,
    /// `YYYY-MM-DD`, empty for none.
    pub due_by: String,
    /// 1 (high), 2 or 3.
    pub priority: i64,
    /// Instructions for the collectors.
    pub instructions: String,
    /// Policy id.
    pub policy: String,
}
}

ApiType! {
/// One contact attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactView {
    /// UUIDv7.
    pub id: String,
    /// ms.
    pub at: i64,
    /// IANA zone where it was logged.
    pub zone: String,
    /// The channel.
    pub channel: Channel,
    /// Which number.
    pub number_ref: String,
    /// The person contacted.
    pub target_role: TargetRole,
    /// The outcome.
    pub outcome: ContactOutcome,
    /// What was said.
    pub note: String,
    /// Who logged it.
    pub by: String,
}
}

ApiType! {
/// One of the five steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Which.
    pub step: Step,
    /// Nothing is missing.
    pub done: bool,
    /// Paths of what is missing, in the order of the form.
    pub missing: Vec<String>,
}
}

ApiType! {
/// The five steps of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Initial contact (初步沟通).
    Contact,
    /// Appointment (约定时间).
    Appointment,
    /// On site (上门).
    OnSite,
    /// Talk (面谈).
    Talk,
    /// Record and feedback (记录与反馈).
    Record,
}
}

ApiType! {
/// The summary of a record in lists, stored so that lists need no documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitSummary {
    /// UUIDv7.
    pub id: String,
    /// Case number.
    pub case_no: String,
    /// The borrower's name.
    pub borrower_name: String,
    /// Address.
    pub address: String,
    /// Product.
    pub product: String,
    /// Overdue amount, minor units.
    pub overdue: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Days past due.
    pub days_past_due: i64,
    /// Derived stage.
    pub stage: Stage,
    /// Window start, ms.
    pub starts_at: Option<i64>,
    /// Window end, ms.
    pub ends_at: Option<i64>,
    /// Appointment status.
    pub appointment_status: Option<AppointmentStatus>,
    /// `YYYY-MM-DD` or empty.
    pub due_by: String,
    /// 1 to 3.
    pub priority: i64,
    /// Outcome.
    pub disposition: Option<Disposition>,
    /// Office's review.
    pub review_status: ReviewStatus,
    /// Holds in force.
    pub holds: Vec<Flag>,
    /// How many fields are in conflict.
    pub conflicts: i64,
    /// Who visits.
    pub collectors: Vec<String>,
}
}
