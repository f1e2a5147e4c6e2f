//! What the dashboard counts.

use super::StoreError;
use crate::conduct::terms::Answer;
use crate::record::queue::open_promise;
use crate::record::terms::{Disposition, Flag, OverdueReason, TargetRole};
use crate::record::view::VisitView;

/// Facts of a record that the dashboard counts, beside those of its summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFacts {
    /// When the collectors arrived, ms.
    pub arrived_at: Option<i64>,
    /// Whom they met.
    pub person_met: Option<TargetRole>,
    /// Why payment is late.
    pub overdue_reason: Option<OverdueReason>,
    /// The promise of a payment.
    pub promise: Option<PromiseFact>,
}

/// A promised payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseFact {
    /// Minor units of the record's currency.
    pub amount: i64,
    /// `YYYY-MM-DD`.
    pub due: String,
    /// The recorded payments do not reach its amount.
    pub open: bool,
}

impl ReportFacts {
    /// The facts of a record.
    pub fn of(view: &VisitView) -> Self {
        let promise = view.talk.promise.as_ref().map(|promise| PromiseFact {
            amount: promise.amount,
            due: promise.due_date.clone(),
            open: open_promise(view).is_some(),
        });
        Self {
            arrived_at: view.visit.arrived_at,
            person_met: view.visit.person_met,
            overdue_reason: view.talk.overdue_reason,
            promise,
        }
    }
}

/// Days, both included, as times and as dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Start of the first day, ms.
    pub start: i64,
    /// End of the last day, ms, exclusive.
    pub end: i64,
    /// The first day, `YYYY-MM-DD`.
    pub from: String,
    /// The last day.
    pub to: String,
}

/// Dated facts of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An agreed appointment starts.
    Planned,
    /// The collectors arrive.
    Visited,
    /// A contact attempt, other than a message that expects no answer.
    Contacted,
    /// A contact that reached the right party.
    Reached,
    /// A promised payment is due.
    Promised,
    /// The assignment is due, and the office has not accepted the record.
    Due,
}

impl Event {
    /// The event with this stable name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "planned" => Some(Self::Planned),
            "visited" => Some(Self::Visited),
            "contacted" => Some(Self::Contacted),
            "reached" => Some(Self::Reached),
            "promised" => Some(Self::Promised),
            "due" => Some(Self::Due),
            _ => None,
        }
    }
}

/// State of a promise on some day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromiseState {
    /// The recorded payments reach its amount.
    Kept,
    /// They do not, and its day has not passed.
    Pending,
    /// They do not, and its day has passed.
    Broken,
}

impl PromiseState {
    /// The state with this stable name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "kept" => Some(Self::Kept),
            "pending" => Some(Self::Pending),
            "broken" => Some(Self::Broken),
            _ => None,
        }
    }
}

/// A range of days past due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DpdBucket {
    /// The lowest number of days.
    pub least: i64,
    /// The highest; `None` for no limit.
    pub most: Option<i64>,
}

impl DpdBucket {
    /// All of them; together they hold every number of days.
    pub const ALL: [Self; 6] = [
        Self { least: i64::MIN, most: Some(0) },
        Self { least: 1, most: Some(30) },
        Self { least: 31, most: Some(60) },
        Self { least: 61, most: Some(90) },
        Self { least: 91, most: Some(180) },
        Self { least: 181, most: None },
    ];

    /// The bucket of a number of days.
    pub fn of(days: i64) -> Self {
        let holds = |bucket: &Self| bucket.most.is_none_or(|most| days <= most);
        Self::ALL.into_iter().find(holds).unwrap_or(Self::ALL[5])
    }

    /// Its stable name: `0`, `1-30` … `181-`.
    pub fn name(self) -> String {
        match (self.least, self.most) {
            (i64::MIN, Some(most)) => most.to_string(),
            (least, Some(most)) => format!("{least}-{most}"),
            (least, None) => format!("{least}-"),
        }
    }

