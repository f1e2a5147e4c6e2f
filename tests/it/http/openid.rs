//! Signing in with OpenID Connect, against an identity provider that the test runs.

mod provider;

use axum::body::Body;
use axum::http::header;
use doorstep::ids::hex;
use doorstep::office::auth::openid::{NameClaim, OpenId, Settings};
use doorstep::office::auth::{Account, UserChange};
use openidconnect::url::Url;
use serde_json::json;

use crate::support::http_office::{Answer, HttpOffice, PASSWORD, ask};
use provider::{CLIENT, Lie, Provider, SECRET};

const DEVICE: &str = "00112233445566778899aabbccddeeff";
const PUBLIC: &str = "https://office.example";

struct Scene {
    http: HttpOffice,
    provider: Provider,
}

/// A sign-in that was redirected, with the provider's answer.
struct Away {
    kept: String,
    back: String,
}

impl Scene {
    async fn open() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let mut http = HttpOffice::open().await;
        let provider = Provider::start(http.office.clock.clone()).await;
        let settings = change(settings(&provider.issuer));
        let openid = OpenId::new(settings, &http.office).unwrap();
        http.reopen_with(openid);
        Self { http, provider }
    }

    /// Leaves for the provider and gets its answer.
    async fn leave(&self, door: &str) -> Away {
        self.leave_with(door, &self.proof("chen.jie")).await
    }

    /// What the phone's device has to show for its user.
    fn proof(&self, user: &str) -> String {
        hex(&self.http.office.enrolment(DEVICE.parse().unwrap(), user))
    }

    async fn leave_with(&self, door: &str, proof: &str) -> Away {
        self.leave_as(&json!({ "door": door, "device": DEVICE, "proof": proof })).await
    }

    async fn leave_as(&self, body: &serde_json::Value) -> Away {
        let body = body.to_string();
        let begun = self.http.post_json("/api/sign-in/openid", None, &body).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let kept = begun.header("set-cookie").to_owned();
        assert!(kept.contains("; HttpOnly; SameSite=Lax"), "{kept}");
        let to = begun.json()["to"].as_str().unwrap().to_owned();
        let stay = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().redirect(stay).build().unwrap();
        let answer = browser.get(to).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        let back = back.strip_prefix(PUBLIC).unwrap().to_owned();
        Away { kept: kept.split(';').next().unwrap().to_owned(), back }
    }

    async fn come_back(&self, kept: &str, back: &str) -> Answer {
        let request = ask("GET", back, None).header(header::COOKIE, kept);
        self.http.ask(request.body(Body::empty()).unwrap()).await
    }

    /// The console's page names no device.
    async fn leave_from_console(&self) -> Away {
        self.leave_as(&json!({ "door": "office" })).await
    }

    async fn console(&self) -> Answer {
        let away = self.leave_from_console().await;
        self.come_back(&away.kept, &away.back).await
    }

    /// An administrator links a staff account.
    async fn link(&self, user: &str, subject: &str) {
        let (issuer, subject) = (self.provider.issuer.clone(), subject.to_owned());
        let link = Some(Account { issuer, subject });
        self.http.change(user, UserChange { link, ..UserChange::default() }).await;
    }

    async fn round_trip(&self, door: &str) -> Answer {
        let away = self.leave(door).await;
        self.come_back(&away.kept, &away.back).await
    }
}

fn place(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303);
    answer.header("location")
}

fn session(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all(header::SET_COOKIE);
    let mut pairs =
        cookies.iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    pairs.find(|pair| pair.starts_with("doorstep_session=")).map(str::to_owned)
}

async fn who(http: &HttpOffice, session: &str) -> serde_json::Value {
    let request = ask("GET", "/api/session", None).header(header::COOKIE, session);
    http.ask(request.body(Body::empty()).unwrap()).await.json()
}

#[tokio::test]
async fn a_phone_signs_in_as_the_device_that_it_is() {
    let scene = Scene::open().await;
    let ways = scene.http.get("/api/sign-in", None).await;
    assert_eq!(ways.json(), json!({ "openid": { "label": "Lender's account" } }));
    let answer = scene.round_trip("field").await;
    assert_eq!(place(&answer), "/#signed-in");
    let me = who(&scene.http, &session(&answer).unwrap()).await;
    assert_eq!((&me["user"], &me["device"]), (&"chen.jie".into(), &DEVICE.into()));
    let cookies = format!("{:?}", answer.headers.get_all(header::SET_COOKIE));
    assert!(cookies.contains("doorstep_leaving=; Path=/; Max-Age=0"), "{cookies}");
    assert!(cookies.contains("SameSite=Strict"), "{cookies}");
    let users = scene.http.accounts.users(None).await.unwrap();
    assert!(users.iter().all(|user| user.linked == (user.name == "chen.jie")));
}

