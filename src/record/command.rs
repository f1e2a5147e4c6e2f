//! Everything a person can do to a record, as one typed command each.
//!
//! Patches carry only the fields that change, so that every field can save itself. Times are
//! milliseconds since 1970-01-01 UTC; dates are `YYYY-MM-DD`; money is in minor units of the
//! case's currency.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{
    AppointmentStatus, Channel, CheckAnswer, CheckItem, ContactOutcome, Disposition, Flag, Grade,
    Moment, NoticeAbout, OptionKind, OverdueReason, PlaceType, ProposedBy, ReviewStatus,
    TargetRole, Willingness,
};
use crate::types::ApiType;

/// Declares the commands: objects with the command's name under `do`.
///
/// To find that name among the other fields, serde first collects an object into values of its
/// own and reads each command from those. In the wasm, where that is a large part of the
/// download, JavaScript hands the name over beside the object instead.
macro_rules! commands {
    ($(#[$meta:meta])* pub enum Command $variants:tt) => {
        ApiType! {
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Serialize)]
            #[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
            #[serde(tag = "do", rename_all = "snake_case")]
            pub enum Command $variants
        }

        /// [`Command`] with its name beside it.
        #[cfg(target_arch = "wasm32")]
        #[derive(Deserialize)]
        #[serde(remote = "Command", rename_all = "snake_case")]
        pub(crate) enum NamedCommand $variants
    };
}

commands! {
/// What a person does to a visit record.
pub enum Command {
    /// Log a call, a message or a letter (initial contact). Written once, never changed.
    LogContact(NewContact),
    /// Propose a time and a place: status becomes `proposed`.
    ProposeAppointment(AppointmentProposal),
    /// Change single fields of the appointment without touching its status.
    EditAppointment(AppointmentPatch),
    /// The borrower's answer, or a cancellation.
    AnswerAppointment {
        /// `agreed`, `declined` or `cancelled`.
        status: AppointmentStatus,
    },
    /// Set out for the visit.
    Depart {
        /// Device time, ms.
        at: i64,
    },
    /// Arrive at the place, with the one position that is taken.
    Arrive(Arrival),
    /// Single facts about the visit.
    EditVisit(VisitPatch),
    /// One item of the checklist at the door.
    Check {
        /// Which item.
        item: CheckItem,
        /// What the collector answers; `None` takes the answer back.
        answer: Option<CheckAnswer>,
        /// How the answer is evidenced.
        grade: Grade,
        /// Device time, ms.
        at: i64,
        /// Why it was not possible, if it was not.
        reason: Option<String>,
    },
    /// What was said about reason, willingness and outcome.
    EditTalk(TalkPatch),
    /// Take single facts of appointment, visit or talk back, so that nothing stands there: the way
    /// back from a slip.
    Clear {
        /// Their paths, such as `talk.disposition`.
        paths: Vec<String>,
    },
    /// Offer a way to repay.
    OfferOption(RepaymentOption),
    /// Take back an option that was offered by mistake (before the seal).
    WithdrawOption {
        /// The option's id.
        id: String,
    },
    /// The option that the borrower chose, or `None` for none of them.
    ChooseOption {
        /// The option's id.
        id: Option<String>,
    },
    /// A promise to pay (PTP); `None` takes it back.
    Promise {
        /// Amount, date and channel.
        promise: Option<PromiseToPay>,
    },
    /// A payment made or shown. Written once, never changed.
    AddPayment(NewPayment),
    /// Notes, merged by character.
    EditNotes(TextEdit),
    /// The borrower's own feedback, merged by character.
    EditFeedback(TextEdit),
    /// Name an attachment; its bytes travel apart. Written once.
    AddAttachment(NewAttachment),
    /// The collector's word that the record is complete and was read back.
    Seal {
        /// Device time, ms.
        at: i64,
    },
    /// A collector's signature under the seal. Written once; each collector of the visit gives
    /// their own.
    Sign(NewSignature),
    /// An addition after the seal. Written once.
    Amend {
        /// UUIDv7 made on the device.
        id: String,
        /// Device time, ms.
        at: i64,
        /// The field that the amendment is about, such as `talk.disposition`.
        path: String,
        /// What is to be added or corrected.
        text: String,
    },
    /// Raise a hold that stops contact. A collector may raise one, never lift one.
    RaiseHold {
        /// Which hold.
        flag: Flag,
        /// Since when, ms.
        since: i64,
        /// Until when, ms, if that is known.
        until: Option<i64>,
        /// Why.
        note: String,
    },
    /// The borrower agreed to what a rule forbids without it. Written once.
    GiveConsent(NewConsent),
    /// The borrower took a consent back; it no longer counts from then on. Written once.
    WithdrawConsent {
        /// UUIDv7 made on the device.
        id: String,
        /// The consent's id.
        of: String,
        /// Device time, ms.
        at: i64,
    },
    /// Go on in spite of a rule that only warns, and say why. Written once.
    OverrideWarning {
        /// UUIDv7 made on the device.
        id: String,
        /// The rule's id.
        rule: String,
        /// Why.
        reason: String,
        /// Device time, ms.
        at: i64,
    },
    /// The borrower was told something. Written once.
    RecordNotice {
        /// UUIDv7 made on the device.
        id: String,
        /// What.
        about: NoticeAbout,
        /// When the borrower was told, ms.
        at: i64,
        /// How it is evidenced.
        grade: Grade,
        /// How.
        note: String,
    },
    /// A time or a place that the borrower does not want. Written once.
    RecordWish(NewWish),
    /// Pick one of the values that stand in conflict.
    Resolve {
        /// Path of the field, as in [`Conflict::path`](super::view::Conflict).
        path: String,
        /// The value's id, as in [`ConflictValue::id`](super::view::ConflictValue).
        pick: String,
    },
    /// Office: facts of the case.
    UpdateCase(Box<CasePatch>),
    /// Office: who visits, by when, how urgent, with what instructions.
    Assign(AssignmentPatch),
    /// Office: what other records of the case count.
    SummarizeContacts {
        /// Up to when the counts are complete, ms.
        as_of: i64,
        /// By name, as `conduct::summary` forms them; what is not named is taken away.
        counts: BTreeMap<String, i64>,
    },
    /// Office: lift a hold.
    LiftHold {
        /// Which hold.
        flag: Flag,
    },
    /// Office: accept the sealed record or return it with a remark.
    Review {
        /// `accepted` or `returned`; `pending` takes the decision back.
        status: ReviewStatus,
        /// What the collector should know; required when returned.
        remark: String,
        /// Time of the review, ms.
        at: i64,
    },
}
}

