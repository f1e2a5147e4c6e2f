//! Values of which a command carries only the fields that change; absent means unchanged.

use serde::{Deserialize, Serialize};

use crate::record::terms::{
    Disposition, OverdueReason, PlaceType, ProposedBy, TargetRole, Willingness,
};
use crate::types::ApiType;

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
    /// The person that the collectors met.
    pub person_met: Option<TargetRole>,
    /// Sign-in name of a collector who takes part.
    pub add_visitor: Option<String>,
    /// Sign-in name of a collector to remove from the visitors.
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
    /// The outcome of the visit.
    pub disposition: Option<Disposition>,
}
}

ApiType! {
/// The whole text after an edit, and the heads of the state that the edit began from.
///
/// The diff against that state is merged, which keeps concurrent edits of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextEdit {
    /// `heads` of the view that the text field was filled from.
    pub base: Vec<String>,
    /// The whole text now.
    pub text: String,
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
    /// Note of the loan system.
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
    /// Instructions for the collectors.
    pub instructions: Option<String>,
    /// Id of the conduct policy.
    pub policy: Option<String>,
}
}
