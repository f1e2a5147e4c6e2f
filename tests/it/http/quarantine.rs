//! `/api/quarantine`, and the last contact of a device that is shut out (rules M4, F4).

use doorstep::ids::DeviceId;
use doorstep::office::auth::Lifetime;
use doorstep::record::terms::Role;
use doorstep::sync::message::{
    Outcome, Packed, Push, Request, Revocation, decode_reply, encode_request,
};

use crate::support::http_office::{HttpOffice, PASSWORD};

/// A collector's token and device, and one piece of refused work for a record.
async fn refused(http: &HttpOffice) -> (String, DeviceId, doorstep::ids::RecordId) {
    let id = http.visit("NB1", &["chen.jie"]).await;
    let body = format!("{{\"name\":\"chen.jie\",\"password\":\"{PASSWORD}\"}}");
    let signed_in = http.post_json("/api/session", None, &body).await.json();
    let token = signed_in["token"].as_str().unwrap().to_owned();
    let device = signed_in["device"].as_str().unwrap().parse().unwrap();
    let answer = http.post("/sync", Some(&token), round(id, b"noise")).await;
    let reply = decode_reply(&answer.body).unwrap();
    assert!(matches!(reply.results[0], Outcome::Refused { quarantine: 1, .. }));
    (token, device, id)
}

/// A round that pushes bytes.
fn round(record: doorstep::ids::RecordId, bytes: &[u8]) -> Vec<u8> {
    let push = vec![Push { record, changes: vec![Packed::plain(bytes)] }];
    encode_request(&Request { push, ..Request::default() })
}

#[tokio::test]
async fn m4_refused_work_is_listed_shown_and_decided_on() {
    let http = HttpOffice::open().await;
    let (_, device, id) = refused(&http).await;
    let supervisor = http.token("lin.yue").await;
    let auditor = http.token("gu.an").await;

    let page = http.get("/api/quarantine?state=open&limit=1", Some(&auditor)).await.json();
    assert_eq!((page["total"].as_u64(), page["next"].as_u64()), (Some(1), Some(1)));
    let row = &page["rows"][0];
    assert_eq!((row["code"].as_str(), row["state"].as_str()), (Some("malformed"), Some("open")));
    assert_eq!(row["device"].as_str(), Some(device.to_string().as_str()));
    assert_eq!((row["case_no"].as_str(), row["user"].as_str()), (Some("NB1"), Some("chen.jie")));
    for nothing in ["after=1", "state=accepted", "user=wu.min", "code=too_large"] {
        let page = http.get(&format!("/api/quarantine?{nothing}"), Some(&auditor)).await.json();
        assert_eq!(page["rows"].as_array().map(Vec::len), Some(0), "{nothing}");
    }
    for nonsense in ["state=x", "limit=0", "device=1", "record=1", "after=x"] {
        let answer = http.get(&format!("/api/quarantine?{nonsense}"), Some(&auditor)).await;
        assert_eq!(answer.code(), (422, "invalid_value".into()), "{nonsense}");
    }
    let of_record = format!("/api/quarantine?record={id}");
    assert_eq!(http.get(&of_record, Some(&auditor)).await.json()["total"], 1);

    let item = http.get("/api/quarantine/1", Some(&auditor)).await.json();
    assert_eq!(item["acceptance"]["how"].as_str(), Some("impossible"));
    assert_eq!(item["acceptance"]["code"].as_str(), Some("malformed"));
    for unknown in ["/api/quarantine/7", "/api/quarantine/x"] {
        let answer = http.get(unknown, Some(&auditor)).await;
        assert_eq!(answer.code(), (404, "unknown_quarantine".into()));
    }

    let accept = "/api/quarantine/1/accept";
    assert_eq!(http.post_json(accept, Some(&auditor), "{}").await.code().0, 403);
    let answer = http.post_json(accept, Some(&supervisor), "{\"heads\":[]}").await;
    assert_eq!(answer.code(), (409, "record_moved".into()));
    let answer = http.post_json(accept, Some(&supervisor), "{}").await;
    assert_eq!(answer.code(), (409, "malformed".into()));
    let dismiss = "/api/quarantine/1/dismiss";
    let answer = http.post_json(dismiss, Some(&supervisor), "{}").await;
    assert_eq!(answer.code(), (422, "reason_needed".into()));
    let answer = http.post_json(dismiss, Some(&supervisor), "{\"reason\":\"noise\"}").await;
    let made = &answer.json()["decisions"][0];
    assert_eq!((made["by"].as_str(), made["reason"].as_str()), (Some("lin.yue"), Some("noise")));
    assert_eq!(http.get("/api/quarantine?state=open", Some(&auditor)).await.json()["total"], 0);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn f4_a_revoked_device_submits_its_work_and_reads_nothing() {
    let http = HttpOffice::open().await;
    let (token, device, id) = refused(&http).await;
    http.accounts.revoke_device(device, "admin", "lost").await.unwrap();
    for path in ["/api/session", "/api/events", "/api/visits"] {
        let answer = http.get(path, Some(&token)).await;
        assert_eq!(answer.code(), (401, "signed_out".into()), "{path}");
    }
    for _ in 0..2 {
        let answer = http.post("/sync", Some(&token), round(id, b"unsent")).await;
        let reply = decode_reply(&answer.body).unwrap();
        assert_eq!(reply.revocation, Some(Revocation::DeviceRevoked));
        assert_eq!(reply.results, [Outcome::Withdrawn]);
        assert!(reply.entries.is_empty());
    }
    let kept = http.office.quarantine().await.unwrap();
    assert_eq!((kept.len(), kept[0].code.as_str()), (2, "device_revoked"));
    // Not for ever: as long as a sign-in lasts.
    http.office.advance(Lifetime::of(Role::Collector).idle + 1);
    let answer = http.post("/sync", Some(&token), round(id, b"late")).await;
    assert_eq!(answer.code(), (401, "signed_out".into()));
    http.office.assert_sound().await;
}

#[tokio::test]
async fn f4_devices_of_a_disabled_user_submit_their_work_too() {
    let http = HttpOffice::open().await;
    let (token, _, id) = refused(&http).await;
    http.disable("chen.jie").await;
    let answer = http.post("/sync", Some(&token), round(id, b"unsent")).await;
    let reply = decode_reply(&answer.body).unwrap();
    assert_eq!(
        (reply.revocation, &reply.results[..]),
        (Some(Revocation::UserDisabled), &[Outcome::Withdrawn][..])
    );
    // An invented token is refused.
    let stranger = "0".repeat(64);
    let answer = http.post("/sync", Some(&stranger), round(id, b"x")).await;
    assert_eq!(answer.code(), (401, "signed_out".into()));
    http.office.assert_sound().await;
}
