//! The visit itself: appointment, events on site, talk, seal and review.

use serde::{Deserialize, Serialize};

use crate::record::command::{Position, PromiseToPay, ReviewMark};
use crate::record::terms::{
    AppointmentStatus, AttachmentKind, CheckAnswer, CheckItem, Disposition, Grade, OptionKind,
    OverdueReason, PlaceType, ProposedBy, ReviewStatus, TargetRole, Willingness,
};
use crate::types::ApiType;

ApiType! {
/// Time and place of the visit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AppointmentView {
    /// Start of the window, ms.
    pub starts_at: Option<i64>,
    /// End of the window, ms.
    pub ends_at: Option<i64>,
    /// IANA zone where it was set.
    pub zone: String,
    /// Where.
    pub place: String,
    /// The status; `None` before a proposal.
    pub status: Option<AppointmentStatus>,
    /// Which side proposed it.
    pub proposed_by: Option<ProposedBy>,
    /// The borrower's own wishes.
    pub borrower_remark: String,
}
}

ApiType! {
/// What happened on site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VisitFactsView {
    /// ms.
    pub departed_at: Option<i64>,
    /// ms.
    pub arrived_at: Option<i64>,
    /// ms.
    pub talk_from: Option<i64>,
    /// ms.
    pub talk_to: Option<i64>,
    /// ms.
    pub left_at: Option<i64>,
    /// ms.
    pub asked_to_leave_at: Option<i64>,
    /// IANA zone of these times.
    pub zone: String,
    /// Taken once, at check-in.
    pub position: Option<Position>,
    /// What kind of place.
    pub place_type: Option<PlaceType>,
    /// Sign-in names, sorted.
    pub visitors: Vec<String>,
    /// Whom the collectors met.
    pub person_met: Option<TargetRole>,
}
}

ApiType! {
/// One collector's answer to one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    /// Which item.
    pub item: CheckItem,
    /// Who answered.
    pub by: String,
    /// The answer.
    pub answer: CheckAnswer,
    /// ms.
    pub at: i64,
    /// How it is evidenced.
    pub grade: Grade,
    /// Why it was not possible; else empty.
    pub reason: String,
}
}

ApiType! {
/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TalkView {
    /// Why payment is late.
    pub overdue_reason: Option<OverdueReason>,
    /// In the borrower's words.
    pub overdue_reason_text: String,
    /// How willing.
    pub willingness: Option<Willingness>,
    /// Options offered, in order of their ids.
    pub options: Vec<OptionView>,
    /// Id of the option chosen.
    pub chosen_option: Option<String>,
    /// The promise, if one was made.
    pub promise: Option<PromiseToPay>,
    /// The outcome of the visit.
    pub disposition: Option<Disposition>,
}
}

ApiType! {
/// A repayment option that was offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptionView {
    /// UUIDv7.
    pub id: String,
    /// What kind.
    pub kind: OptionKind,
    /// Number of instalments.
    pub instalments: i64,
    /// `YYYY-MM-DD`.
    pub first_due: String,
    /// Whole amount, minor units.
    pub amount: i64,
    /// Months.
    pub term_months: i64,
    /// Who offered it.
    pub offered_by: String,
}
}

ApiType! {
/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentView {
    /// UUIDv7.
    pub id: String,
    /// Minor units.
    pub amount: i64,
    /// ms.
    pub at: i64,
    /// How.
    pub channel: String,
    /// Reference.
    pub reference: String,
    /// SHA-256 of the receipt, or empty.
    pub receipt: String,
    /// Who wrote it down.
    pub by: String,
}
}

ApiType! {
/// A named attachment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// ms.
    pub taken_at: i64,
    /// What it is.
    pub kind: AttachmentKind,
    /// What it shows.
    pub caption: String,
    /// Who added it.
    pub by: String,
}
}

ApiType! {
/// The collector's seal: the record is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealView {
    /// ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// Device id, hex.
    pub device: String,
    /// Heads that were sealed.
    pub heads: Vec<String>,
    /// Whether a protected field has changed since: by a colleague who had not seen the seal, or
    /// by the office.
    pub changed: bool,
    /// Signatures of this seal and of earlier ones, oldest first.
    pub signatures: Vec<SignatureView>,
}
}

ApiType! {
/// One collector's signature of a seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignatureView {
    /// UUIDv7.
    pub id: String,
    /// ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// Device id, hex.
    pub device: String,
    /// The device's public key, hex.
    pub key: String,
    /// The state that was signed.
    pub heads: Vec<String>,
    /// The text that was read back.
    pub text: String,
    /// Hex.
    pub signature: String,
    /// Whether the signature verifies.
    pub sound: bool,
    /// Whether a protected field has changed since it was signed.
    pub changed: bool,
    /// Whether the signed seal is in force and covers the present content.
    pub standing: bool,
}
}

ApiType! {
/// An addition after the seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AmendmentView {
    /// UUIDv7.
    pub id: String,
    /// ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// The amended field.
    pub path: String,
    /// The addition.
    pub text: String,
}
}

ApiType! {
/// The office's review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewView {
    /// The status.
    pub status: ReviewStatus,
    /// A remark for the collector.
    pub remark: String,
    /// The fields to correct, if it was returned.
    pub marks: Vec<ReviewMark>,
    /// Who.
    pub by: String,
    /// ms.
    pub at: Option<i64>,
}
}
