//! Everything a person can do to a record, as one typed command each.
//!
//! Patches carry only the fields that change, so that every field can save itself. Times are
//! milliseconds since 1970-01-01 UTC; dates are `YYYY-MM-DD`; money is in minor units of the
//! case's currency.

mod entries;
mod patches;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{
    AppointmentStatus, CheckAnswer, CheckItem, Flag, Grade, NoticeAbout, ReviewStatus,
};
use crate::types::TsType;
pub use entries::{
    AppointmentProposal, Arrival, NewAttachment, NewConsent, NewContact, NewEvaluation, NewPayment,
    NewSignature, NewWish, Position, PromiseToPay, RepaymentOption,
};
pub use patches::{AppointmentPatch, AssignmentPatch, CasePatch, TalkPatch, TextEdit, VisitPatch};

/// Declares the commands: objects with the command's name under `do`.
///
/// To find that name among the other fields, serde first collects an object into values of its
/// own and reads each command from those. In the wasm, where that is a large part of the
/// download, JavaScript hands the name over beside the object instead.
macro_rules! commands {
    ($(#[$meta:meta])* pub enum Command $variants:tt) => {
        TsType! {
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
