//! The OData service: tokens, rights, types, pages, and what it leaves out.

use axum::body::Body;
use axum::http::header;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use doorstep::office::demo;
use doorstep::office::sheets::export::odata::properties;
use serde_json::{Value, json};

use crate::support::http_office::{Answer, HttpOffice, ask};

const YEAR_MS: i64 = 365 * 24 * 3_600_000;

async fn make(http: &HttpOffice, token: &str, name: &str) -> Value {
    let body = json!({ "name": name }).to_string();
    http.post_json("/api/report-tokens", Some(token), &body).await.json()
}

/// Asks as Excel does: with any name, and the secret as the password.
async fn read(http: &HttpOffice, secret: &str, path: &str) -> Answer {
    let pair = BASE64_STANDARD.encode(format!("excel:{secret}"));
    let request = ask("GET", path, None)
        .header(header::AUTHORIZATION, format!("Basic {pair}"))
        .header(header::HOST, "office.example");
    http.ask(request.body(Body::empty()).unwrap()).await
}

async fn rows(http: &HttpOffice, secret: &str, query: &str) -> Vec<Value> {
    let answer = read(http, secret, &format!("/odata/v4/Visits?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()["value"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_token_reads_reports_and_nothing_else_until_it_is_revoked() {
    let http = HttpOffice::open().await;
    let signed_in = http.token("gu.an").await;
    let made = make(&http, &signed_in, "Excel").await;
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(read(&http, secret, "/odata/v4").await.status, 200);
    assert_eq!(http.get("/odata/v4/Visits", Some(secret)).await.status, 200, "as a bearer");
    for path in ["/api/visits", "/api/session", "/api/report-tokens", "/sync"] {
        assert_ne!(http.get(path, Some(secret)).await.status, 200, "{path}");
    }
    // Neither a session nor nothing opens the reports.
    for token in [Some(signed_in.as_str()), None, Some("nonsense")] {
        let answer = http.get("/odata/v4", token).await;
        assert_eq!(answer.code(), (401, "report_token".into()));
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
    let listed = http.get("/api/report-tokens", Some(&signed_in)).await;
    assert!(!listed.text().contains(secret));
    assert_eq!(listed.json()[0]["used_at"], http.office.now());

    // Only its user sees and revokes it.
    let other = http.token("lin.yue").await;
    assert_eq!(http.get("/api/report-tokens", Some(&other)).await.json(), json!([]));
    let path = format!("/api/report-tokens/{}", made["token"]["id"].as_str().unwrap());
    let revoke = async |token: &str| {
        http.ask(ask("DELETE", &path, Some(token)).body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(revoke(&other).await, 404);
    assert_eq!(revoke(&signed_in).await, 204);
    assert_eq!(read(&http, secret, "/odata/v4").await.status, 401);

    let made = make(&http, &other, "Power BI").await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    let expired = make(&http, &http.token("admin").await, "old").await;
    http.disable("lin.yue").await;
    assert_eq!(read(&http, &secret, "/odata/v4").await.status, 401, "the user is disabled");
    let secret = expired["secret"].as_str().unwrap();
    assert_eq!(read(&http, secret, "/odata/v4").await.status, 200);
    http.office.advance(YEAR_MS);
    assert_eq!(read(&http, secret, "/odata/v4").await.status, 401, "a year is over");
}

#[tokio::test]
async fn pages_have_every_record_once_in_its_types_and_without_personal_data() {
    let http = HttpOffice::open().await;
    demo::fill(&http.office, &http.accounts).await.unwrap();
    let signed_in = http.token("gu.an").await;
    let secret = make(&http, &signed_in, "Excel").await["secret"].as_str().unwrap().to_owned();
    let metadata = read(&http, &secret, "/odata/v4/$metadata").await.text();
    for (name, kind) in properties() {
        let property = format!("<Property Name=\"{name}\" Type=\"{}\"", kind.as_str());
        assert!(metadata.contains(&property), "{name}");
    }

    let lines = http.get("/api/export?format=jsonl", Some(&signed_in)).await.text();
    let exported: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whole = read(&http, &secret, "/odata/v4/Visits").await.text();
    for visit in &exported {
        let case = &visit["case"];
        for personal in ["borrower_name", "address", "note"] {
            let text = case[personal].as_str().unwrap();
            assert!(text.is_empty() || !whole.contains(text), "{personal}");
        }
    }
    // Every property has a value somewhere, so each has the type that it says it has.
    let all = rows(&http, &secret, "").await;
    let never = ["asked_to_leave_at", "conflicts", "last_payment_date", "payments_total"];
    for (name, kind) in properties().filter(|(name, _)| !never.contains(name)) {
        let said = all.iter().filter(|row| !row[name].is_null());
        let fits = |value: &Value| match kind.as_str() {
            "Edm.Int64" => value.is_i64(),
            "Edm.Decimal" => value.is_number(),
            _ => value.is_string(),
        };
        assert!(said.clone().count() > 0, "{name}");
        assert!(said.clone().all(|row| fits(&row[name])), "{name}");
    }

    // By pages: `$top` reaches over them, `$select` and `$filter` stay.
    let number = |rows: &[Value]| -> Vec<String> {
        rows.iter().map(|row| row["case_no"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(all.len(), exported.len());
    let skipped = rows(&http, &secret, "$skip=3&$top=2&$select=case_no").await;
    assert_eq!(number(&skipped), number(&all)[3..5]);
    assert_eq!(skipped[0].as_object().unwrap().len(), 1);
    assert_eq!(rows(&http, &secret, "$top=0").await.len(), 0);
    let filter = "$filter=assigned_to%20eq%20'chen.jie'";
    let chen = rows(&http, &secret, filter).await;
    assert!(!chen.is_empty() && chen.len() < all.len());
    assert!(chen.iter().all(|row| row["assigned_to"].as_str().unwrap().contains("chen.jie")));
    for wrong in [
        "$orderby=case_no",
        "$filter=borrower_name%20eq%20'x'",
        "$select=borrower_name",
        "$count=true",
        "$skip=10001",
        "$top=-1",
    ] {
        let answer = read(&http, &secret, &format!("/odata/v4/Visits?{wrong}")).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{wrong}");
    }
}

#[tokio::test]
async fn a_next_link_leads_through_all_records() {
    let http = HttpOffice::open().await;
    let list = (0..405).map(|n| format!("C-{n:03},x,1,CNY,2026-11-03,chen.jie\n"));
    let list = "case_no,borrower_name,overdue_amount,currency,due_date,assigned_to\n".to_owned()
        + &list.collect::<String>();
    let lin = http.token("lin.yue").await;
    http.post("/api/cases/import", Some(&lin), list.into_bytes()).await;
    let secret = make(&http, &lin, "Excel").await["secret"].as_str().unwrap().to_owned();
    let filter = "$filter=assigned_to%20eq%20'chen.jie'%20and%20stage%20eq%20'assigned'";
    let mut path = format!("/odata/v4/Visits?$top=401&$select=case_no&{filter}");
    let (mut pages, mut seen) = (Vec::new(), Vec::new());
    loop {
        let page = read(&http, &secret, &path).await.json();
        let rows = page["value"].as_array().unwrap();
        pages.push(rows.len());
        seen.extend(rows.iter().map(|row| row["case_no"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        path = next.strip_prefix("http://office.example").unwrap().to_owned();
    }
    assert_eq!(pages, [200, 200, 1]);
    assert_eq!(seen, (0..401).map(|n| format!("C-{n:03}")).collect::<Vec<_>>());
}
