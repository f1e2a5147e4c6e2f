//! What a policy is: layers of rules, each a list of duties with their parameters.
//!
//! Layers are written as TOML and checked by [`parse`](super::parse); here they are plain values,
//! the same on the phone and in the office. A rule is kept when all of its duties are. Every rule
//! of every layer is asked by itself, so the strictest wins without a tie-break: windows intersect
//! since each must hold, and so do caps and duties.

use serde::{Deserialize, Serialize};

use super::terms::{Confidence, LegalStatus, Scope, Severity};
use super::time::Day;
use crate::record::terms::{CheckItem, Flag, NoticeAbout};

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name in `assignment.policy`, such as `CN`.
    pub id: String,
    /// Grows when a rule changes.
    pub version: String,
    /// What it is called.
    pub title: String,
    /// The layer whose records it is for; empty for all.
    pub jurisdiction: String,
    /// The office's word on counts and holds is too old after so many hours.
    pub max_age_hours: Option<i64>,
    /// National holidays, sorted.
    pub holidays: Vec<Day>,
    /// The years that the holidays cover, first and last day; none where there are no holidays.
    pub holidays_known: Option<(Day, Day)>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `CN-01`.
    pub id: String,
    /// One sentence, where the program has none of its own for it.
    pub title: String,
    /// What it is about.
    pub scope: Scope,
    /// What stands behind it.
    pub status: LegalStatus,
    /// How well that was seen.
    pub confidence: Confidence,
    /// Where it is written.
    pub citation: String,
    /// The first day on which it holds.
    pub from: Option<Day>,
    /// The first day on which it holds no more.
    pub until: Option<Day>,
    /// What a failure does.
    pub severity: Severity,
    /// Whether the borrower's consent waives it.
    pub consent: bool,
    /// What it asks for.
    #[serde(rename = "duties")]
    pub requirements: Vec<Requirement>,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Nothing outside `[from, to)`, minutes of the borrower's day.
    Window {
        /// Visits, calls or both.
        on: Scope,
        /// On which days it holds.
        days: Days,
        /// Minutes since midnight.
        from: i64,
        /// Minutes since midnight, up to 1440.
        to: i64,
    },
    /// Nothing at all on national holidays.
    Holidays,
    /// At most so many of something within a time.
    Cap {
        /// Of what.
        count: Count,
        /// Within what.
        within: Within,
        /// The most.
        most: i64,
    },
    /// No call within so many days of a conversation, whose own day is the first.
    Cooldown {
        /// Days.
        days: i32,
    },
    /// At least so many collectors on a visit.
    Visitors {
        /// The least.
        least: i64,
    },
    /// An item of the checklist.
    Check {
        /// Which.
        item: CheckItem,
        /// Whom somebody must have met for it to matter.
        met: Met,
        /// Whether "not possible" means that there was no occasion for it.
        optional: bool,
    },
    /// The person's identity was checked before the talk began.
    VerifiedFirst,
    /// Nobody entered a home without consent.
    EntryConsent,
    /// A home is entered, and a workplace visited, only where the borrower asked for it.
    OnRequest,
    /// None of these holds stands.
    Hold {
        /// Which.
        flags: Vec<Flag>,
    },
    /// A visit needs the borrower's agreement while one of these holds stands.
    AgreedDespite {
        /// Which.
        flags: Vec<Flag>,
    },
    /// Away within so many minutes once asked to leave.
    Leave {
        /// Minutes.
        minutes: i64,
    },
    /// Others are contacted only where the borrower cannot be reached, or is dead.
    ThirdParty {
        /// Failures in a row that make somebody unreachable.
        failures: i64,
    },
    /// Who counts as unreachable: an invalid number, or failures in a row.
    Unreachable {
        /// Failures.
        failures: i64,
    },
    /// Somebody else who refused is left alone.
    ThirdPartyRefusal,
    /// No violence, threats or abuse.
    Decent,
    /// Records are kept for so many months.
    Retention {
        /// Months.
        months: i64,
    },
    /// No plan is longer than so many months.
    PlanLength {
        /// Months.
        months: i64,
    },
    /// The borrower was told something before the first contact.
    NoticeBeforeContact {
        /// What.
        about: NoticeAbout,
    },
    /// The borrower was told something at most so many days after the first contact.
    NoticeAfterContact {
        /// What.
        about: NoticeAbout,
        /// Days.
        days: i64,
    },
    /// The borrower was told something so many hours before the visit.
    NoticeBeforeVisit {
        /// What.
        about: NoticeAbout,
        /// Hours.
        hours: i64,
    },
    /// Payments go through none of these channels.
    Channels {
        /// Words that a payment's channel may not hold.
        forbidden: Vec<String>,
    },
    /// One position, taken during the visit.
    OnePosition,
    /// A complaint is decided within so many days.
    ComplaintDecided {
        /// Days.
        days: i64,
    },
    /// The borrower's wishes about time and place are respected.
    Wishes,
    /// The borrower agreed to the visit.
    Permission,
}

/// On which days a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Days {
    /// All.
    All,
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekends,
}

/// What is counted. Attempts are apart from conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Count {
    /// Visits that arrived.
    Visits,
    /// Calls, answered or not, that were not to somebody else.
    Calls,
    /// Calls in which the borrower or a guarantor talked.
    Conversations,
    /// Whatever reached the borrower: conversations, messages, visits.
    Contacts,
    /// Calls to one number.
    Attempts,
    /// Calls to one number that nobody answered.
    Unanswered,
}

/// Within what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Within {
    /// So many days of the borrower's calendar in a row; 1 is a calendar day.
    Days(i32),
    /// A calendar month.
    Month,
}

/// Whom somebody must have met for an item of the checklist to matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Met {
    /// The borrower, a guarantor, or somebody who represents the borrower.
    Party,
    /// Anybody.
    Anybody,
    /// Nobody: it matters on every visit.
    Nobody,
}
