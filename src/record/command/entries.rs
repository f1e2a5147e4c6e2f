//! Values that a command writes as a whole.

use serde::{Deserialize, Serialize};

use crate::record::terms::{
    AttachmentKind, Channel, ContactOutcome, Grade, Moment, OptionKind, PlaceType, ProposedBy,
    TargetRole,
};
use crate::types::TsType;

TsType! {
/// One attempt to reach somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewContact {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Device time, ms.
    pub at: i64,
    /// How.
    pub channel: Channel,
    /// Which of the case's numbers, such as `phones.0`; empty when none.
    pub number_ref: String,
    /// Whom.
    pub target_role: TargetRole,
    /// What came of it.
    pub outcome: ContactOutcome,
    /// What was said.
    pub note: String,
}
}

TsType! {
/// A consent of the borrower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewConsent {
    /// UUIDv7 made on the device.
    pub id: String,
    /// The rule that it waives.
    pub rule: String,
    /// From when it counts, ms.
    pub from: i64,
    /// Until when it counts, ms; this instant not included.
    pub until: i64,
    /// How it is evidenced.
    pub grade: Grade,
    /// In the borrower's words.
    pub note: String,
    /// Device time, ms.
    pub at: i64,
}
}

TsType! {
/// A time of day, a place, or both, that the borrower does not want.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewWish {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Days of the week, Monday the lowest bit; 127 for all.
    pub days: i64,
    /// Minutes since midnight of the borrower's day.
    pub starts: i64,
    /// Minutes since midnight, up to 1440; this minute not included.
    pub ends: i64,
    /// The place that it is about; `None` for all.
    pub place: Option<PlaceType>,
    /// In the borrower's words.
    pub note: String,
    /// Device time, ms.
    pub at: i64,
}
}

/// What the rules of conduct said of a state of a record; the core writes it, never a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvaluation {
    /// When it was evaluated, by the writer's clock, ms.
    pub at: i64,
    /// The layers and their versions.
    pub policy: String,
    /// Which moment.
    pub moment: Moment,
    /// What did not pass.
    pub answers: String,
    /// How far the writer's clock is ahead of the office's, ms, where that is known.
    pub skew: Option<i64>,
}

TsType! {
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

TsType! {
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

TsType! {
/// Arrival at the place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Device time, ms.
    pub at: i64,
    /// Where the device was, if the collector shared it.
    pub position: Option<Position>,
}
}

TsType! {
/// A way to repay that is offered.
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

TsType! {
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

TsType! {
/// A payment made or shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPayment {
    /// UUIDv7 made where the payment is written down.
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

TsType! {
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

TsType! {
/// A signature over what was sealed and read back, by the key of the device.
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
