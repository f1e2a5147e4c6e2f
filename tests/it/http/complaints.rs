//! The complaint desk: complaints from the door, by phone and letter, their deadline and decision.

use doorstep::ids::RecordId;
use doorstep::record::command::Command;
use doorstep::record::terms::{Flag, Role};
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, NOW};

const ID: &str = "01990000-0000-7000-8000-0000000000c1";
const DAY_MS: i64 = 24 * 3_600_000;

fn phoned(id: &str, case_no: &str) -> Value {
    json!({
        "id": id, "case_no": case_no, "source": "phone", "topic": "conduct",
        "text": "He shouted at my mother.", "received_at": NOW - DAY_MS,
    })
}

async fn enter(http: &HttpOffice, token: &str, body: &Value) -> Answer {
    http.post_json("/api/complaints", Some(token), &body.to_string()).await
}

async fn step(http: &HttpOffice, token: &str, number: u64, body: Value) -> Answer {
    let path = format!("/api/complaints/{number}/steps");
    http.post_json(&path, Some(token), &body.to_string()).await
}

async fn holds(http: &HttpOffice, token: &str, record: RecordId) -> Vec<(String, i64)> {
    let view = http.get(&format!("/api/visits/{record}"), Some(token)).await.json();
    let hold =
        |flag: &Value| (flag["by"].as_str().unwrap().to_owned(), flag["since"].as_i64().unwrap());
    view["case"]["flags"].as_array().unwrap().iter().map(hold).collect()
}

async fn desk(http: &HttpOffice, token: &str, query: &str) -> Value {
    http.get(&format!("/api/complaints{query}"), Some(token)).await.json()
}

/// A hold that a collector raises at the door.
async fn raise(http: &HttpOffice, record: RecordId, by: &str, since: i64) {
    let (flag, until, note) = (Flag::Complaint, None, "too late in the evening".to_owned());
    let command = Command::RaiseHold { flag, since, until, note };
    http.office.command(record, command, by, Role::Collector).await.unwrap();
}

