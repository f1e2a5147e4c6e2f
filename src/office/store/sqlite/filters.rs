//! Filters of the list as conditions over `visits v`: by an index, or row by row.

use rusqlite::types::Value;

use super::search::IndexQuery;
use crate::office::store::listing::escape_like;
use crate::office::store::{Listing, Queue};
use crate::record::terms::{Flag, ReviewStatus, Stage};

/// One condition.
pub(super) struct Condition {
    /// Position among the conditions that could lead: the most selective is the least.
    pub(super) rank: u8,
    /// Tables that give the rows by an index.
    pub(super) from: String,
    /// The condition for the index.
    pub(super) indexed: String,
    /// The index gives its rows in the order of queues.
    pub(super) in_queue_order: bool,
    /// The same condition for rows that another condition gives. Its columns have a `+`, so that
    /// SQLite takes no index for it.
    pub(super) filter: String,
    /// Values of both.
    pub(super) values: Vec<Value>,
    /// Values of `filter` where they differ.
    other_values: Option<Vec<Value>>,
}

impl Condition {
    pub(super) fn filter_values(&self) -> &[Value] {
        self.other_values.as_ref().unwrap_or(&self.values)
    }

    /// A condition on columns of `visits`. `{}` in the condition is where a `+` goes.
    fn column(rank: u8, index: &str, condition: &str, values: Vec<Value>) -> Self {
        Self {
            rank,
            from: format!("visits v INDEXED BY {index}"),
            indexed: condition.replace("{}", ""),
            in_queue_order: false,
            filter: condition.replace("{}", "+"),
            values,
            other_values: None,
        }
    }

    /// A condition on a table with rows of records.
    fn joined(rank: u8, table: &str, condition: &str, values: Vec<Value>) -> Self {
        Self {
            rank,
            from: format!("{table} j CROSS JOIN visits v ON v.record = j.record"),
            indexed: condition.to_owned(),
            in_queue_order: false,
            filter: format!(
                "EXISTS (SELECT 1 FROM {table} j WHERE j.record = v.record AND {condition})"
            ),
            values,
            other_values: None,
        }
    }

    fn in_queue_order(self) -> Self {
        Self { in_queue_order: true, ..self }
    }
}

/// The conditions of a listing's filters.
pub(super) fn conditions(listing: &Listing) -> Vec<Condition> {
    let mut found = Vec::new();
    let wanted = listing.text.trim();
    if !wanted.is_empty() {
        found.push(containing(wanted));
    }
    if let [collector] = listing.collectors.as_slice() {
        found.push(Condition::joined(
            1,
            "visit_collectors",
            "j.collector = ?",
            vec![text(collector)],
        ));
    }
    if listing.collectors.len() > 1 {
        found.push(any_of(&listing.collectors));
    }
    if let Some(queue) = listing.queue {
        found.extend(queued(queue, &listing.today));
    }
    if listing.conflicts {
        found.push(in_conflict());
    }
    if listing.unassigned {
        found.push(unassigned());
    }
    if let Some(hold) = listing.hold {
        found.push(held(hold));
    }
    if let Some(review) = listing.review {
        found.push(reviewed(review));
    }
    if !listing.stages.is_empty() {
        found.push(staged(&listing.stages));
    }
    if let Some(since) = listing.since {
        let values = vec![Value::Integer(since)];
        found.push(Condition::column(6, "visits_by_updated", "{}v.updated_at >= ?", values));
    }
    let mut facts = Filter::default();
    facts.add_facts(&listing.facts);
    if facts.sql != Filter::default().sql {
        let sql = format!("({})", facts.sql);
        found.push(Condition { filter: sql.clone(), values: facts.values, ..plain(&sql) });
    }
    found
}

/// The conditions of a queue.
fn queued(queue: Queue, today: &str) -> Vec<Condition> {
    let day = || vec![text(today)];
    match queue {
        Queue::Unassigned => vec![unassigned(), plain("v.stage NOT IN ('sealed', 'reviewed')")],
        Queue::DueToday => {
            vec![outstanding("{}v.due_by = ?", day()).in_queue_order()]
        }
        Queue::Overdue => vec![outstanding("{}v.due_by < ?", day())],
        Queue::Returned => {
            vec![reviewed(ReviewStatus::Returned), plain("v.stage = 'recorded'")]
        }
        Queue::ToReview => vec![staged(&[Stage::Sealed])],
        Queue::ToAudit => vec![
            Condition::joined(3, "audit_samples", "j.outcome IS NULL", Vec::new()),
            plain("v.stage IN ('sealed', 'reviewed')"),
        ],
        Queue::InConflict => vec![in_conflict()],
        Queue::ConductFailed => vec![conduct("fail")],
        Queue::ConductUnknown => vec![conduct("unknown"), plain("v.stage = 'sealed'")],
        Queue::Holds => vec![
            Condition::column(3, "visits_held", "{}v.held = 1", Vec::new()).in_queue_order(),
            plain("v.stage <> 'reviewed'"),
        ],
        Queue::Complaints => vec![held(Flag::Complaint), plain("v.stage <> 'reviewed'")],
        Queue::PromisesDue => vec![promised("{}v.promise_due = ?", day()).in_queue_order()],
        Queue::PromisesBroken => vec![promised("{}v.promise_due < ?", day())],
    }
}

