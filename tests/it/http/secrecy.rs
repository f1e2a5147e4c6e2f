//! A collector cannot read, guess, list or be notified of records outside their own feed.
//!
//! One measure for all: every answer about another user's record equals the answer about a record
//! that does not exist.

use automerge::ChangeHash;
use axum::body::Body;
use axum::http::header;
use doorstep::ids::{DeviceId, Heads, RecordId, actor};
use doorstep::office::http::ROUTES;
use doorstep::record::command::{AssignmentPatch, CasePatch, Command, NewContact};
use doorstep::record::terms::{Channel, ContactOutcome, Role, TargetRole};
use doorstep::record::{Author, Record};
use doorstep::sync::message::{
    DEFAULT_REPLY_BYTES, Outcome, Packed, Push, Reply, Request, Restore, UpdateContent, Want,
    decode_reply, encode_request,
};
use doorstep::sync::packed::Packer;
use doorstep::sync::ranges::Range;
use http_body_util::BodyExt;

use crate::support::http_office::{HttpOffice, ask};

/// The collector who is curious, and the one whose record it is.
const CURIOUS: &str = "chen.jie";
const OTHER: &str = "wu.min";

struct Scene {
    http: HttpOffice,
    token: String,
    own: RecordId,
    foreign: RecordId,
    unknown: RecordId,
}

impl Scene {
    async fn open() -> Self {
        let http = HttpOffice::open().await;
        let own = http.visit("NB-OWN", &[CURIOUS]).await;
        let foreign = http.visit("NB-FOREIGN", &[OTHER]).await;
        let unknown = "01a20aaf-78e0-7801-9dc4-6124dccd5cf9".parse().unwrap();
        let token = http.token(CURIOUS).await;
        Self { http, token, own, foreign, unknown }
    }

    async fn round(&self, request: Request) -> Reply {
        let request = Request { max_bytes: DEFAULT_REPLY_BYTES, ..request };
        let answer = self.http.post("/sync", Some(&self.token), encode_request(&request)).await;
        decode_reply(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.told()))
    }

    /// What a round says of the foreign record and of the unknown one; the two must be alike.
    async fn both(&self, ask: impl Fn(RecordId) -> Request) -> [Reply; 2] {
        // The own record first, so that what is left is about what was asked.
        let cursor = self.round(Request::default()).await.cursor;
        let mut replies = Vec::new();
        for record in [self.foreign, self.unknown] {
            let mut reply = self.round(Request { cursor, ..ask(record) }).await;
            for entry in &mut reply.entries {
                assert_eq!(entry.record, record);
                entry.record = self.own;
            }
            for outcome in reply.results.iter_mut().chain(&mut reply.restored) {
                // A number in the order of arrival, whatever it is about.
                if let Outcome::Refused { quarantine, .. } = outcome {
                    *quarantine = 0;
                }
            }
            replies.push(reply);
        }
        replies.try_into().unwrap()
    }

    /// The foreign record's changes, as if a supervisor had leaked them.
    async fn leaked(&self) -> (Heads, Vec<Packed>) {
        let auditor = self.http.token("gu.an").await;
        let path = format!("/api/visits/{}.automerge", self.foreign);
        let document = self.http.get(&path, Some(&auditor)).await.body;
        let record = Record::load(&document).unwrap();
        let changes = record.changes_after(&Heads::default());
        let changes = changes.iter().map(|change| Packed::plain(change.raw_bytes())).collect();
        (record.heads(), changes)
    }
}

