//! The data model of a policy: layers of rules, each a list of requirements.
//!
//! Layers are written in TOML and checked by [`parse`](super::parse). A rule passes if all of its
//! requirements do. Every rule is evaluated independently, so the strictest wins: a visit must be
//! within all windows and below all caps.

use serde::{Deserialize, Serialize};

use super::terms::{Confidence, LegalStatus, Scope, Severity};
use super::time::Day;
use crate::record::terms::{CheckItem, Flag, NoticeAbout};

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name in `assignment.policy`, such as `CN`.
    pub id: String,
    /// Increases when a rule changes.
    pub version: String,
    /// Display name.
    pub title: String,
    /// The layer whose records it applies to; empty for all.
    pub jurisdiction: String,
    /// Maximum age of the office's counts and holds, hours.
    pub max_age_hours: Option<i64>,
    /// National holidays, sorted.
    pub holidays: Vec<Day>,
    /// The period that the holidays cover, `[from, until)`; `None` without holidays.
    pub holidays_known: Option<(Day, Day)>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `CN-01`.
    pub id: String,
    /// One sentence; empty if the program has its own translation.
    pub title: String,
    /// Whether it applies to visits, calls or both.
    pub scope: Scope,
    /// Its legal status.
    pub status: LegalStatus,
    /// How reliable its source is.
    pub confidence: Confidence,
    /// Its source.
    pub citation: String,
    /// The first day in force.
    pub from: Option<Day>,
    /// The first day no longer in force.
    pub until: Option<Day>,
    /// The effect of a failure.
    pub severity: Severity,
    /// Whether the borrower's consent waives it.
    pub consent: bool,
    /// What it requires.
    #[serde(rename = "duties")]
    pub requirements: Vec<Requirement>,
}

/// What a rule requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// Contact only within `[from, to)`, by the borrower's clock.
    Window {
        /// Visits, calls or both.
        on: Scope,
        /// Days of the week.
        days: Days,
        /// Minutes since midnight.
        from: i64,
        /// Minutes since midnight, up to 1440.
        to: i64,
    },
    /// No contact on national holidays.
    Holidays,
    /// A maximum count within a period.
    Cap {
        /// What is counted.
        count: Count,
        /// The period.
        within: Within,
        /// The maximum.
        most: i64,
    },
    /// No call within a number of days of a conversation, counting the day of the conversation.
    Cooldown {
        /// Days.
        days: i32,
    },
    /// A minimum number of collectors on a visit.
    Visitors {
        /// The minimum.
        least: i64,
    },
    /// An item of the checklist is answered with yes.
    Check {
        /// The item.
        item: CheckItem,
        /// The item applies only if such a person was met.
        met: Met,
        /// Whether `not_possible` makes the item not applicable instead of failed.
        optional: bool,
    },
    /// The person's identity was checked before the talk began.
    VerifiedFirst,
    /// A home is entered only with consent.
    EntryConsent,
    /// A home is entered, and a workplace visited, only at the borrower's request.
    OnRequest,
    /// None of these holds is in force.
    Hold {
        /// The holds.
        flags: Vec<Flag>,
    },
    /// While one of these holds is in force, a visit needs the borrower's agreement.
    AgreedDespite {
        /// The holds.
        flags: Vec<Flag>,
    },
    /// The collectors leave within a number of minutes after being asked to.
    Leave {
        /// Minutes.
        minutes: i64,
    },
    /// Third parties are contacted only if the borrower is unreachable or dead.
    ThirdParty {
        /// Consecutive failed calls that make the borrower unreachable.
        failures: i64,
    },
    /// The borrower counts as unreachable after an invalid number or consecutive failed calls.
    Unreachable {
        /// Failures.
        failures: i64,
    },
    /// A third party who refused is not contacted again.
    ThirdPartyRefusal,
    /// No violence, threats or abuse.
    Decent,
    /// Records are retained for a number of months.
    Retention {
        /// Months.
        months: i64,
    },
    /// Maximum length of a repayment plan.
    PlanLength {
        /// Months.
        months: i64,
    },
    /// The borrower is notified before the first contact.
    NoticeBeforeContact {
        /// The subject of the notice.
        about: NoticeAbout,
    },
    /// The borrower is notified at most this many days after the first contact.
    NoticeAfterContact {
        /// The subject of the notice.
        about: NoticeAbout,
        /// Days.
        days: i64,
    },
    /// The borrower is notified at least this many hours before the visit.
    NoticeBeforeVisit {
        /// The subject of the notice.
        about: NoticeAbout,
        /// Hours.
        hours: i64,
    },
    /// Payments are not made through these channels.
    Channels {
        /// Words that a payment's channel may not contain.
        forbidden: Vec<String>,
    },
    /// One position, taken during the visit.
    OnePosition,
    /// A complaint is decided within a number of days.
    ComplaintDecided {
        /// Days.
        days: i64,
        /// Days within which it is decided where the office extends the deadline, with a reason.
        /// Without it, the rule knows no extension.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        longest: Option<i64>,
    },
    /// The borrower's wishes about time and place are respected.
    Wishes,
    /// The borrower agreed to the visit.
    Permission,
}

/// Days of the week on which a window applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Days {
    /// All.
    All,
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekends,
}

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Count {
    /// Visits with an arrival.
    Visits,
    /// Calls, answered or not, except to third parties.
    Calls,
    /// Calls that reached the borrower, a guarantor or a representative.
    Conversations,
    /// Everything that reached the borrower: conversations, messages, visits.
    Contacts,
    /// Calls per number.
    Attempts,
    /// Unanswered calls per number.
    Unanswered,
}

/// The period of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Within {
    /// Consecutive days of the borrower's calendar; 1 is a calendar day.
    Days(i32),
    /// A calendar month.
    Month,
}

/// The person who must be met for an item of the checklist to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Met {
    /// The borrower, a guarantor or a representative.
    Party,
    /// Any person.
    Anybody,
    /// No condition: it applies to every visit.
    Nobody,
}
