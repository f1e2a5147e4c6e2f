//! The commands: everything that a user can do to a record.
//!
//! Patches carry only the fields that change, since every field of a form is saved separately. Times are
//! milliseconds since 1970-01-01 UTC; dates are `YYYY-MM-DD`; money is in minor units of the
//! case's currency.

mod entries;
mod patches;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{
    AppointmentStatus, CheckAnswer, CheckItem, Flag, Grade, NoticeAbout, ReviewStatus,
};
use crate::types::ApiType;
pub use entries::{
    AppointmentProposal, Arrival, NewAttachment, NewConsent, NewContact, NewEvaluation, NewPayment,
    NewSignature, NewWish, Position, PromiseToPay, RepaymentOption,
};
pub use patches::{AppointmentPatch, AssignmentPatch, CasePatch, TalkPatch, TextEdit, VisitPatch};

/// Declares the commands: objects with the command's name under `do`.
///
/// To find that name among the other fields, serde buffers the whole object before it decodes the
/// command. That code is a large part of the wasm, so there JavaScript passes the name separately.
macro_rules! commands {
    ($(#[$meta:meta])* pub enum Command $variants:tt) => {
        ApiType! {
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Serialize)]
            #[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
            #[serde(tag = "do", rename_all = "snake_case")]
            pub enum Command $variants
        }

        /// [`Command`], decoded with its name given separately.
        #[cfg(target_arch = "wasm32")]
        #[derive(Deserialize)]
        #[serde(remote = "Command", rename_all = "snake_case")]
        pub(crate) enum NamedCommand $variants
    };
}

commands! {
/// A user's change to a visit record.
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
    /// Arrive at the place, with the position if it is shared.
    Arrive(Arrival),
    /// Single facts about the visit.
    EditVisit(VisitPatch),
    /// One item of the checklist at the door.
    Check {
        /// Which item.
        item: CheckItem,
        /// The collector's answer; `None` removes it.
        answer: Option<CheckAnswer>,
        /// How the answer is evidenced.
        grade: Grade,
        /// Device time, ms.
        at: i64,
        /// The reason for `not_possible`.
        reason: Option<String>,
    },
    /// Edit reason, willingness and outcome.
    EditTalk(TalkPatch),
    /// Clear single fields of appointment, visit or talk, to undo an entry made by mistake.
    Clear {
        /// Their paths, such as `talk.disposition`.
        paths: Vec<String>,
    },
    /// Offer a way to repay.
    OfferOption(RepaymentOption),
    /// Remove an option that was offered by mistake (before the seal).
    WithdrawOption {
        /// The option's id.
        id: String,
    },
    /// The option that the borrower chose; `None` for none.
    ChooseOption {
        /// The option's id.
        id: Option<String>,
    },
    /// A promise to pay (PTP); `None` removes it.
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
    /// Add an attachment's metadata; its bytes are uploaded separately. Written once.
    AddAttachment(NewAttachment),
    /// Seal the record: it is complete and was read back.
    Seal {
        /// Device time, ms.
        at: i64,
    },
    /// A collector's signature of the seal. Written once; every collector of the visit signs.
    Sign(NewSignature),
    /// An addition after the seal. Written once.
    Amend {
        /// UUIDv7 made on the device.
        id: String,
        /// Device time, ms.
        at: i64,
        /// The amended field, such as `talk.disposition`.
        path: String,
        /// The addition or correction.
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
    /// The borrower consented to something that a rule forbids otherwise. Written once.
    GiveConsent(NewConsent),
    /// The borrower withdrew a consent; it is invalid from then on. Written once.
    WithdrawConsent {
        /// UUIDv7 made on the device.
        id: String,
        /// The consent's id.
        of: String,
        /// Device time, ms.
        at: i64,
    },
    /// Continue despite a rule that only warns, with a reason. Written once.
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
    /// The borrower was informed. Written once.
    RecordNotice {
        /// UUIDv7 made on the device.
        id: String,
        /// The subject.
        about: NoticeAbout,
        /// When the borrower was informed, ms.
        at: i64,
        /// How it is evidenced.
        grade: Grade,
        /// How.
        note: String,
    },
    /// A time or a place that the borrower objects to. Written once.
    RecordWish(NewWish),
    /// Resolve a conflict by picking one of its values.
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
    /// Office: counts over the other records of the case.
    SummarizeContacts {
        /// The counts are complete up to this time, ms.
        as_of: i64,
        /// By name, as formed by `conduct::summary`; names not given are removed.
        counts: BTreeMap<String, i64>,
    },
    /// Office: lift a hold.
    LiftHold {
        /// Which hold.
        flag: Flag,
    },
    /// Office: accept the sealed record or return it with a remark.
    Review {
        /// `accepted` or `returned`; `pending` reverts the decision.
        status: ReviewStatus,
        /// A remark for the collector; required when returned.
        remark: String,
        /// The fields to correct; only with `returned`.
        #[serde(default)]
        marks: Vec<ReviewMark>,
        /// Time of the review, ms.
        at: i64,
    },
}
}

ApiType! {
/// A field that a return is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewMark {
    /// Path of the field, or of a group of fields such as `talk.promise`.
    pub path: String,
    /// What the collector should do about it; one line.
    pub note: String,
}
}