#[tokio::test]
async fn no_route_tells_a_foreign_record_from_one_that_never_was() {
    let scene = Scene::open().await;
    for route in ROUTES.iter().filter(|route| route.path.contains('{')) {
        let mut said = Vec::new();
        for record in [scene.foreign, scene.unknown] {
            let id = record.to_string();
            let mut path = String::new();
            for (n, part) in route.path.split(['{', '}']).enumerate() {
                path.push_str(if n % 2 == 0 { part } else { &id });
            }
            let request = ask(route.method.as_str(), &path, Some(&scene.token))
                .header(header::CONTENT_TYPE, route.request_media().unwrap_or("application/json"));
            let answer = scene.http.ask(request.body(Body::from("{}")).unwrap()).await;
            let length = answer.header("content-length").to_owned();
            said.push((answer.told().replace(&id, "ID"), length));
        }
        assert_eq!(said[0], said[1], "{} {}", route.method, route.path);
        assert!(!said[0].0.contains("NB-FOREIGN"), "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn no_list_of_a_collector_names_a_foreign_record() {
    let scene = Scene::open().await;
    let foreign = scene.foreign.to_string();
    // An event stream never ends, and signing out would end the test.
    let others =
        ROUTES.iter().filter(|route| route.path != "/api/events" && route.method != "DELETE");
    for route in others {
        let path = format!("{}?q=NB&format=csv&code=1&state=2", route.path);
        let request = ask(route.method.as_str(), &path, Some(&scene.token));
        let answer = scene.http.ask(request.body(Body::empty()).unwrap()).await;
        for secret in [foreign.as_str(), "NB-FOREIGN"] {
            assert!(!answer.text().contains(secret), "{} {path}", route.method);
        }
    }
    let reply = scene.round(Request::default()).await;
    let [entry] = &reply.entries[..] else { panic!("{:?}", reply.entries) };
    assert_eq!((entry.record, reply.digest.count), (scene.own, 1));
}

#[tokio::test]
async fn wants_get_the_same_answer_whatever_heads_they_claim() {
    let scene = Scene::open().await;
    let (heads, _) = scene.leaked().await;
    for have in [Heads::default(), heads, Heads::new(vec![ChangeHash([7; 32])])] {
        let want = |record| Want { record, have: have.clone() };
        let [foreign, unknown] =
            scene.both(|record| Request { want: vec![want(record)], ..Request::default() }).await;
        assert_eq!(foreign, unknown);
        let [entry] = &foreign.entries[..] else { panic!("{:?}", foreign.entries) };
        assert_eq!(entry.content, UpdateContent::Unknown);
    }
}

#[tokio::test]
async fn pushes_to_foreign_records_get_the_same_answer_whatever_they_contain() {
    let scene = Scene::open().await;
    let (_, leaked) = scene.leaked().await;
    let last = leaked.last().cloned().into_iter().collect::<Vec<_>>();
    for changes in [vec![], vec![Packed::plain(b"no change")], last, leaked] {
        let push = |record| Push { record, changes: changes.clone() };
        let [foreign, unknown] =
            scene.both(|record| Request { push: vec![push(record)], ..Request::default() }).await;
        assert_eq!(foreign, unknown);
        let taken = |outcome: &Outcome| {
            matches!(outcome, Outcome::Merged { .. } | Outcome::Duplicate { .. })
        };
        assert!(!foreign.results.iter().any(taken), "{:?}", foreign.results);
    }
    scene.http.office.assert_sound().await;
}

#[tokio::test]
async fn a_state_token_of_another_user_is_worthless() {
    let scene = Scene::open().await;
    let (heads, changes) = scene.leaked().await;
    // The other's own state token, which was seen on the other's phone.
    let others = scene.http.token(OTHER).await;
    let request = Request { max_bytes: DEFAULT_REPLY_BYTES, ..Request::default() };
    let answer = scene.http.post("/sync", Some(&others), encode_request(&request)).await;
    let reply = decode_reply(&answer.body).unwrap();
    let UpdateContent::Document { state_token, .. } = &reply.entries[0].content else {
        panic!("{reply:?}")
    };
    let mac = state_token.mac_for(scene.foreign, &heads).unwrap();
    for mac in [mac, [0; 8]] {
        let restore =
            |record| Restore { record, heads: heads.clone(), mac, changes: changes.clone() };
        let [foreign, unknown] = scene
            .both(|record| Request { restore: vec![restore(record)], ..Request::default() })
            .await;
        assert_eq!(foreign, unknown);
        assert!(
            matches!(foreign.restored[..], [Outcome::Refused { .. }]),
            "{:?}",
            foreign.restored
        );
    }
}

#[tokio::test]
async fn ranges_over_everything_show_the_own_feed_alone() {
    let scene = Scene::open().await;
    let froms = [RecordId([0; 16]), scene.foreign, RecordId([0xff; 16])];
    let mut ranges: Vec<Range> = froms.map(|from| Range { from, fingerprint: [9; 16] }).to_vec();
    ranges.sort_by_key(|range| range.from);
    let reply = scene.round(Request { ranges, ..Request::default() }).await;
    assert!(!format!("{:?}", reply.differing).contains(&format!("{:?}", scene.foreign)));
    let shown: Vec<RecordId> = reply.differing.states.iter().map(|state| state.record).collect();
    assert_eq!(shown, [scene.own]);
}

#[tokio::test]
async fn an_event_is_of_the_own_feed_or_none() {
    let scene = Scene::open().await;
    let events = ask("GET", "/api/events", Some(&scene.token)).body(Body::empty()).unwrap();
    let mut events = scene.http.begin(events).await.into_body();
    let alive = events.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&alive[..], b"event: alive\ndata: {\"seq\":1}\n\n");
    // Three changes to another user's record, then one to an own one: only the last is announced.
    for overdue in [1, 2, 3] {
        move_it(&scene, scene.foreign, overdue).await;
    }
    move_it(&scene, scene.own, 4).await;
    let frame = events.frame().await.unwrap().unwrap().into_data().unwrap();
    let seq = scene.round(Request::default()).await.cursor.seq;
    assert_eq!(seq, 2, "made, and changed once");
    assert_eq!(frame, format!("event: moved\ndata: {{\"seq\":{seq}}}\n\n"));

    // A listener whose account is disabled hears nothing more.
    scene.http.disable(CURIOUS).await;
    move_it(&scene, scene.own, 5).await;
    assert!(events.frame().await.is_none(), "the stream ends");
}

#[tokio::test]
async fn a_withdrawn_record_reveals_nothing_of_later_changes() {
    let scene = Scene::open().await;
    let before = scene.round(Request::default()).await;
    let collectors = Some(vec![OTHER.to_owned()]);
    let patch = AssignmentPatch { collectors, ..AssignmentPatch::default() };
    edit(&scene, scene.own, Command::Assign(patch)).await;
    move_it(&scene, scene.own, 6).await;
    let want = vec![Want { record: scene.own, have: Heads::default() }];
    let reply = scene.round(Request { cursor: before.cursor, want, ..Request::default() }).await;
    assert!(
        reply.entries.iter().all(|entry| entry.content == UpdateContent::Withdrawn),
        "{reply:?}"
    );
    assert_eq!(reply.digest.count, 0);
}

#[tokio::test]
async fn a_former_collector_learns_no_heads_by_naming_unknown_ones() {
    let scene = Scene::open().await;
    let before = scene.round(Request::default()).await;
    let UpdateContent::Document { document, state_token } = &before.entries[0].content else {
        panic!()
    };
    let mut record = Record::load(&document.0).unwrap();
    let heads = record.heads();
    let mac = state_token.mac_for(scene.own, &heads).unwrap();
    let collectors = Some(vec![OTHER.to_owned()]);
    let patch = AssignmentPatch { collectors, ..AssignmentPatch::default() };
    edit(&scene, scene.own, Command::Assign(patch)).await;
    move_it(&scene, scene.own, 6).await;

    // Two changes on the phone; only the second is sent, and names the first by eight bytes.
    let author = Author {
        actor: actor(DeviceId([7; 16]), 1),
        user: CURIOUS.to_owned(),
        role: Role::Collector,
        now_ms: 1,
        zone: "Asia/Shanghai".to_owned(),
    };
    let mut written = Vec::new();
    for n in 1..=2 {
        let contact = NewContact {
            id: format!("01a20aaf-78e0-7801-9dc4-6124dccd5cf{n}"),
            at: 1,
            channel: Channel::Call,
            number_ref: String::new(),
            target_role: TargetRole::Borrower,
            outcome: ContactOutcome::Reached,
            note: String::new(),
        };
        let change = record.apply(&Command::LogContact(contact), &author).unwrap().unwrap();
        written.push(change.raw_bytes().to_vec());
    }
    let packed = |from: usize| {
        let mut packer = Packer::default();
        let changes = packer.pack(written[from..].iter().map(Vec::as_slice));
        (changes, packer.into_tables())
    };
    let (changes, tables) = packed(1);
    let after = record.heads();
    for restore in [false, true] {
        let (changes, tables) = (changes.clone(), tables.clone());
        let request = if restore {
            let restore = Restore { record: scene.own, heads: heads.clone(), mac, changes };
            Request { restore: vec![restore], tables, ..Request::default() }
        } else {
            let push = Push { record: scene.own, changes };
            Request { push: vec![push], tables, ..Request::default() }
        };
        let reply = scene.round(Request { cursor: before.cursor, ..request }).await;
        let [outcome] = &[reply.results, reply.restored].concat()[..] else { panic!("one each") };
        let nothing = Outcome::Missing { have: Heads::default() };
        assert_eq!(*outcome, nothing, "restore {restore}, and not {after:?}");
    }
    // What builds on nothing unknown is kept for a person, as ever.
    let (changes, tables) = packed(0);
    let push = vec![Push { record: scene.own, changes }];
    let reply = scene.round(Request { cursor: before.cursor, push, tables, ..Request::default() });
    assert_eq!(reply.await.results, [Outcome::Withdrawn]);
}

/// Blobs are named by content: guessing a hash must not reveal that the blob exists.
#[tokio::test]
async fn a_foreign_blob_is_like_one_that_never_was() {
    let Some(route) = ROUTES.iter().find(|route| route.path.contains("{sha256}")) else { return };
    let scene = Scene::open().await;
    let others = scene.http.token(OTHER).await;
    let bytes = b"\xff\xd8\xff\xe0 a photo of a door".to_vec();
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    let there: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = |hash: &str| route.path.replace("{sha256}", hash);
    let put = ask("PUT", &path(&there), Some(&others)).header(header::CONTENT_TYPE, "image/jpeg");
    let put = scene.http.ask(put.body(Body::from(bytes)).unwrap()).await;
    assert!(put.status.is_success(), "{}", put.told());
    for method in ["GET", "HEAD"] {
        let mut said = Vec::new();
        for hash in [there.clone(), "ab".repeat(32)] {
            let request = ask(method, &path(&hash), Some(&scene.token)).body(Body::empty());
            said.push(scene.http.ask(request.unwrap()).await.told().replace(&hash, "HASH"));
        }
        assert_eq!(said[0], said[1], "{method}");
    }
}

async fn move_it(scene: &Scene, record: RecordId, overdue: i64) {
    let patch = CasePatch { overdue: Some(overdue), ..CasePatch::default() };
    edit(scene, record, Command::UpdateCase(Box::new(patch))).await;
}

async fn edit(scene: &Scene, record: RecordId, command: Command) {
    let office = &scene.http.office;
    office.command(record, command, "lin.yue", Role::Supervisor).await.unwrap();
}