#[tokio::test]
async fn a_complaint_by_phone_holds_its_case_until_it_is_decided() {
    let http = HttpOffice::open().await;
    let record = http.visit("NB1", &["chen.jie"]).await;
    let token = http.token("lin.yue").await;
    let entered = enter(&http, &token, &phoned(ID, "NB1")).await;
    assert_eq!(entered.status, 201, "{}", entered.text());
    let complaint = &entered.json()["complaint"];
    let number = complaint["number"].as_u64().unwrap();
    // 15 days from the receipt, by the rule for Mainland China.
    assert_eq!(complaint["rule"], "CN-16");
    assert_eq!(complaint["deadline_at"], NOW + 14 * DAY_MS);
    assert_eq!(holds(&http, &token, record).await, [("office".to_owned(), NOW)]);

    // A repeated request, and the background, add nothing.
    let again = enter(&http, &token, &phoned(ID, "NB1")).await;
    assert_eq!(again.json()["complaint"]["number"], number);
    while http.office.keep_complaints().await.unwrap() > 0 {}
    assert_eq!(desk(&http, &token, "").await["open"], 1);

    let lift = json!({ "do": "lift_hold", "flag": "complaint" }).to_string();
    let commands = format!("/api/visits/{record}/commands");
    let refused = http.post_json(&commands, Some(&token), &lift).await;
    assert_eq!(refused.code(), (409, "complaint_open".into()));

    let reply = json!({ "id": "01990000-0000-7000-8000-0000000000d1", "step": "replied",
        "text": "We ask for your mother's account of it." });
    assert_eq!(step(&http, &token, number, reply.clone()).await.status, 200);
    // A reply that got lost on its way is recorded once.
    let file = step(&http, &token, number, reply).await.json();
    assert_eq!(file["events"].as_array().unwrap().len(), 2);
    let close = |id: &str| {
        json!({ "id": format!("01990000-0000-7000-8000-0000000000{id}"), "step": "closed",
            "outcome": "upheld", "text": "The recording confirms it." })
    };
    let closed = step(&http, &token, number, close("d2")).await.json();
    assert_eq!(closed["complaint"]["outcome"], "upheld");
    let other = http.token("admin").await;
    let late = step(&http, &other, number, close("d3")).await;
    assert_eq!(late.code(), (409, "complaint_decided".into()));
    assert_eq!(http.post_json(&commands, Some(&token), &lift).await.status, 200);
    while http.office.keep_complaints().await.unwrap() > 0 {}
    assert_eq!(desk(&http, &token, "").await["open"], 0);
    assert_eq!(desk(&http, &token, "?closed=1").await["rows"][0]["number"], number);

    // Reopened, it holds the case again.
    let reopen = json!({ "id": "01990000-0000-7000-8000-0000000000d4", "step": "reopened",
        "text": "A second witness." });
    assert_eq!(step(&http, &token, number, reopen).await.status, 200);
    assert_eq!(holds(&http, &token, record).await.len(), 1);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn a_complaint_at_the_door_arrives_once_with_the_strictest_deadline_first() {
    let http = HttpOffice::open().await;
    let (first, second) = (http.visit("NB1", &["chen.jie"]).await, http.visit("NB2", &[]).await);
    let token = http.token("lin.yue").await;
    raise(&http, first, "chen.jie", NOW - 3 * DAY_MS).await;
    // A clock that is a year ahead sets no deadline of its own.
    raise(&http, second, "wu.min", NOW + 365 * DAY_MS).await;
    while http.office.keep_complaints().await.unwrap() > 0 {}
    while http.office.keep_complaints().await.unwrap() > 0 {}
    let page = desk(&http, &token, "").await;
    let rows = page["rows"].as_array().unwrap();
    let cases: Vec<_> = rows.iter().map(|row| row["case_no"].as_str().unwrap()).collect();
    assert_eq!(cases, ["NB1", "NB2"]);
    assert_eq!((&rows[0]["source"], &rows[1]["source"]), (&json!("door"), &json!("other")));
    assert_eq!(rows[0]["text"], "too late in the evening");
    assert_eq!(rows[0]["deadline_at"], NOW + 12 * DAY_MS);
    assert_eq!(rows[1]["deadline_at"], NOW + 15 * DAY_MS);
    // The collector's own hold is enough.
    assert_eq!(holds(&http, &token, first).await.len(), 1);
    let page = desk(&http, &token, "?limit=1").await;
    let next = page["next"].as_str().unwrap();
    let page = desk(&http, &token, &format!("?limit=1&after={next}")).await;
    assert_eq!(page["rows"][0]["case_no"], "NB2");
    http.office.advance(13 * DAY_MS);
    // The sign-in has expired meanwhile.
    let token = http.token("lin.yue").await;
    let counts = desk(&http, &token, "/counts").await;
    assert_eq!(counts, json!({ "open": 2, "late": 1 }));
}

#[tokio::test]
async fn a_deadline_is_extended_as_far_as_the_rule_allows_and_before_it_has_passed() {
    let http = HttpOffice::open().await;
    http.visit("NB1", &["chen.jie"]).await;
    let token = http.token("lin.yue").await;
    let file = enter(&http, &token, &phoned(ID, "NB1")).await.json();
    // Received yesterday; the rule for Mainland China allows 60 days.
    let (first, latest) = (NOW + 14 * DAY_MS, NOW + 59 * DAY_MS);
    assert_eq!(file["latest_deadline"], latest);
    let extend = async |id: u8, deadline_at: i64, text: &str, token: &str| {
        let id = format!("01990000-0000-7000-8000-0000000000{id:02x}");
        let body =
            json!({ "id": id, "step": "extended", "deadline_at": deadline_at, "text": text });
        step(&http, token, 1, body).await
    };
    for (deadline_at, text, expected) in [
        (latest + 1, "why", (409, "extension_not_allowed")),
        (first, "why", (409, "extension_not_allowed")),
        (latest, " ", (422, "invalid_value")),
    ] {
        let answer = extend(1, deadline_at, text, &token).await;
        assert_eq!(answer.code(), (expected.0, expected.1.to_owned()), "{deadline_at}");
    }
    let done = extend(2, first + DAY_MS, "a witness is abroad", &token).await.json();
    assert_eq!(done["complaint"]["deadline_at"], first + DAY_MS);
    // The reply was lost. A further extension keeps the first deadline.
    assert_eq!(extend(2, first + DAY_MS, "a witness is abroad", &token).await.json(), done);
    let done = extend(3, latest, "still abroad", &token).await.json();
    assert_eq!(done["complaint"]["extended_from"], first);
    assert_eq!(done["latest_deadline"], json!(null));
    let steps = done["events"].as_array().unwrap().iter();
    assert_eq!(steps.filter(|event| event["step"] == "extended").count(), 2);
    let row = &desk(&http, &token, "").await["rows"][0];
    assert_eq!((&row["deadline_at"], &row["extended_from"]), (&json!(latest), &json!(first)));

    // A late complaint is not extended.
    let other = phoned("01990000-0000-7000-8000-0000000000c2", "NB2");
    http.visit("NB2", &["chen.jie"]).await;
    assert_eq!(enter(&http, &token, &other).await.status, 201);
    http.office.advance(15 * DAY_MS);
    let token = http.token("lin.yue").await;
    let body = json!({ "id": ID, "step": "extended", "deadline_at": latest, "text": "why" });
    let late = step(&http, &token, 2, body).await;
    assert_eq!(late.code(), (409, "extension_not_allowed".into()));
    assert_eq!(desk(&http, &token, "/2").await["latest_deadline"], json!(null));
}

#[tokio::test]
async fn the_regulators_sheet_says_neither_who_complained_nor_what_was_said() {
    let http = HttpOffice::open().await;
    http.visit("NB1", &["chen.jie"]).await;
    let token = http.token("lin.yue").await;
    enter(&http, &token, &phoned(ID, "NB1")).await;
    let sheet = http.get("/api/complaints/export?format=csv", Some(&token)).await.text();
    let lines: Vec<&str> = sheet.lines().collect();
    assert_eq!(lines.len(), 2, "{sheet}");
    assert!(lines[1].starts_with("\"1\",\"NB1\",\"phone\",\"conduct\",\"2026-11-22T"), "{sheet}");
    for private in ["shouted", "王芳"] {
        assert!(!sheet.contains(private), "{sheet}");
    }
    let workbook = http.get("/api/complaints/export?format=xlsx", Some(&token)).await;
    assert!(workbook.body.starts_with(b"PK"));
    let wrong = http.get("/api/complaints/export?format=jsonl", Some(&token)).await;
    assert_eq!(wrong.code(), (422, "invalid_value".into()));
}

#[tokio::test]
async fn wrong_complaints_are_refused_with_their_field() {
    let http = HttpOffice::open().await;
    http.visit("NB1", &["chen.jie"]).await;
    let token = http.token("lin.yue").await;
    for (field, value) in [
        ("id", json!("x")),
        ("case_no", json!("NB9")),
        ("text", json!("  ")),
        ("text", json!("x".repeat(4_001))),
        ("received_at", json!(NOW + 1)),
        ("received_at", json!(NOW - 91 * DAY_MS)),
    ] {
        let mut body = phoned(ID, "NB1");
        body[field] = value;
        let answer = enter(&http, &token, &body).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{field}");
        assert_eq!(answer.json()["path"], field);
    }
    let unknown = http.get("/api/complaints/7", Some(&token)).await;
    assert_eq!(unknown.code(), (404, "not_found".into()));
    for name in ["chen.jie", "gu.an"] {
        let token = http.token(name).await;
        let answer = http.get("/api/complaints", Some(&token)).await;
        assert_eq!(answer.code(), (403, "not_allowed".into()), "{name}");
    }
}
