//! Case lists that are imported in the background: checked first, continued after an interruption,
//! corrected and brought in again.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use doorstep::office::imports::{ImportPhase, ImportSettings};
use doorstep::record::terms::Role;
use serde_json::{Value, json};

use crate::support::http_office::{Answer, CASES_ZH, HttpOffice, ask};
use crate::support::office::TestOffice;

const ONE: &str = "01a20aaf-78e0-7801-9dc4-000000000001";
const TWO: &str = "01a20aaf-78e0-7801-9dc4-000000000002";

async fn upload(http: &HttpOffice, token: &str, id: &str, file: &[u8]) -> Answer {
    let path = format!("/api/imports/{id}?name=cases.csv");
    let request = ask(Method::PUT.as_str(), &path, Some(token));
    http.ask(request.body(Body::from(file.to_vec())).unwrap()).await
}

/// Maps the columns as they are suggested, but for some.
fn mapping(import: &Value, changed: &[(&str, &str)]) -> Value {
    let columns = import["columns"].as_array().unwrap().iter().map(|column| {
        let heading = column["heading"].as_str().unwrap();
        let chosen = changed.iter().find(|(name, _)| *name == heading);
        chosen.map_or_else(|| column["field"].clone(), |(_, field)| json!(field))
    });
    json!({ "columns": columns.collect::<Vec<_>>() })
}

async fn check(http: &HttpOffice, token: &str, id: &str, settings: &Value) -> Answer {
    let path = format!("/api/imports/{id}/check");
    http.post_json(&path, Some(token), &settings.to_string()).await
}

/// The import once it no longer runs.
async fn ended(http: &HttpOffice, token: &str, id: &str) -> Value {
    http.office.run_imports().await;
    http.get(&format!("/api/imports/{id}"), Some(token)).await.json()
}

fn counts(import: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "refused"].map(|name| import[name].as_u64().unwrap())
}

