//! Reviews and holds of many records at once.

use doorstep::ids::RecordId;
use doorstep::record::command::Command;
use doorstep::record::terms::{Flag, ReviewStatus, Role};
use serde_json::{Value, json};

use crate::support::http_office::{HttpOffice, NOW};

struct Desk {
    http: HttpOffice,
    records: Vec<RecordId>,
    lin: String,
}

impl Desk {
    /// Two records of a collector.
    async fn new(rules: Option<&str>) -> Self {
        let mut http = HttpOffice::open().await;
        if let Some(rules) = rules {
            http = http.with_approvals(rules);
        }
        let records =
            vec![http.visit("NB1", &["chen.jie"]).await, http.visit("NB2", &["chen.jie"]).await];
        let lin = http.token("lin.yue").await;
        Self { http, records, lin }
    }

    /// The outcomes of an action on all records as they are seen now.
    async fn act(&self, action: &Value) -> Vec<String> {
        self.act_on(action, &self.seen().await).await
    }

    async fn act_on(&self, action: &Value, seen: &[i64]) -> Vec<String> {
        let rows: Vec<Value> = (self.records.iter().zip(seen))
            .map(|(record, at)| json!({ "record": record.to_string(), "seen_at": at }))
            .collect();
        let body = json!({ "action": action, "rows": rows }).to_string();
        let answer = self.http.post_json("/api/bulk", Some(&self.lin), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.told());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = answer.json()["rows"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| match text(&row["code"]) {
                code if code.is_empty() => text(&row["outcome"]),
                code => code,
            })
            .collect()
    }