#[tokio::test]
async fn i1_an_unknown_device_belongs_to_the_user_of_its_proof() {
    let scene = Scene::open().await;
    for proof in [String::new(), scene.proof("wu.min"), "00".repeat(32)] {
        let away = scene.leave_with("field", &proof).await;
        let answer = scene.come_back(&away.kept, &away.back).await;
        assert_eq!(place(&answer), "/#sign-in=device_unknown");
        assert_eq!(session(&answer), None);
    }
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
}

#[tokio::test]
async fn a_phone_that_was_somebody_else_s_is_another_device_from_then_on() {
    let scene = Scene::open().await;
    scene.round_trip("field").await;
    scene.provider.person("subject-5", "wu.min");
    let answer = scene.round_trip("field").await;
    assert_eq!(place(&answer), "/#signed-in");
    let me = who(&scene.http, &session(&answer).unwrap()).await;
    assert_eq!(me["user"], "wu.min");
    assert_ne!(me["device"], DEVICE);
}

#[tokio::test]
async fn the_console_is_come_back_to_and_no_other_address() {
    let scene = Scene::open().await;
    scene.link("lin.yue", "subject-2").await;
    scene.provider.person("subject-2", "Lin.Yue");
    let answer = scene.console().await;
    assert_eq!(place(&answer), "/office/#signed-in");
    assert_eq!(who(&scene.http, &session(&answer).unwrap()).await["user"], "lin.yue");
    for door in ["https://evil.example", "//evil.example", "/office", ""] {
        let body = json!({ "door": door }).to_string();
        let begun = scene.http.post_json("/api/sign-in/openid", None, &body).await;
        assert_eq!(begun.code(), (422, "malformed".into()), "{door}");
    }
    let away = scene.leave_from_console().await;
    let back = format!("{}&door=field&to=https://evil.example", away.back);
    assert_eq!(place(&scene.come_back(&away.kept, &back).await), "/office/#signed-in");
}

#[tokio::test]
async fn an_invalid_response_of_the_provider_is_no_sign_in() {
    let scene = Scene::open().await;
    for lie in [
        Lie::Nonce,
        Lie::NoNonce,
        Lie::Audience,
        Lie::OtherAudienceToo,
        Lie::AuthorizedParty,
        Lie::Issuer,
        Lie::Expired,
        Lie::OldToken,
        Lie::FutureToken,
        Lie::OtherKey,
        Lie::Unsigned,
        Lie::SignedWithSecret,
        Lie::ChangedClaims,
        Lie::NoName,
        Lie::AnotherProvidersAnswer,
    ] {
        scene.provider.lie(lie);
        let answer = scene.round_trip("field").await;
        assert_eq!(place(&answer), "/#sign-in=openid_refused", "{lie:?}");
        assert_eq!(session(&answer), None, "{lie:?}");
    }
    scene.provider.lie(Lie::SaysNo);
    assert_eq!(place(&scene.round_trip("field").await), "/#sign-in=openid_denied");
    scene.provider.lie(Lie::Nothing);
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
}

