//! Four-eyes approval: what one person proposes another one decides, at the office and not only in
//! the page.

use doorstep::ids::RecordId;
use doorstep::office::approvals::ApprovalRules;
use doorstep::office::auth::UserChange;
use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::{Flag, ReviewStatus, Role};
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice};
use crate::support::sync_client::SyncClient;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

struct Desk {
    http: HttpOffice,
    record: RecordId,
    /// Tokens of two supervisors and two administrators.
    lin: String,
    tan: String,
    admin: String,
    ops: String,
}

impl Desk {
    async fn new(rules: &str) -> Self {
        let http = HttpOffice::open().await.with_approvals(rules);
        http.add_user("tan.wei", Role::Supervisor).await;
        http.add_user("ops", Role::Admin).await;
        let record = http.visit("NB1", &["chen.jie"]).await;
        let (lin, tan) = (http.token("lin.yue").await, http.token("tan.wei").await);
        let (admin, ops) = (http.token("admin").await, http.token("ops").await);
        Self { http, record, lin, tan, admin, ops }
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.http.post_json(path, Some(token), &body.to_string()).await
    }

    async fn command(&self, token: &str, command: Value) -> Answer {
        self.post(&format!("/api/visits/{}/commands", self.record), token, command).await
    }

    /// Proposes with an id of which `n` is the end.
    async fn propose(&self, token: &str, n: u8, action: Value) -> Answer {
        let id = format!("01990000-0000-7000-8000-0000000000{n:02x}");
        let body = json!({ "id": id, "action": action, "reason": "the borrower asked" });
        self.post("/api/proposals", token, body).await
    }

    /// Proposes a command on the record.
    async fn propose_command(&self, token: &str, n: u8, command: Value) -> Answer {
        let record = self.record.to_string();
        let action = json!({ "change": "command", "record": record, "command": command });
        self.propose(token, n, action).await
    }

    async fn decide(&self, token: &str, number: u64, how: &str) -> Answer {
        let path = format!("/api/proposals/{number}/{how}");
        self.post(&path, token, json!({ "reason": "checked" })).await
    }

    async fn pending(&self) -> u64 {
        let counts = self.http.get("/api/queues", Some(&self.lin)).await.json();
        let page = self.http.get("/api/proposals", Some(&self.lin)).await.json();
        let count = counts["proposals"].as_u64().unwrap();
        assert_eq!(page["rows"].as_array().unwrap().len() as u64, count);
        count
    }

    /// Places a hold.
    async fn hold(&self, flag: Flag, user: &str) {
        let hold = Command::RaiseHold { flag, since: 1, until: None, note: String::new() };
        self.http.office.command(self.record, hold, user, Role::Supervisor).await.unwrap();
    }

    async fn holds(&self) -> usize {
        self.http.office.visit(self.record).await.unwrap().case.flags.len()
    }

    /// Has the collector seal the visit with a plan of an amount, minor units.
    async fn seal_with_plan(&self, option: &str, amount: i64, at: i64) {
        for command in [
            json!({ "do": "offer_option", "id": option, "kind": "instalments", "instalments": 3,
                    "first_due": "2026-12-01", "amount": amount, "term_months": 3 }),
            json!({ "do": "choose_option", "id": option }),
            json!({ "do": "edit_talk", "disposition": "rtp" }),
            json!({ "do": "seal", "at": at }),
        ] {
            let command: Command = serde_json::from_value(command).unwrap();
            let office = &self.http.office;
            office.command(self.record, command, "chen.jie", Role::Collector).await.unwrap();
        }
    }
}

fn lift() -> Value {
    json!({ "do": "lift_hold", "flag": "dispute" })
}

fn accept() -> Value {
    json!({ "do": "review", "status": "accepted", "remark": "", "at": 2 })
}

fn code(answer: &Answer) -> (u16, String) {
    answer.code()
}

fn is(answer: &Answer, status: u16, expected: &str) {
    assert_eq!(code(answer), (status, expected.to_owned()), "{}", answer.told());
}

