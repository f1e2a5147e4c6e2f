//! `POST /sync`, through its bytes.

use doorstep::ids::{DeviceId, actor};
use doorstep::record::command::{Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::{Author, Record};
use doorstep::sync::message::{
    Content, DEFAULT_REPLY_BYTES, MAX_BODY, Outcome, PROTOCOL, Packed, Push, Request, decode_reply,
    encode_request,
};

use super::desk::{Desk, NOW, PASSWORD};

#[tokio::test]
async fn a_phone_gets_its_feed_and_hands_its_work_in() {
    let desk = Desk::open().await;
    let id = desk.visit("NB1", &["chen.jie"]).await;
    desk.visit("NB2", &["wu.min"]).await;
    let body = format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\"}}");
    let signed_in = desk.post_json("/api/session", None, &body).await.json();
    let token = signed_in["token"].as_str();
    let device: DeviceId = signed_in["device"].as_str().unwrap().parse().unwrap();

    let request = Request { max_bytes: DEFAULT_REPLY_BYTES, ..Request::default() };
    let answer = desk.post("/sync", token, encode_request(&request)).await;
    assert_eq!(answer.header("content-type"), "application/cbor");
    let headers: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    assert_eq!(headers, ["content-type", "date", "content-length"], "each byte travels often");
    let reply = decode_reply(&answer.body).unwrap();
    assert_eq!(reply.office_time, NOW);
    let [entry] = &reply.entries[..] else { panic!("{reply:?}") };
    let Content::Whole { document, .. } = &entry.content else { panic!("{entry:?}") };
    let mut record = Record::load(&document.0).unwrap();

    let author = Author {
        actor: actor(device, 1),
        user: "chen.jie".to_owned(),
        role: Role::Collector,
        now_ms: NOW,
        zone: "Asia/Shanghai".to_owned(),
    };
    let contact = NewContact {
        id: "01a20aaf-78e0-7801-9dc4-6124dccd5cf9".to_owned(),
        at: NOW,
        channel: Channel::Call,
        number_ref: String::new(),
        target_role: TargetRole::Borrower,
        outcome: ContactOutcome::Reached,
        note: String::new(),
    };
    let change = record.apply(&Command::LogContact(contact), &author).unwrap().unwrap();
    let changes = vec![Packed::plain(change.raw_bytes())];
    let push = vec![Push { record: id, changes }];
    let request = Request { cursor: reply.cursor, push, ..request };
    let reply = decode_reply(&desk.post("/sync", token, encode_request(&request)).await.body);
    let [result] = &reply.unwrap().results[..] else { panic!("one push, one result") };
    let Outcome::Merged { voucher } = result else { panic!("{result:?}") };
    assert!(voucher.tag_for(id, &record.heads()).is_some());
    desk.assert_sound().await;
}

#[tokio::test]
async fn bytes_that_are_no_round_are_refused() {
    let desk = Desk::open().await;
    let token = desk.token("chen.jie").await;
    let refused = async |body: Vec<u8>| desk.post("/sync", Some(&token), body).await.code();
    assert_eq!(refused(vec![]).await, (400, "malformed".into()));
    assert_eq!(refused(vec![PROTOCOL, 0, 0xff]).await, (400, "malformed".into()));
    assert_eq!(refused(vec![PROTOCOL + 1, 0]).await, (426, "unsupported_version".into()));
    assert_eq!(refused(vec![PROTOCOL; MAX_BODY + 1]).await, (413, "too_large".into()));
}
