//! The closed vocabularies of the field: what a scalar of the record may say.

use crate::types::ApiType;

/// A closed vocabulary: an enum whose variants have one written form each, in every format.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        ApiType! {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vmeta])*
                #[cfg_attr(target_arch = "wasm32", serde(rename = $text))]
                #[cfg_attr(not(target_arch = "wasm32"), schemars(rename = $text))]
                $variant,)+
        }
        }
        impl $name {
            /// Every word of the vocabulary, in the order in which it is shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The written form.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// The word for a written form.
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
    /// Keeps users and devices, and all that a supervisor may do.
    Admin = "admin",
}}

vocabulary! {
/// How far a record has come. Never stored, always derived.
Stage {
    /// Given to a collector, nobody contacted yet.
    Assigned = "assigned",
    /// At least one attempt to reach somebody is logged.
    Contacted = "contacted",
    /// The borrower agreed to an appointment.
    Scheduled = "scheduled",
    /// The collectors have set out.
    OnSite = "on_site",
    /// A disposition is written down.
    Recorded = "recorded",
    /// The collector sealed the record.
    Sealed = "sealed",
    /// The office accepted it.
    Reviewed = "reviewed",
}}

vocabulary! {
/// How somebody was contacted.
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
/// Whom a contact reached or a visit met.
TargetRole {
    /// The borrower.
    Borrower = "borrower",
    /// A guarantor who is liable.
    Guarantor = "guarantor",
    /// Somebody who represents the borrower.
    Representative = "representative",
    /// Anybody else.
    ThirdParty = "third_party",
    /// Nobody.
    Nobody = "nobody",
}}

vocabulary! {
/// What came of a contact.
ContactOutcome {
    /// The right party was reached and talked (RPC).
    Reached = "reached",
    /// Nobody answered.
    NoAnswer = "no_answer",
    /// Busy or rejected.
    Busy = "busy",
    /// The number does not exist or is another person's.
    InvalidNumber = "invalid_number",
    /// A message was left without a word about debt.
    LeftMessage = "left_message",
    /// The person asked not to be contacted.
    Refused = "refused",
    /// Sent, no answer expected.
    Sent = "sent",
}}

vocabulary! {
/// Where an appointment stands.
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
/// What kind of place the visit goes to.
PlaceType {
    /// The borrower's home.
    Home = "home",
    /// The borrower's workplace.
    Workplace = "workplace",
    /// The lender's branch.
    Branch = "branch",
    /// A public place.
    Public = "public",
}}

vocabulary! {
/// The checklist at the door. Each has its container in the first change.
CheckItem {
    /// The collector said which institution sends them.
    IdentityStated = "identity_stated",
    /// The collector showed identification.
    IdShown = "id_shown",
    /// Credentials and the letter of authorisation were shown.
    CredentialsShown = "credentials_shown",
    /// The person at the door is the borrower, checked before a word about debt.
    IdentityVerified = "identity_verified",
    /// The purpose was stated.
    PurposeStated = "purpose_stated",
    /// The borrower was asked whether now is convenient.
    ConvenientNow = "convenient_now",
    /// The recording was announced.
    RecordingAnnounced = "recording_announced",
    /// The visit is recorded.
    VisitRecorded = "visit_recorded",
    /// The borrower agreed before anybody entered.
    EntryConsent = "entry_consent",
    /// Loan information was shown.
    LoanInfoShown = "loan_info_shown",
    /// The way to complain was told.
    ComplaintChannelTold = "complaint_channel_told",
    /// No word about debt to anybody else.
    NoThirdPartyDisclosure = "no_third_party_disclosure",
    /// No money was taken.
    NoMoneyTaken = "no_money_taken",
    /// The record was read back to the borrower.
    ReadBack = "read_back",
}}

vocabulary! {
/// What a collector answers on the checklist.
CheckAnswer {
    /// Done.
    Yes = "yes",
    /// Not done.
    No = "no",
    /// Could not be done, with a reason.
    NotPossible = "not_possible",
}}

vocabulary! {
/// How good the evidence for an answer is.
Grade {
    /// The collector says so.
    Attested = "attested",
    /// The device recorded it.
    DeviceCaptured = "device_captured",
    /// The other side confirmed it.
    CounterpartyConfirmed = "counterparty_confirmed",
}}

