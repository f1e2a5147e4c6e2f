//! Vocabularies of the visit itself: the place, the checklist and the talk.

use super::vocabulary;
use crate::types::ApiType;

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
    /// The person's identity was verified before the debt was mentioned.
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
    /// The borrower was told how to complain.
    ComplaintChannelTold = "complaint_channel_told",
    /// The debt was not disclosed to third parties.
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
/// The grade of the evidence for an answer.
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
/// The outcome of the visit (disposition code, 外访结果码).
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
    /// The borrower has a representative.
    Represented = "represented",
    /// Not at home.
    NotHome = "not_home",
    /// The door stayed closed.
    DoorLocked = "door_locked",
    /// Has moved away.
    Shifted = "shifted",
    /// The address does not exist.
    AddressNotFound = "address_not_found",
    /// Only a third party was met.
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
