//! A receipt's code: genuine, mistyped, of another case, replaced, and who may ask.

use doorstep::ids::RecordId;
use doorstep::record::receipt::receipts;
use serde_json::{Value, json};

use crate::support::http_office::HttpOffice;

const PAYMENT: &str = "01990000-0000-7000-8000-00000000000a";

async fn command(http: &HttpOffice, token: &str, id: RecordId, command: Value) {
    let path = format!("/api/visits/{id}/commands");
    let answer = http.post_json(&path, Some(token), &command.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The code that the borrower is shown.
async fn shown(http: &HttpOffice, id: RecordId, entry: &str) -> String {
    let view = http.office.visit(id).await.unwrap();
    receipts(&view).into_iter().find(|it| it.entry == entry).unwrap().code
}

#[tokio::test]
async fn a_genuine_code_says_what_the_record_has() {
    let http = HttpOffice::open().await;
    let desk = http.token("lin.yue").await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    let other = http.visit("NB2", &["chen.jie"]).await;
    let payment = json!({
        "do": "add_payment", "id": PAYMENT, "amount": 50_000, "at": 1_795_429_000_000_i64,
        "channel": "bank", "reference": "4711", "receipt": "",
    });
    command(&http, &desk, id, payment).await;
    let code = shown(&http, id, PAYMENT).await;

    let path = format!("/api/receipts/{code}?case_no=NB1");
    let check = http.get(&path, Some(&desk)).await.json();
    assert_eq!((&check["kind"], &check["amount"]), (&json!("payment"), &json!(50_000)));
    assert_eq!((&check["currency"], &check["by"]), (&json!("CNY"), &json!("lin.yue")));
    assert_eq!(check["paid_at"], json!(1_795_429_000_000_i64));
    assert_eq!((&check["record"], &check["current"]), (&json!(id.to_string()), &json!(true)));
    assert!(check["received_at"].is_i64());
    // As people type it.
    let typed = code.replace('-', "").to_lowercase();
    assert_eq!(
        http.get(&format!("/api/receipts/{typed}?case_no=%20NB1"), Some(&desk)).await.status,
        200
    );

    // A code of one borrower shown to another, and a case that does not exist: the same answer.
    for case_no in ["NB2", "NB3", ""] {
        let path = format!("/api/receipts/{code}?case_no={case_no}");
        let answer = http.get(&path, Some(&desk)).await;
        assert_eq!(answer.code(), (404, "unknown_receipt".into()), "{case_no}");
        assert!(!answer.text().contains("王芳"));
    }
    let misread =
        if code.starts_with('0') { code.replacen('0', "2", 1) } else { format!("0{}", &code[1..]) };
    let answer = http.get(&format!("/api/receipts/{misread}?case_no=NB1"), Some(&desk)).await;
    assert_eq!(answer.code(), (422, "mistyped_code".into()));
    let _ = other;
}

#[tokio::test]
async fn collectors_and_strangers_learn_nothing_from_a_code() {
    let http = HttpOffice::open().await;
    let desk = http.token("lin.yue").await;
    let id = http.visit("NB1", &["chen.jie"]).await;
    let payment = json!({
        "do": "add_payment", "id": PAYMENT, "amount": 1, "at": 0, "channel": "", "reference": "",
        "receipt": "",
    });
    command(&http, &desk, id, payment).await;
    let path = format!("/api/receipts/{}?case_no=NB1", shown(&http, id, PAYMENT).await);
    let collector = http.token("chen.jie").await;
    assert_eq!(http.get(&path, Some(&collector)).await.status, 403);
    assert_eq!(http.get(&path, None).await.status, 401);
    let auditor = http.token("gu.an").await;
    assert_eq!(http.get(&path, Some(&auditor)).await.status, 200);
}