/// A condition over `visits v` and its values, in order.
pub(super) struct Filter {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Default for Filter {
    /// Matches everything.
    fn default() -> Self {
        Self { sql: "1".into(), values: Vec::new() }
    }
}

impl Filter {
    pub(super) fn add(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values);
    }
}

/// A text as a value of a statement.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Part of the case number, the name or the address.
fn containing(wanted: &str) -> Condition {
    let IndexQuery { table, expression } = IndexQuery::of(wanted);
    let pattern = text(&format!("%{}%", escape_like(wanted)));
    Condition {
        rank: 0,
        from: format!(
            "{table} CROSS JOIN visit_search s ON s.id = {table}.rowid
             CROSS JOIN visits v INDEXED BY sqlite_autoindex_visits_1 ON v.record = s.record"
        ),
        indexed: format!("{table} MATCH ?"),
        in_queue_order: false,
        filter: "(v.case_no LIKE ? ESCAPE '\\' OR v.borrower_name LIKE ? ESCAPE '\\'
                  OR v.address LIKE ? ESCAPE '\\')"
            .to_owned(),
        values: vec![Value::Text(expression)],
        other_values: Some(vec![pattern.clone(), pattern.clone(), pattern]),
    }
}

/// Collectors, any of them. A record that several have counts once.
fn any_of(collectors: &[String]) -> Condition {
    let markers = vec!["?"; collectors.len()].join(", ");
    let values = collectors.iter().map(|name| text(name)).collect();
    let condition = format!("j.collector IN ({markers})");
    let joined = Condition::joined(1, "visit_collectors", &condition, values);
    let from = format!(
        "(SELECT DISTINCT j.record FROM visit_collectors j WHERE {condition}) j
         CROSS JOIN visits v ON v.record = j.record"
    );
    Condition { from, indexed: "1".to_owned(), ..joined }
}

/// A visit that has a day and has not begun.
fn outstanding(day: &str, values: Vec<Value>) -> Condition {
    const OUTSTANDING: &str =
        "{}v.stage IN ('assigned', 'contacted', 'scheduled') AND {}v.due_by <> ''";
    let condition = format!("{OUTSTANDING} AND {day}");
    Condition::column(3, "visits_outstanding", &condition, values)
}

fn promised(day: &str, values: Vec<Value>) -> Condition {
    let condition = format!("{{}}v.promise_open = 1 AND {day}");
    Condition::column(3, "visits_promised", &condition, values)
}

fn in_conflict() -> Condition {
    Condition::column(2, "visits_in_conflict", "{}v.conflicts > 0", Vec::new()).in_queue_order()
}

fn unassigned() -> Condition {
    Condition::column(3, "visits_unassigned", "{}v.unassigned = 1", Vec::new()).in_queue_order()
}

fn held(flag: Flag) -> Condition {
    Condition::joined(3, "visit_holds", "j.flag = ?", vec![text(flag.as_str())])
}

fn reviewed(review: ReviewStatus) -> Condition {
    let values = vec![text(review.as_str())];
    // Hardly any record waits for a correction; most are pending or accepted.
    let rank = if review == ReviewStatus::Returned { 3 } else { 5 };
    Condition::column(rank, "visits_by_review", "{}v.review_status = ?", values).in_queue_order()
}

fn staged(stages: &[Stage]) -> Condition {
    let markers = vec!["?"; stages.len()].join(", ");
    let values = stages.iter().map(|stage| text(stage.as_str())).collect();
    let condition = format!("{{}}v.stage IN ({markers})");
    let found = Condition::column(4, "visits_by_stage", &condition, values);
    if stages.len() == 1 { found.in_queue_order() } else { found }
}

/// An answer of a rule in force. A record counts once.
fn conduct(answer: &str) -> Condition {
    let condition = "j.answer = ? AND j.shadow = 0";
    let from = "(SELECT DISTINCT c.record FROM conduct c INDEXED BY conduct_in_force
                 WHERE c.answer = ? AND c.shadow = 0) j
                CROSS JOIN visits v ON v.record = j.record";
    let joined = Condition::joined(3, "conduct", condition, vec![text(answer)]);
    Condition { from: from.to_owned(), indexed: "1".to_owned(), ..joined }
}

/// A condition that always comes with another one of the same queue, which leads.
fn plain(condition: &str) -> Condition {
    let (from, indexed) = ("visits v".to_owned(), condition.to_owned());
    Condition {
        rank: u8::MAX,
        from,
        indexed,
        in_queue_order: false,
        filter: condition.replacen("v.", "+v.", 1),
        values: Vec::new(),
        other_values: None,
    }
}