    /// `updated_at` of the rows of all records.
    async fn seen(&self) -> Vec<i64> {
        let page = self.http.get("/api/visits?sort=case_no&dir=asc", Some(&self.lin)).await.json();
        let rows = page["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["updated_at"].as_i64().unwrap()).collect()
    }

    async fn command(&self, at: usize, command: Value, user: &str, role: Role) {
        // Each change has a time of its own.
        self.http.office.advance(1);
        let command: Command = serde_json::from_value(command).unwrap();
        self.http.office.command(self.records[at], command, user, role).await.unwrap();
    }

    async fn seal(&self, at: usize) {
        let outcome = json!({ "do": "edit_talk", "disposition": "rtp" });
        self.command(at, outcome, "chen.jie", Role::Collector).await;
        self.command(at, json!({ "do": "seal", "at": 5 }), "chen.jie", Role::Collector).await;
    }

    async fn holds(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for record in &self.records {
            found.push(self.http.office.visit(*record).await.unwrap().case.flags.len());
        }
        found
    }

    async fn review(&self, at: usize) -> ReviewStatus {
        self.http.office.visit(self.records[at]).await.unwrap().review.status
    }
}

fn place(flag: Flag) -> Value {
    json!({ "do": "place_hold", "flag": flag, "since": NOW, "note": "flood" })
}

#[tokio::test]
async fn holds_are_placed_lifted_and_undone() {
    let desk = Desk::new(None).await;
    let raise = json!({ "do": "raise_hold", "flag": "dispute", "since": 1, "note": "" });
    desk.command(1, raise.clone(), "chen.jie", Role::Collector).await;
    let place = place(Flag::Dispute);
    assert_eq!(desk.act(&place).await, ["done", "unchanged"]);
    // The reply was lost.
    assert_eq!(desk.act(&place).await, ["unchanged", "unchanged"]);
    // The collector's hold stays, and so does one that was placed at another time.
    let undo = |since: i64| json!({ "do": "undo_hold", "flag": "dispute", "since": since });
    assert_eq!(desk.act(&undo(NOW + 1)).await, ["moved", "moved"]);
    assert_eq!(desk.act(&undo(NOW)).await, ["done", "moved"]);
    assert_eq!(desk.act(&undo(NOW)).await, ["unchanged", "moved"]);
    assert_eq!(desk.holds().await, [0, 1]);

    // A hold that is raised meanwhile is not lifted unseen.
    let seen = desk.seen().await;
    desk.command(0, raise, "chen.jie", Role::Collector).await;
    let lift = json!({ "do": "lift_hold", "flag": "dispute" });
    assert_eq!(desk.act_on(&lift, &seen).await, ["moved", "done"]);
    assert_eq!(desk.act_on(&lift, &seen).await, ["moved", "unchanged"]);
    assert_eq!(desk.act(&lift).await, ["done", "unchanged"]);
    assert_eq!(desk.holds().await, [0, 0]);
    desk.http.office.assert_sound().await;
}

#[tokio::test]
async fn sealed_records_are_accepted_as_they_were_seen_and_reverted_by_their_reviewer() {
    let desk = Desk::new(None).await;
    desk.seal(0).await;
    let accept = |at: i64| json!({ "do": "accept", "at": at });
    let seen = desk.seen().await;
    let amend = json!({ "do": "amend", "id": "a1", "at": 6, "path": "feedback", "text": "more" });
    desk.command(0, amend, "chen.jie", Role::Collector).await;
    // One was amended since, the other is not sealed.
    assert_eq!(desk.act_on(&accept(NOW), &seen).await, ["moved", "moved"]);
    assert_eq!(desk.review(0).await, ReviewStatus::Pending);
    desk.seal(1).await;
    let seen = desk.seen().await;
    desk.http.office.advance(1);
    // What the office itself adds, such as an evaluation, does not count.
    let summary = json!({ "do": "summarize_contacts", "as_of": 1, "counts": {} });
    desk.command(0, summary, "office", Role::Supervisor).await;
    assert_eq!(desk.act_on(&accept(NOW), &seen).await, ["done", "done"]);
    assert_eq!(desk.act_on(&accept(NOW), &seen).await, ["unchanged", "unchanged"]);

    // An undo reverts what it is about: a later review by the same person stays.
    let undo = json!({ "do": "undo_accept", "at": NOW });
    let again = json!({ "do": "review", "status": "pending", "remark": "", "at": 7 });
    desk.command(1, again, "lin.yue", Role::Supervisor).await;
    assert_eq!(desk.act(&accept(NOW + 9)).await, ["unchanged", "done"]);
    assert_eq!(desk.act(&undo).await, ["done", "moved"]);
    assert_eq!(desk.act(&undo).await, ["unchanged", "moved"]);
    assert_eq!(
        (desk.review(0).await, desk.review(1).await),
        (ReviewStatus::Pending, ReviewStatus::Accepted)
    );
    desk.http.office.assert_sound().await;
}

#[tokio::test]
async fn rules_of_single_changes_hold_for_many() {
    let desk = Desk::new(Some("hold")).await;
    assert_eq!(desk.act(&place(Flag::Bankruptcy)).await, ["done", "done"]);
    let lift = json!({ "do": "lift_hold", "flag": "bankruptcy" });
    assert_eq!(desk.act(&lift).await, ["approval_needed", "approval_needed"]);
    // The hold of a complaint lasts until it is decided.
    desk.command(
        0,
        json!({ "do": "raise_hold", "flag": "complaint", "since": 1, "note": "rude" }),
        "chen.jie",
        Role::Collector,
    )
    .await;
    while desk.http.office.keep_complaints().await.unwrap() > 0 {}
    let lift = json!({ "do": "lift_hold", "flag": "complaint" });
    assert_eq!(desk.act(&lift).await, ["complaint_open", "unchanged"]);

    let log = desk.http.get("/api/audit", Some(&desk.http.token("admin").await)).await.json();
    let details: Vec<&Value> =
        log["rows"].as_array().unwrap().iter().map(|row| &row["detail"]).collect();
    assert!(details.contains(&&json!("2 records: place_hold bankruptcy")), "{details:?}");
    let row = json!({ "record": desk.records[0].to_string(), "seen_at": 0 });
    let body = json!({ "action": lift, "rows": vec![row; 101] }).to_string();
    let many = desk.http.post_json("/api/bulk", Some(&desk.lin), &body).await;
    assert_eq!(many.code(), (413, "too_large".into()));
}