#[test]
fn rules_are_read_from_a_list() {
    let rules: ApprovalRules = "plan=5000, hold".parse().unwrap();
    let expected =
        ApprovalRules { plan_above: Some(5_000), holds: true, ..ApprovalRules::default() };
    assert_eq!(rules, expected);
    let rules: ApprovalRules = "option=settlement,option=deferral,outcome=dispute".parse().unwrap();
    assert_eq!((rules.options.len(), rules.outcomes.len()), (2, 1));
    for wrong in [
        "option=",
        "option=gift",
        "outcome=settlement",
        "",
        "holds",
        "plan",
        "plan=",
        "plan=-1",
        "plan=1.5",
        "hold=1",
    ] {
        assert!(wrong.parse::<ApprovalRules>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn without_rules_one_person_decides() {
    let desk = Desk::new("erasure").await;
    desk.hold(Flag::Dispute, "lin.yue").await;
    is(&desk.propose_command(&desk.lin, 1, lift()).await, 422, "approval_not_needed");
    assert_eq!(desk.command(&desk.lin, lift()).await.status, 200);
    assert_eq!(desk.holds().await, 0);
}

#[tokio::test]
async fn a_hold_is_lifted_by_two_people() {
    let desk = Desk::new("hold").await;
    let (lin, tan) = (&desk.lin, &desk.tan);
    desk.hold(Flag::Dispute, "lin.yue").await;
    // No person lifts or shortens a hold alone, not even an administrator.
    let shorter = json!({ "do": "raise_hold", "flag": "dispute", "since": 1, "until": 2,
                          "note": "" });
    for token in [lin, &desk.admin] {
        is(&desk.command(token, lift()).await, 409, "approval_needed");
    }
    is(&desk.command(lin, shorter).await, 409, "approval_needed");
    let later = json!({ "do": "raise_hold", "flag": "vulnerable", "since": 1, "note": "" });
    assert_eq!(desk.command(lin, later).await.status, 200, "more holds need no approval");
    assert_eq!(desk.command(lin, json!({ "do": "update_case", "overdue": 7 })).await.status, 200);

    let made = desk.propose_command(lin, 1, lift()).await;
    assert_eq!(made.status, 201, "{}", made.told());
    assert_eq!((made.json()["number"].as_u64(), desk.pending().await), (Some(1), 1));
    // The reply was lost; another person proposes the same.
    assert_eq!(desk.propose_command(lin, 1, lift()).await.json(), made.json());
    is(&desk.propose_command(tan, 2, lift()).await, 409, "already_proposed");
    for how in ["approve", "refuse"] {
        is(&desk.decide(lin, 1, how).await, 409, "own_proposal");
    }
    is(&desk.decide(tan, 1, "withdraw").await, 409, "not_own_proposal");
    is(&desk.decide(tan, 7, "approve").await, 404, "unknown_proposal");
    assert_eq!(desk.holds().await, 2);

    let approved = desk.decide(tan, 1, "approve").await;
    assert_eq!(approved.status, 200, "{}", approved.told());
    let line = approved.json();
    assert_eq!((&line["state"], &line["decided_by"]), (&json!("approved"), &json!("tan.wei")));
    assert_eq!((desk.holds().await, desk.pending().await), (1, 0));
    // Once, however often it is repeated: another hold is not lifted by it.
    desk.hold(Flag::Dispute, "lin.yue").await;
    assert_eq!(desk.decide(tan, 1, "approve").await.json(), line);
    is(&desk.decide(&desk.admin, 1, "approve").await, 409, "proposal_decided");
    is(&desk.decide(lin, 1, "withdraw").await, 409, "proposal_decided");
    assert_eq!(desk.holds().await, 2);
    let closed = desk.http.get("/api/proposals?closed=1", Some(lin)).await.json();
    assert_eq!(closed["rows"], json!([line]));
    let verified = desk.http.office.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
}

#[tokio::test]
async fn of_several_decisions_at_once_one_counts() {
    let desk = Desk::new("hold").await;
    desk.hold(Flag::Dispute, "lin.yue").await;
    assert_eq!(desk.propose_command(&desk.lin, 1, lift()).await.status, 201);
    let (one, two, three, four) = tokio::join!(
        desk.decide(&desk.tan, 1, "approve"),
        desk.decide(&desk.admin, 1, "approve"),
        desk.decide(&desk.ops, 1, "refuse"),
        desk.decide(&desk.lin, 1, "withdraw"),
    );
    let answers = [one, two, three, four];
    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(done.len(), 1, "{:?}", answers.map(|answer| answer.told()));
    let is_lifted = done[0].json()["state"] == "approved";
    assert_eq!(desk.holds().await, usize::from(!is_lifted));
}

#[tokio::test]
async fn a_proposal_is_refused_withdrawn_or_expires() {
    let desk = Desk::new("hold").await;
    let (lin, tan) = (&desk.lin, &desk.tan);
    desk.hold(Flag::Dispute, "lin.yue").await;
    let empty = json!({ "reason": " " });
    assert_eq!(desk.propose_command(lin, 1, lift()).await.status, 201);
    is(&desk.post("/api/proposals/1/refuse", tan, empty).await, 422, "reason_needed");
    let refused = desk.decide(tan, 1, "refuse").await.json();
    assert_eq!((&refused["state"], &refused["answer"]), (&json!("refused"), &json!("checked")));
    is(&desk.decide(&desk.admin, 1, "approve").await, 409, "proposal_decided");

    assert_eq!(desk.propose_command(lin, 2, lift()).await.status, 201);
    assert_eq!(desk.decide(lin, 2, "withdraw").await.json()["state"], "withdrawn");
    assert_eq!(desk.decide(lin, 2, "withdraw").await.status, 200, "repeated");
    is(&desk.decide(tan, 2, "approve").await, 409, "proposal_decided");

    assert_eq!(desk.propose_command(lin, 3, lift()).await.status, 201);
    desk.http.office.advance(WEEK_MS);
    let (lin, tan) = (desk.http.token("lin.yue").await, desk.http.token("tan.wei").await);
    for how in ["approve", "refuse"] {
        is(&desk.decide(&tan, 3, how).await, 409, "proposal_expired");
    }
    let closed = desk.http.get("/api/proposals?closed=1&limit=1", Some(&lin)).await.json();
    assert_eq!((&closed["rows"][0]["state"], &closed["next"]), (&json!("expired"), &json!("3")));
    assert_eq!(desk.propose_command(&lin, 4, lift()).await.status, 201);

    // Proposals of a user who may not change records any more are not carried out.
    let disabled = UserChange { disabled: Some(true), ..UserChange::default() };
    desk.http.change("lin.yue", disabled).await;
    is(&desk.decide(&tan, 4, "approve").await, 409, "proposer_left");
    assert_eq!(desk.holds().await, 1);
}

#[tokio::test]
async fn a_plan_above_the_limit_is_accepted_by_two_people_as_it_was_proposed() {
    let desk = Desk::new("plan=1500").await;
    let (lin, tan) = (&desk.lin, &desk.tan);
    desk.seal_with_plan("o1", 150_001, 1).await;
    is(&desk.command(lin, accept()).await, 409, "approval_needed");
    let made = desk.propose_command(lin, 1, accept()).await.json();
    assert_eq!(
        (&made["kind"], &made["amount"], &made["currency"], &made["case_no"]),
        (&json!("plan"), &json!(150_001), &json!("CNY"), &json!("NB1"))
    );
    // The record is returned and sealed with another plan: the proposal was about the first one.
    let back = json!({ "do": "review", "status": "returned", "remark": "why?", "at": 3 });
    assert_eq!(desk.command(tan, back).await.status, 200);
    // A record that is not sealed cannot be accepted.
    assert_ne!(desk.decide(tan, 1, "approve").await.status, 200);
    desk.seal_with_plan("o2", 9_000_000, 4).await;
    is(&desk.decide(tan, 1, "approve").await, 409, "record_moved");
    assert_eq!(desk.decide(lin, 1, "withdraw").await.status, 200);
    assert_eq!(desk.propose_command(lin, 2, accept()).await.status, 201);
    assert_eq!(desk.decide(tan, 2, "approve").await.status, 200);
    let review = desk.http.office.visit(desk.record).await.unwrap().review;
    assert_eq!((review.status, review.by.as_str()), (ReviewStatus::Accepted, "tan.wei"));
}

#[tokio::test]
async fn a_plan_within_the_limit_is_accepted_by_one_person() {
    let desk = Desk::new("plan=1500").await;
    desk.seal_with_plan("o1", 150_000, 1).await;
    assert_eq!(desk.command(&desk.lin, accept()).await.status, 200);
}

#[tokio::test]
async fn plans_and_outcomes_of_named_kinds_are_accepted_by_two_people() {
    for (rules, kind) in [("option=instalments", "plan"), ("outcome=rtp", "review")] {
        let desk = Desk::new(rules).await;
        let (lin, tan) = (&desk.lin, &desk.tan);
        desk.seal_with_plan("o1", 100, 1).await;
        let review = format!("/api/visits/{}/review", desk.record);
        for token in [lin, &desk.admin] {
            is(&desk.command(token, accept()).await, 409, "approval_needed");
        }
        // In bulk neither.
        let bulk = json!({ "action": { "do": "accept", "at": 2 },
                           "rows": [{ "record": desk.record.to_string(), "seen_at": i64::MAX }] });
        let report = desk.post("/api/bulk", lin, bulk).await.json();
        assert_eq!(report["rows"][0]["code"], "approval_needed");
        let made = desk.propose_command(lin, 1, accept()).await;
        assert_eq!(made.json()["kind"], kind, "{}", made.told());
        let waiting = desk.http.get(&review, Some(tan)).await.json();
        assert_eq!(waiting["proposal"], made.json());
        assert_eq!(desk.decide(tan, 1, "approve").await.status, 200);
        let status = desk.http.office.visit(desk.record).await.unwrap().review.status;
        assert_eq!(status, ReviewStatus::Accepted);
        assert_eq!(desk.http.get(&review, Some(tan)).await.json()["proposal"], json!(null));
    }
    // Other kinds are accepted by one person.
    let desk = Desk::new("option=settlement,outcome=dispute").await;
    desk.seal_with_plan("o1", 100, 1).await;
    assert_eq!(desk.command(&desk.lin, accept()).await.status, 200);
}

#[tokio::test]
async fn refused_work_is_accepted_and_deleted_by_two_people() {
    let desk = Desk::new("quarantine,erasure").await;
    let (lin, tan, admin, ops) = (&desk.lin, &desk.tan, &desk.admin, &desk.ops);
    let mut phone = SyncClient::new("chen.jie", 9);
    phone.sync(&desk.http.office).await;
    let patch = CasePatch { overdue: Some(9), ..CasePatch::default() };
    phone.force(desk.record, Command::UpdateCase(Box::new(patch)));
    phone.sync(&desk.http.office).await;
    let item = desk.http.get("/api/quarantine/1", Some(lin)).await.json();
    let body = json!({ "heads": item["heads"], "reason": "" });
    is(&desk.post("/api/quarantine/1/accept", lin, body).await, 409, "approval_needed");
    let action = json!({ "change": "quarantine", "number": 1, "heads": item["heads"] });
    assert_eq!(desk.propose(lin, 1, action.clone()).await.status, 201);
    is(&desk.decide(lin, 1, "approve").await, 409, "own_proposal");
    assert_eq!(desk.decide(tan, 1, "approve").await.status, 200);
    let item = desk.http.get("/api/quarantine/1", Some(lin)).await.json();
    assert_eq!(
        (&item["state"], &item["decisions"][0]["by"]),
        (&json!("accepted"), &json!("tan.wei"))
    );
    is(&desk.propose(lin, 2, action).await, 409, "already_accepted");

    let lines = desk.http.get("/api/quarantine/export", Some(admin)).await.text();
    let end: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let delete = "/api/quarantine/export/delete";
    is(&desk.post(delete, admin, end.clone()).await, 409, "approval_needed");
    let scope = json!({ "until": end["until"], "most_bytes": end["most_bytes"] });
    let erase = json!({ "change": "erasure", "scope": scope, "sha256": end["sha256"] });
    is(&desk.propose(lin, 3, erase.clone()).await, 403, "only_admins");
    assert_eq!(desk.propose(admin, 3, erase).await.status, 201);
    for how in ["approve", "refuse"] {
        is(&desk.decide(tan, 2, how).await, 403, "only_admins");
    }
    assert_eq!(desk.decide(ops, 2, "approve").await.status, 200);
    let item = desk.http.get("/api/quarantine/1", Some(lin)).await.json();
    assert_eq!(item["exported"], 1);
    assert_eq!(desk.pending().await, 0);
    assert!(desk.http.office.verify().await.unwrap().ok);
}