#[tokio::test]
async fn an_answer_is_good_once_in_the_browser_that_left_and_for_ten_minutes() {
    let scene = Scene::open().await;
    let stale = async |kept: &str, back: &str| {
        let answer = scene.come_back(kept, back).await;
        let place = place(&answer).to_owned();
        assert_eq!(
            (session(&answer), place.ends_with("#sign-in=openid_stale")),
            (None, true),
            "{place}"
        );
    };
    // Another user's browser, with and without a sign-in of its own under way.
    let (victim, attacker) = (scene.leave("field").await, scene.leave("field").await);
    stale("other=1", &attacker.back).await;
    stale(&victim.kept, &attacker.back).await;
    stale("doorstep_leaving=00.00", &attacker.back).await;
    stale(&format!("{}00", victim.kept), &victim.back).await;
    assert_eq!(place(&scene.come_back(&victim.kept, &victim.back).await), "/#signed-in");
    stale(&victim.kept, &victim.back).await;

    // Another's code in the own answer: the verifier is not the one that it was asked for with.
    let (own, other) = (scene.leave("field").await, scene.leave("field").await);
    let code = |back: &str| {
        let url = Url::parse(&format!("{PUBLIC}{back}")).unwrap();
        url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let mixed = own.back.replace(&code(&own.back), &code(&other.back));
    let answer = scene.come_back(&own.kept, &mixed).await;
    assert_eq!(place(&answer), "/#sign-in=openid_refused");
    assert_eq!(session(&answer), None);

    let late = scene.leave("field").await;
    scene.http.office.advance(10 * 60 * 1000);
    stale(&late.kept, &late.back).await;
}

#[tokio::test]
async fn a_user_is_tied_to_the_first_account_and_names_that_change_hands_open_nothing() {
    let scene = Scene::open().await;
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
    // Married, and renamed at the provider.
    scene.provider.person("subject-1", "chen.wang");
    let renamed = scene.round_trip("field").await;
    assert_eq!(who(&scene.http, &session(&renamed).unwrap()).await["user"], "chen.jie");
    // The name was given to a newcomer.
    scene.provider.person("subject-9", "chen.jie");
    assert_eq!(place(&scene.round_trip("office").await), "/office/#sign-in=openid_other_account");
    scene.http.change("chen.jie", UserChange { unlink: true, ..UserChange::default() }).await;
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
    scene.http.disable("chen.jie").await;
    assert_eq!(place(&scene.round_trip("field").await), "/#sign-in=openid_unknown_account");
}

#[tokio::test]
async fn signing_in_creates_a_user_only_if_the_office_allows_it() {
    let scene = Scene::open().await;
    scene.provider.person("subject-3", "stranger");
    let refused = scene.round_trip("office").await;
    assert_eq!(place(&refused), "/office/#sign-in=openid_unknown_account");

    let scene = Scene::with(|settings| Settings {
        enrol: true,
        domain: Some("lender.example".into()),
        ..settings
    })
    .await;
    scene.provider.person("subject-3", "Ma.Li@lender.example");
    // A new phone.
    let away = scene.leave_as(&json!({ "door": "field" })).await;
    let enrolled = scene.come_back(&away.kept, &away.back).await;
    let me = who(&scene.http, &session(&enrolled).unwrap()).await;
    assert_eq!((&me["user"], &me["role"]), (&"ma.li".into(), &"collector".into()));
    // No password is hers, and none is nearly hers.
    for password in ["none", "", PASSWORD] {
        let body = json!({ "name": "ma.li", "password": password }).to_string();
        let answer = scene.http.post_json("/api/session", None, &body).await;
        assert_eq!(answer.code(), (401, "wrong_password".into()));
    }
    for (subject, name) in [
        ("4", "admin@evil.example"),
        ("5", "../admin"),
        ("6", ""),
        // Where a domain is demanded, a name without one is anybody's.
        ("7", "chen.jie"),
        ("8", "newcomer"),
        ("9", "lender.example"),
        ("10", "office@lender.example"),
    ] {
        scene.provider.person(subject, name);
        let refused = scene.console().await;
        assert_eq!(place(&refused), "/office/#sign-in=openid_unknown_account", "{name}");
    }
}

#[tokio::test]
async fn roles_above_collector_are_linked_by_hand() {
    let scene = Scene::open().await;
    for (n, name) in ["lin.yue", "gu.an", "admin"].into_iter().enumerate() {
        let subject = format!("staff-{n}");
        scene.provider.person(&subject, name);
        let refused = scene.console().await;
        assert_eq!(place(&refused), "/office/#sign-in=openid_not_linked", "{name}");
        assert_eq!(session(&refused), None);
        scene.link(name, &subject).await;
        let answer = scene.console().await;
        assert_eq!(who(&scene.http, &session(&answer).unwrap()).await["user"], name);
    }
    // A collector's link was made by name: it is not good for more.
    scene.provider.person("subject-1", "chen.jie");
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
    let role = Some(doorstep::record::terms::Role::Supervisor);
    scene.http.change("chen.jie", UserChange { role, ..UserChange::default() }).await;
    assert_eq!(place(&scene.console().await), "/office/#sign-in=openid_not_linked");
}

#[tokio::test]
async fn a_provider_may_change_its_key() {
    let scene = Scene::open().await;
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
    scene.provider.new_key(2);
    // The provider's keys are fetched at most once a minute.
    assert_eq!(place(&scene.round_trip("field").await), "/#sign-in=openid_refused");
    scene.http.office.advance(60 * 1000);
    assert_eq!(place(&scene.round_trip("field").await), "/#signed-in");
}

#[tokio::test]
async fn without_a_provider_there_is_the_password() {
    let away =
        Scene::with(|settings| Settings { issuer: "http://127.0.0.1:9".into(), ..settings }).await;
    let body = json!({ "door": "field" }).to_string();
    let begun = away.http.post_json("/api/sign-in/openid", None, &body).await;
    assert_eq!(begun.code(), (502, "openid_unreachable".into()));
    away.http.token("chen.jie").await;

    let none = HttpOffice::open().await;
    assert_eq!(none.get("/api/sign-in", None).await.json(), json!({ "openid": null }));
    let begun = none.post_json("/api/sign-in/openid", None, &body).await;
    assert_eq!(begun.code(), (404, "not_found".into()));
    let back = none.get("/api/sign-in/openid/return?code=1&state=2", None).await;
    assert_eq!(back.code(), (404, "not_found".into()));
    for issuer in ["http://id.example", "ftp://127.0.0.1", "id.example", ""] {
        assert!(OpenId::new(settings(issuer), &none.office).is_err(), "{issuer}");
    }
}

fn settings(issuer: &str) -> Settings {
    Settings {
        issuer: issuer.into(),
        client_id: CLIENT.into(),
        client_secret: Some(SECRET.into()),
        claim: NameClaim::PreferredUsername,
        domain: None,
        enrol: false,
        label: "Lender's account".into(),
        public: PUBLIC.into(),
    }
}