    /// The bucket with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.name() == name)
    }
}

/// Conditions over the facts that a report counts; absent ones match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactFilter {
    /// An event in a period.
    pub event: Option<(Event, Period)>,
    /// Only with an arrival, whenever it was.
    pub visited: bool,
    /// Only where the borrower, a guarantor or a representative was met.
    pub met: bool,
    /// This outcome; `Some(None)`: none yet.
    pub outcome: Option<Option<Disposition>>,
    /// This reason for late payment; `Some(None)`: none yet.
    pub reason: Option<Option<OverdueReason>>,
    /// Days past due.
    pub dpd: Option<DpdBucket>,
    /// With a promise in this state on a day, `YYYY-MM-DD`.
    pub promise: Option<(PromiseState, String)>,
    /// An answer of this rule did not pass, except in shadow mode.
    pub rule: Option<String>,
    /// An answer of any rule, or of `rule`, is this one, except in shadow mode.
    pub answer: Option<Answer>,
}

/// The records that a report counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportQuery {
    /// The days.
    pub period: Period,
    /// Today: promises due earlier that are not kept are broken.
    pub today: String,
    /// Only records assigned to one of these collectors; everything if there is none.
    pub collectors: Vec<String>,
}

/// Number of visits with one combination of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitedCount {
    /// The outcome.
    pub disposition: Option<Disposition>,
    /// Why payment is late.
    pub overdue_reason: Option<OverdueReason>,
    /// Whom the collectors met.
    pub person_met: Option<TargetRole>,
    /// Days past due.
    pub dpd: DpdBucket,
    /// How many.
    pub count: u64,
}

/// Promises in one currency and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseCount {
    /// ISO 4217 code.
    pub currency: String,
    /// Their state today.
    pub state: PromiseState,
    /// How many.
    pub count: u64,
    /// Sum of the promised amounts, minor units.
    pub amount: i64,
}

/// Work of one collector.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CollectorLoad {
    /// Sign-in name.
    pub collector: String,
    /// Records due in the period that the office has not accepted.
    pub due: u64,
    /// Agreed appointments that start in the period.
    pub planned: u64,
    /// Visits with an arrival in the period.
    pub visited: u64,
}

/// Answers of one rule that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// Visits for which it was not kept.
    pub failed: u64,
    /// Visits for which it is unknown.
    pub unknown: u64,
}

/// Sums of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportSums {
    /// Agreed appointments that start in the period.
    pub planned: u64,
    /// Of those, records with an arrival.
    pub planned_visited: u64,
    /// Visits with an arrival in the period.
    pub visited: Vec<VisitedCount>,
    /// Contact attempts in the period.
    pub contacts: u64,
    /// Of those, the ones that reached the right party.
    pub reached: u64,
    /// Promises due in the period.
    pub promises: Vec<PromiseCount>,
    /// Holds in force now.
    pub holds: Vec<(Flag, u64)>,
    /// Conduct of the visits with an arrival in the period, by rule; without rules in shadow mode.
    pub conduct: Vec<RuleCount>,
    /// By collector, in order of their names.
    pub load: Vec<CollectorLoad>,
}

/// A record as its collector's own figures count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnVisit {
    /// When the collectors arrived, ms.
    pub arrived_at: Option<i64>,
    /// The day of a promised payment, and whether recorded payments do not reach its amount yet.
    pub promise: Option<(String, bool)>,
    /// Rules that were not kept, except in shadow mode.
    pub failed: u64,
    /// Rules whose answer is unknown, except in shadow mode.
    pub unknown: u64,
}

/// Reads for the dashboard.
pub trait ReportReads {
    /// A collector's records with an arrival or a promise due in a period. Its cost depends on the
    /// records of this collector alone.
    fn own_visits(&mut self, collector: &str, of: &Period) -> Result<Vec<OwnVisit>, StoreError>;
    /// The sums over a period and a team.
    fn report(&mut self, query: &ReportQuery) -> Result<ReportSums, StoreError>;
}