#[tokio::test]
async fn a_list_is_checked_imported_corrected_and_brought_in_again() {
    let http = HttpOffice::open().await;
    let token = http.token("lin.yue").await;
    let uploaded = upload(&http, &token, ONE, CASES_ZH).await.json();
    assert_eq!((&uploaded["phase"], &uploaded["total"]), (&json!("uploaded"), &json!(68)));
    assert_eq!(uploaded["columns"][0]["heading"], "案件编号");
    assert_eq!(uploaded["columns"][0]["field"], "case_no");
    // A lost reply: the same again is the same import.
    assert_eq!(upload(&http, &token, ONE, CASES_ZH).await.json(), uploaded);
    assert_eq!(
        upload(&http, &token, ONE, b"case_no\n1\n").await.code(),
        (409, "other_file".into())
    );

    assert_eq!(check(&http, &token, ONE, &mapping(&uploaded, &[])).await.code().0, 200);
    let checked = ended(&http, &token, ONE).await;
    assert_eq!((checked["phase"].as_str(), counts(&checked)), (Some("checked"), [60, 0, 0, 8]));
    let refused = format!("/api/imports/{ONE}/rows?outcome=refused");
    let rows = http.get(&refused, Some(&token)).await.json();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 8);
    assert_eq!(rows["rows"][2]["row"], 63);
    assert_eq!(rows["rows"][2]["field"], "due_date");
    let page = format!("/api/imports/{ONE}/rows?limit=50");
    let first = http.get(&page, Some(&token)).await.json();
    let after = first["next"].as_u64().unwrap();
    let rest = http.get(&format!("{page}&after={after}"), Some(&token)).await.json();
    assert_eq!((rest["rows"].as_array().unwrap().len(), &rest["next"]), (18, &Value::Null));
    assert_eq!(http.get("/api/visits", Some(&token)).await.json()["total"], 0, "only checked");

    let run = format!("/api/imports/{ONE}/run");
    assert_eq!(http.post(&run, Some(&token), vec![]).await.code().0, 200);
    let done = ended(&http, &token, ONE).await;
    assert_eq!((done["phase"].as_str(), counts(&done)), (Some("done"), [60, 0, 0, 8]));
    assert_eq!(http.get("/api/visits", Some(&token)).await.json()["total"], 60);
    // A repeated request starts nothing.
    let again = http.post(&run, Some(&token), vec![]).await.json();
    assert_eq!(again["phase"], "done");

    let file = http.get(&format!("/api/imports/{ONE}/refused"), Some(&token)).await;
    assert!(file.text().starts_with("\u{feff}\"import_error\",\"案件编号\","), "{}", file.text());
    assert_eq!(file.text().lines().count(), 9);
    // Two of the reasons: corrected here as a person would.
    let corrected = file.text().replace("2026-02-30", "2026-02-28");
    let uploaded = upload(&http, &token, TWO, corrected.as_bytes()).await.json();
    assert_eq!(uploaded["columns"][0]["field"], "");
    check(&http, &token, TWO, &mapping(&uploaded, &[])).await;
    let checked = ended(&http, &token, TWO).await;
    assert_eq!(checked["notes"], json!([]));
    http.post(&format!("/api/imports/{TWO}/run"), Some(&token), vec![]).await;
    let done = ended(&http, &token, TWO).await;
    assert_eq!(counts(&done)[0], 1, "{done}");
    assert!(counts(&done)[3] < 8);
    // Reasons are not collected from file to file.
    let file = http.get(&format!("/api/imports/{TWO}/refused"), Some(&token)).await.text();
    assert_eq!(file.matches("import_error").count(), 1);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn a_mapping_is_chosen_and_remembered() {
    let http = HttpOffice::open().await;
    let token = http.token("lin.yue").await;
    let list = "内部代码,姓名,欠款,币种,到期日\nA-1,陈,10,CNY,2026-11-03\n".as_bytes();
    let uploaded = upload(&http, &token, ONE, list).await.json();
    assert_eq!(uploaded["columns"][0]["field"], "");
    assert_eq!(uploaded["columns"][0]["examples"], json!(["A-1"]));
    let code = async |settings: Value| check(&http, &token, ONE, &settings).await.code();
    let case = ("内部代码", "case_no");
    assert_eq!(code(mapping(&uploaded, &[])).await, (422, "no_sheet".into()));
    let twice = mapping(&uploaded, &[case, ("姓名", "case_no")]);
    assert_eq!(code(twice).await, (422, "invalid_value".into()));
    assert_eq!(code(json!({ "columns": ["case_no"] })).await, (422, "invalid_value".into()));
    let mut unknown = mapping(&uploaded, &[case]);
    unknown["assign_to"] = json!("gu.an");
    assert_eq!(code(unknown).await, (422, "not_a_collector".into()));
    let mut settings = mapping(&uploaded, &[case, ("欠款", "overdue_amount")]);
    settings["assign_to"] = json!("wu.min");
    assert_eq!(code(settings).await.0, 200);
    assert_eq!(counts(&ended(&http, &token, ONE).await), [1, 0, 0, 0]);
    http.post(&format!("/api/imports/{ONE}/run"), Some(&token), vec![]).await;
    ended(&http, &token, ONE).await;
    let row = http.get("/api/visits", Some(&token)).await.json()["rows"][0].clone();
    assert_eq!((&row["case_no"], &row["collectors"]), (&json!("A-1"), &json!(["wu.min"])));
    assert_eq!(row["overdue"], 1000);

    // For the same user, and for one who has not mapped anything.
    for (user, id) in [("lin.yue", TWO), ("admin", "01a20aaf-78e0-7801-9dc4-000000000003")] {
        let token = http.token_again(user).await;
        let uploaded = upload(&http, &token, id, list).await.json();
        let fields: Vec<_> =
            uploaded["columns"].as_array().unwrap().iter().map(|c| c["field"].clone()).collect();
        assert_eq!(
            fields,
            ["case_no", "borrower_name", "overdue_amount", "currency", "due_date"],
            "{user}"
        );
    }
}