ApiType! {
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

ApiType! {
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

ApiType! {
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
/// Single fields of the appointment; absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppointmentPatch {
    /// Start of the window, ms.
    pub starts_at: Option<i64>,
    /// End of the window, ms.
    pub ends_at: Option<i64>,
    /// Where.
    pub place: Option<String>,
    /// Which side proposed it.
    pub proposed_by: Option<ProposedBy>,
    /// The borrower's own wishes.
    pub borrower_remark: Option<String>,
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
/// Single facts about the visit; absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitPatch {
    /// When the talk began, ms.
    pub talk_from: Option<i64>,
    /// When the talk ended, ms.
    pub talk_to: Option<i64>,
    /// When the collectors left, ms.
    pub left_at: Option<i64>,
    /// When the borrower asked the collectors to leave, ms.
    pub asked_to_leave_at: Option<i64>,
    /// What kind of place it is.
    pub place_type: Option<PlaceType>,
    /// Whom the collectors met.
    pub person_met: Option<TargetRole>,
    /// Sign-in name of a collector who takes part.
    pub add_visitor: Option<String>,
    /// Sign-in name of a collector who does not take part after all.
    pub remove_visitor: Option<String>,
}
}

ApiType! {
/// Single facts of the talk; absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TalkPatch {
    /// Why payment is late, as the borrower tells it.
    pub overdue_reason: Option<OverdueReason>,
    /// The same in the borrower's words.
    pub overdue_reason_text: Option<String>,
    /// How willing the borrower is to repay.
    pub willingness: Option<Willingness>,
    /// What came of the visit.
    pub disposition: Option<Disposition>,
}
}

ApiType! {
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

ApiType! {
/// A whole text as the person left it, and the state that the person saw when typing began.
///
/// The difference is worked out against that state and then merged, so that what others wrote
/// meanwhile stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextEdit {
    /// `heads` of the view that the text field was filled from.
    pub base: Vec<String>,
    /// The whole text now.
    pub text: String,
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
    pub kind: super::terms::AttachmentKind,
    /// What it shows.
    pub caption: String,
}
}

ApiType! {
/// A signature over what was sealed and read back, by the key of the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewSignature {
    /// UUIDv7 made on the device.
    pub id: String,
    /// Device time, ms.
    pub at: i64,
    /// The sealed state that is signed, as in [`VisitView::heads`](super::view::VisitView).
    pub heads: Vec<String>,
    /// The text that was read back, as it was shown.
    pub text: String,
    /// The device's public key, Ed25519, 64 hex digits.
    pub key: String,
    /// Over the [`Statement`](super::signature::Statement), 128 hex digits.
    pub signature: String,
}
}

ApiType! {
/// Facts of a case; absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CasePatch {
    /// The borrower's name.
    pub borrower_name: Option<String>,
    /// Phone numbers in order of use.
    pub phones: Option<Vec<String>>,
    /// Postal address.
    pub address: Option<String>,
    /// Where the address is: degrees north.
    pub lat: Option<f64>,
    /// Where the address is: degrees east.
    pub lon: Option<f64>,
    /// Product, such as `personal_loan`.
    pub product: Option<String>,
    /// Principal, minor units.
    pub principal: Option<i64>,
    /// Overdue amount, minor units.
    pub overdue: Option<i64>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// Days past due, at least 0.
    pub days_past_due: Option<i64>,
    /// `YYYY-MM-DD`.
    pub due_date: Option<String>,
    /// `YYYY-MM-DD`; empty when there was none.
    pub last_payment_date: Option<String>,
    /// BCP 47 language that the borrower prefers.
    pub preferred_language: Option<String>,
    /// The borrower's IANA time zone.
    pub zone: Option<String>,
    /// What the loan system says about the case.
    pub note: Option<String>,
}
}

ApiType! {
/// Who visits; absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AssignmentPatch {
    /// The whole set of collectors, by sign-in name.
    pub collectors: Option<Vec<String>>,
    /// `YYYY-MM-DD`; empty for none.
    pub due_by: Option<String>,
    /// 1 (high), 2 or 3.
    pub priority: Option<i64>,
    /// What the collectors should know.
    pub instructions: Option<String>,
    /// Policy id that conduct is judged by.
    pub policy: Option<String>,
}
}
