//! Values that a command writes as a whole.

use serde::{Deserialize, Serialize};

use crate::record::terms::{
    AttachmentKind, Channel, ContactOutcome, Grade, Moment, OptionKind, PlaceType, ProposedBy,
    TargetRole,
};
use crate::types::ApiType;

ApiType! {
/// One contact attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewContact {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Device time, ms.
    pub at: i64,
    /// The channel.
    pub channel: Channel,
    /// Which of the case's numbers, such as `phones.0`; empty when none.
    pub number_ref: String,
    /// The person contacted.
    pub target_role: TargetRole,
    /// The outcome.
    pub outcome: ContactOutcome,
    /// What was said.
    pub note: String,
}
}

ApiType! {
/// A consent of the borrower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewConsent {
    /// UUIDv7 made on the device.
    pub id: String,
    /// The id of the rule that it waives.
    pub rule: String,
    /// Valid from, ms.
    pub from: i64,
    /// Valid until, ms, exclusive.
    pub until: i64,
    /// How it is evidenced.
    pub grade: Grade,
    /// In the borrower's words.
    pub note: String,
    /// Device time, ms.
    pub at: i64,
}
}

ApiType! {
/// A time of day, a place, or both, that the borrower objects to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewWish {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Days of the week, Monday the lowest bit; 127 for all.
    pub days: i64,
    /// Minutes since midnight of the borrower's day.
    pub starts: i64,
    /// Minutes since midnight, up to 1440, exclusive.
    pub ends: i64,
    /// The place type; `None` for all.
    pub place: Option<PlaceType>,
    /// In the borrower's words.
    pub note: String,
    /// Device time, ms.
    pub at: i64,
}
}

/// The result of evaluating the conduct rules on a state of a record; written by the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvaluation {
    /// When it was evaluated, by the writer's clock, ms.
    pub at: i64,
    /// The layers and their versions.
    pub policy: String,
    /// The moment of the visit.
    pub moment: Moment,
    /// The rules that did not pass, encoded by `conduct::answers`.
    pub answers: String,
    /// By how much the writer's clock is ahead of the office's, ms, if known.
    pub skew: Option<i64>,
}

ApiType! {
/// A time and a place for the visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppointmentProposal {
    /// Start of the window, ms.
    pub starts_at: i64,
    /// End of the window, ms, after the start.
    pub ends_at: i64,
    /// Where.
    pub place: String,
    /// Which side proposed it.
    pub proposed_by: ProposedBy,
    /// The borrower's own wishes.
    pub borrower_remark: String,
}
}

ApiType! {
/// A position, taken once, at check-in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius of the 68 % circle, metres.
    pub accuracy_m: f64,
    /// When it was taken, ms.
    pub at: i64,
}
}

ApiType! {
/// Arrival at the place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Device time, ms.
    pub at: i64,
    /// Where the device was, if the collector shared it.
    pub position: Option<Position>,
}
}

ApiType! {
/// A repayment option that is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepaymentOption {
    /// UUIDv7 made on the device.
    pub id: String,
    /// What kind of option.
    pub kind: OptionKind,
    /// Number of instalments, at least 1.
    pub instalments: i64,
    /// First due date, `YYYY-MM-DD`.
    pub first_due: String,
    /// The whole amount, minor units.
    pub amount: i64,
    /// Length of the plan in months.
    pub term_months: i64,
}
}

ApiType! {
/// A promise to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseToPay {
    /// Minor units, above 0.
    pub amount: i64,
    /// `YYYY-MM-DD`.
    pub due_date: String,
    /// How it will be paid.
    pub channel: String,
}
}

ApiType! {
/// A payment made or shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPayment {
    /// UUIDv7 made by the writer.
    pub id: String,
    /// Minor units, above 0.
    pub amount: i64,
    /// Time of the payment, ms.
    pub at: i64,
    /// How it was paid.
    pub channel: String,
    /// The payer's or the bank's reference.
    pub reference: String,
    /// SHA-256 of the receipt among the attachments, hex; empty when none.
    pub receipt: String,
}
}

ApiType! {
/// An attachment's facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewAttachment {
    /// SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// Media type, such as `image/jpeg`.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Device time, ms.
    pub taken_at: i64,
    /// What it is.
    pub kind: AttachmentKind,
    /// What it shows.
    pub caption: String,
}
}

ApiType! {
/// A signature of the sealed state and the text that was read back, by the device's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewSignature {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Device time, ms.
    pub at: i64,
    /// The sealed state that is signed, as in [`VisitView::heads`](crate::record::view::VisitView).
    pub heads: Vec<String>,
    /// The text that was read back, as it was shown.
    pub text: String,
    /// The device's public key, Ed25519, 64 hex digits.
    pub key: String,
    /// Over the [`Statement`](crate::record::signature::Statement), 128 hex digits.
    pub signature: String,
}
}