vocabulary! {
/// Why payment is late.
OverdueReason {
    /// Lost work or income.
    IncomeLoss = "income_loss",
    /// Illness or an accident.
    Illness = "illness",
    /// Family circumstances.
    Family = "family",
    /// A business that fails.
    BusinessFailure = "business_failure",
    /// Too many debts.
    OverIndebted = "over_indebted",
    /// Forgot, or did not know.
    Forgot = "forgot",
    /// Disputes the amount or the debt.
    Disputed = "disputed",
    /// Cash arrives later.
    CashFlow = "cash_flow",
    /// Another reason.
    Other = "other",
    /// Would not say.
    NotSaid = "not_said",
}}

vocabulary! {
/// How willing the borrower is to repay.
Willingness {
    /// Willing and able.
    Willing = "willing",
    /// Willing, not able yet.
    WillingUnable = "willing_unable",
    /// Has not decided.
    Undecided = "undecided",
    /// Not willing.
    Unwilling = "unwilling",
}}

vocabulary! {
/// What kind of repayment option.
OptionKind {
    /// Everything at once.
    FullPayment = "full_payment",
    /// In instalments.
    Instalments = "instalments",
    /// A part now, the rest later.
    PartialPayment = "partial_payment",
    /// Later, without a payment now.
    Deferral = "deferral",
    /// A smaller sum settles the debt.
    Settlement = "settlement",
}}

vocabulary! {
/// What came of the visit (disposition code, 外访结果码).
Disposition {
    /// Promise to pay.
    Ptp = "ptp",
    /// A plan was proposed and waits for the office.
    PlanProposed = "plan_proposed",
    /// The borrower is considering.
    Considering = "considering",
    /// Refuses to pay.
    Rtp = "rtp",
    /// Hardship.
    Hardship = "hardship",
    /// Disputes the debt.
    Dispute = "dispute",
    /// Says it is paid.
    ClaimsPaid = "claims_paid",
    /// Another time was agreed.
    Rescheduled = "rescheduled",
    /// Asked for no more visits.
    AskedNoVisit = "asked_no_visit",
    /// Represented by somebody.
    Represented = "represented",
    /// Not at home.
    NotHome = "not_home",
    /// Nobody opened.
    DoorLocked = "door_locked",
    /// Has moved away.
    Shifted = "shifted",
    /// The address does not exist.
    AddressNotFound = "address_not_found",
    /// Only somebody else was met.
    ThirdPartyOnly = "third_party_only",
    /// The borrower died.
    Deceased = "deceased",
    /// Bereavement or grave illness.
    BereavementIllness = "bereavement_illness",
    /// The collectors withdrew for their safety.
    SafetyWithdrawn = "safety_withdrawn",
    /// The collectors were asked to leave.
    AskedToLeave = "asked_to_leave",
    /// The borrower complained.
    Complaint = "complaint",
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
/// Where the office's review stands.
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
    /// What the rules said of a state of the record.
    Evaluation = "evaluation",
    /// The borrower agreed to something that a rule forbids without it.
    Consent = "consent",
    /// The borrower took a consent back.
    Withdrawal = "withdrawal",
    /// Somebody went on in spite of a warning, and says why.
    Override = "override",
    /// The borrower was told something.
    Notice = "notice",
    /// A time or a place that the borrower does not want.
    Wish = "wish",
}}

vocabulary! {
/// What the borrower was told.
NoticeAbout {
    /// That somebody else collects for the lender.
    Agency = "agency",
    /// What is owed and how to dispute it.
    Validation = "validation",
    /// Day, likely time and purpose of the visit.
    Visit = "visit",
    /// Who comes.
    Visitors = "visitors",
}}

impl Disposition {
    /// Whether the borrower was met.
    pub fn met(self) -> bool {
        matches!(
            self,
            Self::Ptp
                | Self::PlanProposed
                | Self::Considering
                | Self::Rtp
                | Self::Hardship
                | Self::Dispute
                | Self::ClaimsPaid
                | Self::Rescheduled
                | Self::AskedNoVisit
                | Self::Represented
        )
    }
}

impl Role {
    /// Whether the user works in the office and not at doors.
    pub fn writes_as_office(self) -> bool {
        matches!(self, Self::Supervisor | Self::Admin)
    }
}
