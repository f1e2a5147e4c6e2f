//! Sizes of queues, and assigning many records at once.

use doorstep::record::command::{AssignmentPatch, Command};
use doorstep::record::terms::Role;
use serde_json::{Value, json};

use crate::support::http_office::HttpOffice;

async fn count(http: &HttpOffice, token: &str, queue: &str, today: &str) -> u64 {
    let sizes = http.get(&format!("/api/queues?today={today}"), Some(token)).await.json();
    let found = sizes["queues"].as_array().unwrap().iter().find(|line| line["queue"] == queue);
    found.unwrap()["count"].as_u64().unwrap()
}

#[tokio::test]
async fn queues_have_sizes_and_are_filters() {
    let http = HttpOffice::open().await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    http.visit("NB2", &[]).await;
    let due = AssignmentPatch { due_by: Some("2026-11-24".into()), ..Default::default() };
    http.office.command(id, Command::Assign(due), "lin.yue", Role::Supervisor).await.unwrap();
    let token = http.token("gu.an").await;
    assert_eq!(count(&http, &token, "unassigned", "").await, 1);
    // The day is that of the reader.
    assert_eq!(count(&http, &token, "due_today", "2026-11-24").await, 1);
    assert_eq!(count(&http, &token, "overdue", "2026-11-24").await, 0);
    assert_eq!(count(&http, &token, "overdue", "2026-11-25").await, 1);
    let path = "/api/visits?queue=overdue&sort=queue&today=2026-11-25";
    let page = http.get(path, Some(&token)).await.json();
    assert_eq!((&page["total"], &page["rows"][0]["case_no"]), (&json!(1), &json!("NB1")));
    for wrong in ["queue=nothing", "today=tomorrow"] {
        let answer = http.get(&format!("/api/visits?{wrong}"), Some(&token)).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{wrong}");
    }
}

#[tokio::test]
async fn many_records_are_assigned_each_on_its_own() {
    let http = HttpOffice::open().await;
    let one = http.visit("NB1", &[]).await.to_string();
    let other = http.visit("NB2", &["wu.min"]).await.to_string();
    let token = http.token("lin.yue").await;
    let assign = async |rows: Value| {
        let body = json!({ "rows": rows }).to_string();
        http.post_json("/api/assignments", Some(&token), &body).await
    };
    let row = |record: &str, set: Value, seen: Value| json!({ "record": record, "set": set, "seen": seen });
    let rows = json!([
        row(
            &one,
            json!({ "collectors": ["chen.jie"], "priority": 1 }),
            json!({ "collectors": [], "priority": 2 })
        ),
        // Another user had assigned it before.
        row(&other, json!({ "collectors": ["chen.jie"] }), json!({ "collectors": [] })),
        row(&other, json!({ "priority": 9 }), json!({ "priority": 2 })),
        row("nonsense", json!({ "priority": 1 }), json!({})),
    ]);
    let outcomes = |report: Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = report["rows"].as_array().unwrap().iter();
        rows.map(|row| (text(&row["outcome"]), text(&row["code"]))).collect()
    };
    let pair = |outcome: &str, code: &str| (outcome.to_owned(), code.to_owned());
    assert_eq!(
        outcomes(assign(rows.clone()).await.json()),
        [
            pair("done", ""),
            pair("moved", ""),
            pair("refused", "invalid_value"),
            pair("refused", "unknown_record"),
        ]
    );
    // A lost reply: the same again finds it done.
    assert_eq!(outcomes(assign(rows).await.json())[0], pair("unchanged", ""));
    let view = http.get(&format!("/api/visits/{one}"), Some(&token)).await.json();
    assert_eq!(view["assignment"]["collectors"], json!(["chen.jie"]));
    assert_eq!(view["assignment"]["priority"], 1);
    let history = http.get(&format!("/api/visits/{one}/history"), Some(&token)).await.json();
    let last = history["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["by"], "lin.yue");

    // An unknown collector would take records from all phones: nothing is written.
    let unknown =
        row(&one, json!({ "collectors": ["nobody"] }), json!({ "collectors": ["chen.jie"] }));
    assert_eq!(assign(json!([unknown])).await.code(), (422, "not_a_collector".into()));
    let many = vec![row(&one, json!({ "priority": 2 }), json!({ "priority": 1 })); 101];
    assert_eq!(assign(json!(many)).await.code(), (413, "too_large".into()));
}
