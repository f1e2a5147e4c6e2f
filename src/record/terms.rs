//! Enums of the record, each with one fixed text form.

mod visit;

use crate::types::ApiType;
pub use visit::{
    CheckAnswer, CheckItem, Disposition, Grade, OptionKind, OverdueReason, PlaceType, Willingness,
};

/// An enum whose variants have one text form each, the same in every format.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        ApiType! {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[cfg_attr(target_arch = "wasm32", serde(rename = $text))]
                #[cfg_attr(not(target_arch = "wasm32"), schemars(rename = $text))]
                $variant,
            )+
        }
        }
        impl $name {
            /// All variants, in display order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The text form.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// The variant with this text form.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&text, &[$($text),+]))
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
/// What a user may do.
Role {
    /// Visits.
    Collector = "collector",
    /// Assigns, reviews, returns.
    Supervisor = "supervisor",
    /// Reads everything, writes nothing.
    Auditor = "auditor",
    /// Manages users and devices; has all rights of a supervisor.
    Admin = "admin",
}}

vocabulary! {
/// How far a visit has come. Never stored, always derived.
Stage {
    /// Assigned to a collector, no contact yet.
    Assigned = "assigned",
    /// At least one contact attempt is logged.
    Contacted = "contacted",
    /// The borrower agreed to an appointment.
    Scheduled = "scheduled",
    /// The collectors have set out.
    OnSite = "on_site",
    /// A disposition is recorded.
    Recorded = "recorded",
    /// The collector sealed the record.
    Sealed = "sealed",
    /// The office accepted it.
    Reviewed = "reviewed",
}}

vocabulary! {
/// The channel of a contact.
Channel {
    /// Phone call.
    Call = "call",
    /// Text message.
    Sms = "sms",
    /// Messaging app.
    Message = "message",
    /// E-mail.
    Email = "email",
    /// Letter.
    Letter = "letter",
    /// Visit in person.
    Visit = "visit",
}}

vocabulary! {
/// The person contacted or met.
TargetRole {
    /// The borrower.
    Borrower = "borrower",
    /// A guarantor who is liable.
    Guarantor = "guarantor",
    /// A representative of the borrower.
    Representative = "representative",
    /// Anybody else.
    ThirdParty = "third_party",
    /// Nobody.
    Nobody = "nobody",
}}

vocabulary! {
/// The outcome of a contact.
ContactOutcome {
    /// The right party was reached and talked (RPC).
    Reached = "reached",
    /// No answer.
    NoAnswer = "no_answer",
    /// Busy or rejected.
    Busy = "busy",
    /// The number does not exist or is another person's.
    InvalidNumber = "invalid_number",
    /// A message was left that does not mention the debt.
    LeftMessage = "left_message",
    /// The person asked not to be contacted.
    Refused = "refused",
    /// Sent, no answer expected.
    Sent = "sent",
}}

vocabulary! {
/// The status of an appointment.
AppointmentStatus {
    /// Proposed, not answered.
    Proposed = "proposed",
    /// The borrower agreed.
    Agreed = "agreed",
    /// The borrower declined.
    Declined = "declined",
    /// Called off.
    Cancelled = "cancelled",
}}

vocabulary! {
/// Which side proposed the appointment.
ProposedBy {
    /// The borrower.
    Borrower = "borrower",
    /// The collector.
    Collector = "collector",
    /// The office.
    Office = "office",
}}

vocabulary! {
/// A flag that stops contact (停催). Each has its container in the first change.
Flag {
    /// The debt is disputed.
    Dispute = "dispute",
    /// A complaint is open.
    Complaint = "complaint",
    /// An attorney represents the borrower.
    Attorney = "attorney",
    /// The borrower is vulnerable.
    Vulnerable = "vulnerable",
    /// The borrower asked for contact to cease.
    CeaseContact = "cease_contact",
    /// A repayment plan is signed and kept.
    ActivePlan = "active_plan",
    /// Bankruptcy.
    Bankruptcy = "bankruptcy",
    /// The borrower died.
    Deceased = "deceased",
    /// The borrower mourns.
    Bereavement = "bereavement",
}}

vocabulary! {
/// What an attachment is.
AttachmentKind {
    /// A photo.
    Photo = "photo",
    /// A sound recording.
    Audio = "audio",
    /// A signature.
    Signature = "signature",
    /// A receipt.
    Receipt = "receipt",
    /// Another document.
    Document = "document",
}}

vocabulary! {
/// The status of the office's review.
ReviewStatus {
    /// Not decided.
    Pending = "pending",
    /// Accepted.
    Accepted = "accepted",
    /// Returned to the collector.
    Returned = "returned",
}}

vocabulary! {
/// When in a visit's life conduct is evaluated.
Moment {
    /// Before departure.
    Before = "before",
    /// On arrival, at the door.
    Arrival = "arrival",
    /// After the visit.
    After = "after",
}}

vocabulary! {
/// What an entry of `conduct` is.
ConductKind {
    /// The result of evaluating the rules on a state of the record.
    Evaluation = "evaluation",
    /// The borrower consented to something that a rule forbids otherwise.
    Consent = "consent",
    /// The borrower withdrew a consent.
    Withdrawal = "withdrawal",
    /// A user continued despite a warning, with a reason.
    Override = "override",
    /// The borrower was informed.
    Notice = "notice",
    /// A time or a place that the borrower objects to.
    Wish = "wish",
}}

vocabulary! {
/// The subject of a notice to the borrower.
NoticeAbout {
    /// An agency collects for the lender.
    Agency = "agency",
    /// The amount owed and how to dispute it.
    Validation = "validation",
    /// Day, likely time and purpose of the visit.
    Visit = "visit",
    /// The names of the visitors.
    Visitors = "visitors",
}}

impl Role {
    /// Whether the role writes with the office's rights.
    pub fn writes_as_office(self) -> bool {
        matches!(self, Self::Supervisor | Self::Admin)
    }
}
