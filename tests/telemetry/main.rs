//! Metrics count what happened, and logs name no person, even at the most verbose level.

#![cfg(all(not(target_arch = "wasm32"), unix))]

mod office;
#[allow(dead_code, reason = "this crate uses a part of it")]
#[path = "../it/support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use doorstep::record::command::{CasePatch, Command, TextEdit};
use office::Office;
use serde_json::Value;
use support::phone::{TestPhone, contact};

const PASSWORD: &str = "correct horse battery";

/// What only a person would write, and must never be seen again outside a record.
const NOTE: &str = "said the sister pays on Friday";

#[test]
fn a_days_work_is_counted_and_leaves_no_name_in_the_logs() {
    let mut office = Office::start("trace");
    let secrets = a_day_s_work(&office);
    let metrics = office.get("/metrics", None).1;
    let log = office.stop();

    // A line for each request that people wait for, with an id, and one object a line.
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let answered = |route: &str, status: u64| {
        lines.iter().any(|line| {
            line["span"]["route"] == route
                && line["status"] == status
                && line["span"]["id"].as_str().is_some_and(|id| id.len() == 36)
        })
    };
    for (route, status) in [
        ("/api/session", 200),
        ("/api/session", 401),
        ("/api/cases/import", 200),
        ("/api/visits", 200),
        ("/api/visits/{id}", 404),
        ("/api/export", 200),
        ("/sync", 200),
        ("pages", 404),
    ] {
        assert!(answered(route, status), "{route} {status}");
    }
    assert!(lines.len() > 60, "everything is logged");
    for secret in &secrets {
        let found = log.lines().find(|line| says(line, secret));
        assert_eq!(found, None, "{secret:?} is in the log");
        assert!(!says(&metrics, secret), "{secret:?} is in the figures");
    }

    for (series, least) in [
        ("doorstep_rounds_total", 3.0),
        ("doorstep_round_bytes_total{direction=\"up\"}", 100.0),
        ("doorstep_round_bytes_total{direction=\"down\"}", 1_000.0),
        ("doorstep_merges_total", 1.0),
        ("doorstep_refusals_total{code=\"not_allowed\"}", 1.0),
        ("doorstep_repairs_total", 1.0),
        ("doorstep_sign_ins_refused_total{code=\"wrong_password\"}", 1.0),
        ("doorstep_requests_total{route=\"/api/visits\",method=\"GET\",status=\"200\"}", 1.0),
        ("doorstep_requests_total{route=\"pages\",method=\"other\",status=\"405\"}", 1.0),
        ("doorstep_request_seconds_count{route=\"/sync\",method=\"POST\"}", 3.0),
        ("doorstep_queue_wait_seconds_count{queue=\"rounds\"}", 3.0),
        ("doorstep_store_wait_seconds_count", 3.0),
        ("doorstep_store_commit_seconds_count", 3.0),
        ("doorstep_store_waiting", 0.0),
        ("doorstep_connections", 1.0),
        ("doorstep_quarantine_pieces{state=\"open\"}", 1.0),
        ("doorstep_quarantine_bytes{state=\"open\"}", 1.0),
        ("doorstep_quarantine_bytes_limit", 1e9),
    ] {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{series} ")));
        let line = line.unwrap_or_else(|| panic!("{series} is not in\n{metrics}"));
        let value: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(value >= least, "{line}");
    }
}

/// Sign-ins, an import, rounds, refusals, a repair, searches, an export, and addresses that say
/// more than they should. Gives every word that may not be told.
fn a_day_s_work(office: &Office) -> BTreeSet<String> {
    let mut secrets: BTreeSet<String> =
        [PASSWORD, NOTE, "chen.jie", "lin.yue", "wrong guess of it"].map(str::to_owned).into();
    let (_, refused) = office.sign_in("lin.yue", "wrong guess of it", "");
    assert!(refused.contains("wrong_password"), "{refused}");
    let desk = office.token("lin.yue", PASSWORD, "");
    let device = TestPhone::new("chen.jie", 1);
    let phone = office.token("chen.jie", PASSWORD, &device.id());
    secrets.extend([desk.clone(), phone.clone()]);

    let cases = include_bytes!("../data/cases_zh.csv");
    let path = "/api/cases/import?assign_to=chen.jie";
    let (status, _) = office.ask("POST", path, Some(&desk), "application/octet-stream", cases);
    assert_eq!(status, 200);
    let (_, list) = office.get("/api/visits?limit=200", Some(&desk));
    let list: Value = serde_json::from_str(&list).unwrap();
    let rows = list["rows"].as_array().unwrap();
    assert!(rows.len() >= 60);
    for row in rows {
        let (_, view) =
            office.get(&format!("/api/visits/{}", row["id"].as_str().unwrap()), Some(&desk));
        let view: Value = serde_json::from_str(&view).unwrap();
        words(&view["case"], &mut secrets);
    }

    // A round down, edits up; a change that a collector may not make; and a cursor that is lost.
    let mut device = device;
    office.rounds(&mut device, &phone);
    let ids = device.ids();
    device.apply(ids[0], &contact("c1"));
    let base = device.view(ids[0]).heads;
    device.apply(ids[0], &Command::EditNotes(TextEdit { base, text: NOTE.into() }));
    office.rounds(&mut device, &phone);
    device.claims = doorstep::record::terms::Role::Supervisor;
    device.restart();
    let patch = CasePatch { borrower_name: Some("another name".into()), ..CasePatch::default() };
    device.apply(ids[1], &Command::UpdateCase(Box::new(patch)));
    office.rounds(&mut device, &phone);
    secrets.insert("another name".to_owned());
    device.tables.entry(doorstep::workspace::Table::Meta).or_default().remove("cursor");
    device.restart();
    office.rounds(&mut device, &phone);

    let name = rows[0]["borrower_name"].as_str().unwrap();
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    secrets.insert(encoded.clone());
    assert_eq!(office.get(&format!("/api/visits?q={encoded}"), Some(&desk)).0, 200);
    assert_eq!(office.get(&format!("/api/visits/{encoded}"), Some(&desk)).0, 404);
    assert_eq!(office.get(&format!("/assets/{encoded}.js"), None).0, 404);
    assert_eq!(office.get("/api/export?format=csv", Some(&desk)).0, 200);
    assert_eq!(office.ask(&format!("X{}", &phone[..16]), "/", None, "text/plain", b"").0, 405);
    secrets.insert(phone[..16].to_owned());
    secrets
}

/// Every text of a case, and every number that is an amount.
fn words(value: &Value, into: &mut BTreeSet<String>) {
    // Codes, languages and dates shared by groups identify no person.
    const PLAIN: [&str; 6] =
        ["currency", "zone", "product", "preferred_language", "due_date", "last_payment_date"];
    match value {
        Value::String(text) if text.chars().count() > 1 => drop(into.insert(text.clone())),
        Value::Number(number) if number.as_f64().is_some_and(|n| n.abs() > 9_999.0) => {
            into.insert(number.to_string());
        }
        Value::Array(list) => list.iter().for_each(|value| words(value, into)),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !PLAIN.contains(&key.as_str()))
            .for_each(|(_, value)| words(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a line says a word: not as a part of a longer number or hash.
fn says(line: &str, word: &str) -> bool {
    let part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    line.match_indices(word).any(|(at, _)| {
        !part(line[..at].chars().next_back()) && !part(line[at + word.len()..].chars().next())
    })
}