#[tokio::test]
async fn imports_are_their_user_s_own_and_few() {
    let http = HttpOffice::open().await;
    let token = http.token("lin.yue").await;
    let list = b"case_no,borrower_name,overdue_amount,currency,due_date\nA,B,1,CNY,2026-11-03\n";
    let uploaded = upload(&http, &token, ONE, list).await.json();
    let other = http.token("admin").await;
    for path in ["", "/rows", "/refused"] {
        let answer = http.get(&format!("/api/imports/{ONE}{path}"), Some(&other)).await;
        assert_eq!(answer.code(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(upload(&http, &other, ONE, list).await.code(), (404, "not_found".into()));
    let run = format!("/api/imports/{ONE}/run");
    assert_eq!(http.post(&run, Some(&other), vec![]).await.code(), (404, "not_found".into()));
    assert_eq!(
        http.post(&run, Some(&token), vec![]).await.code(),
        (409, "import_unchecked".into())
    );
    let picture = upload(&http, &token, TWO, b"\x89PNG\r\n\0\0").await;
    assert_eq!(picture.code(), (422, "no_sheet".into()));

    // One that runs stays; of the others the oldest makes room.
    let settings = ImportSettings {
        columns: mapping(&uploaded, &[])["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field.as_str().unwrap().to_owned())
            .collect(),
        ..ImportSettings::default()
    };
    let id = |n: u8| [n; 16];
    let by = ("lin.yue", Role::Supervisor);
    let one = http.office.imports("lin.yue").await.unwrap()[0].id;
    http.office.check_import(one, settings, "lin.yue").await.unwrap().unwrap();
    for n in 1..=6 {
        http.office.advance(1);
        let added = http.office.add_import(id(n), list.to_vec(), "x", by).await.unwrap();
        assert!(added.is_ok(), "{n}");
    }
    let held: Vec<_> =
        http.office.imports("lin.yue").await.unwrap().iter().map(|import| import.id).collect();
    assert_eq!(held, [id(6), id(5), id(4), id(3), one]);
    let path = format!("/api/imports/{ONE}");
    let delete = async || {
        http.ask(ask("DELETE", &path, Some(&token)).body(Body::empty()).unwrap()).await.code()
    };
    assert_eq!(delete().await, (409, "import_running".into()));
    http.office.run_imports().await;
    assert_eq!(delete().await, (204, String::new()));
    // Files hold personal data: none stays for long.
    http.office.advance(8 * 24 * 3_600_000);
    http.office.expire_imports().await.unwrap();
    assert_eq!(http.office.imports("lin.yue").await.unwrap(), []);
}

#[tokio::test]
async fn a_killed_import_is_continued_by_another_process_and_counts_each_row_once() {
    let http = HttpOffice::open().await;
    let rows = (0..1_200).map(|n| format!("C-{n},借款人,1,CNY,2026-11-03\n"));
    let list = "case_no,borrower_name,overdue_amount,currency,due_date\n".to_owned()
        + &rows.collect::<String>();
    let (id, user) = ([1; 16], "lin.yue");
    let by = (user, Role::Supervisor);
    let import = http.office.add_import(id, list.into_bytes(), "x", by).await.unwrap().unwrap();
    let columns = import.state.columns.into_iter().map(|column| column.field).collect();
    let settings = ImportSettings { columns, ..ImportSettings::default() };
    http.office.check_import(id, settings, user).await.unwrap().unwrap();
    http.office.run_imports().await;
    let state = async |office: &TestOffice| office.import(id, user).await.unwrap().unwrap().state;
    assert_eq!(state(&http.office).await.created, 1_200);
    http.office.run_import(id, user).await.unwrap().unwrap();

    // Killed after records were written and before the first batch was noted.
    let office = http.office.clone();
    let running = tokio::spawn(async move { office.run_imports().await });
    while http.office.find_by_case_no("C-0").await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.abort();
    assert!(running.await.is_err());
    let killed = state(&http.office).await;
    assert_eq!((killed.phase, killed.done), (ImportPhase::Importing, 0));

    let other = http.office.second_process();
    other.run_imports().await;
    assert_eq!(state(&other).await.done, 0, "the claim of the first process has not ended");
    other.advance(21_000);
    other.run_imports().await;
    let done = state(&other).await;
    assert_eq!((done.phase, done.created, done.unchanged), (ImportPhase::Done, 1_200, 0));
    let verified = other.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!((verified.records, verified.changes), (1_200, 1_200));
}
