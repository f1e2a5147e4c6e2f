//! Every statement of a round has a plan whose cost depends on what changed, not on what is stored.
//!
//! The table in `docs/PERFORMANCE.md` is the list of statements: one that is new, gone or planned
//! otherwise fails the test. Plans are compared without statistics, as in an office that was never
//! closed properly, with statistics of a large store, and with those of a small one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::office::auth::{Accounts, Attempt, Hasher, NewUser, SignInContext};
use doorstep::office::time;
use doorstep::record::command::{CasePatch, Command, NewAttachment, TalkPatch};
use doorstep::record::terms::{AttachmentKind, Flag, Role};
use doorstep::sync::message::{Request, Restore};
use doorstep::sync::ranges::Range;
use rusqlite::Connection;
use rusqlite::auto_extension::{init_auto_extension, register_auto_extension};
use rusqlite::ffi;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::support::office::{TestOffice, to};
use crate::support::sync_client::{START, SyncClient, contact, payment};

/// In the name of the folder of this test's store: other tests may run in this process.
const FOLDER: &str = "statements-of-a-round";

/// The same for the test of lists.
pub(super) const LISTS_FOLDER: &str = "statements-of-lists";

/// Scans of what is small by nature.
const MAY_SCAN: &[&str] = &[
    // One row.
    "SCAN meta",
    // What the request asks about.
    "SCAN asked VIRTUAL TABLE INDEX 1:",
    // One row a user who ever had refused work; only where work is refused.
    "SCAN quarantine_shares",
];

pub(super) static RECORDING: AtomicBool = AtomicBool::new(false);
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Statements of the store in [`LISTS_FOLDER`].
pub(super) static SEEN_OF_LISTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[tokio::test]
async fn every_statement_of_a_round_finds_what_it_needs_by_an_index() {
    let folder = tempfile::Builder::new().prefix(FOLDER).tempdir().unwrap();
    let database = folder.path().join("db");
    record_statements();
    let office = Office::open(&format!("sqlite:{}", database.display()), || START).unwrap();
    let office = TestOffice::over(office);
    work(&office).await;
    let statements = std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner));
    assert!(statements.len() > 40, "{statements:#?}");

    let mut plans: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for store in [Statistics::None, Statistics::Small, Statistics::Large] {
        let connection = store_with(&database, store);
        for statement in &statements {
            plans.entry(abbreviated(statement)).or_default().insert(plan(&connection, statement));
        }
    }
    let (mut found, mut dear) = (BTreeSet::new(), Vec::new());
    for (statement, plans) in plans {
        for step in plans.iter().flat_map(|plan| plan.split("; ")) {
            let scans = step.starts_with("SCAN") && !MAY_SCAN.contains(&step);
            let of_entries = step.contains("feed_entries") || step.starts_with("SEARCH e ");
            let walks = step.contains("AUTOMATIC") || of_entries && step.ends_with("(feed=?)");
            if scans || walks {
                dear.push(format!("{statement}: {step}"));
            }
        }
        let plans = Vec::from_iter(plans);
        found.insert((statement, plans.join(", or with other statistics ")));
    }
    assert!(dear.is_empty(), "{dear:#?}");
    let documented = documented();
    let missing: Vec<String> = found
        .difference(&documented)
        .map(|(statement, plan)| format!("| `{statement}` | {plan} | |"))
        .collect();
    let gone: Vec<_> = documented.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/PERFORMANCE.md, \"Statements of a round\", lacks:\n{}\nand has in excess:\n{gone:#?}",
        missing.join("\n")
    );
    every_statement_of_a_report_starts_from_an_index(&office, &database).await;
}

/// In the same test, because statements are recorded for the whole process.
async fn every_statement_of_a_report_starts_from_an_index(office: &Office, database: &Path) {
    RECORDING.store(true, Ordering::Relaxed);
    for team in [vec![], vec!["chen.jie".to_owned(), "wu.min".to_owned()]] {
        let zone = chrono_tz::Asia::Shanghai;
        let period = time::period("2026-11-01", "2026-11-30", zone).unwrap();
        office.report(period, zone, team).await.unwrap();
    }
    RECORDING.store(false, Ordering::Relaxed);
    let statements = std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner));
    let dated: Vec<_> = statements.iter().filter(|sql| sql.contains("INDEXED BY")).collect();
    assert!(dated.len() >= 16, "{statements:#?}");
    // One row a device, a user or a hold in force.
    const SMALL: [&str; 4] = [
        "SCAN users",
        "SCAN devices",
        "SCAN quarantine_shares",
        "SCAN h USING COVERING INDEX visit_holds_by_flag",
    ];
    for store in [Statistics::None, Statistics::Small, Statistics::Large] {
        let connection = store_with(database, store);
        for statement in &statements {
            let plan = plan(&connection, statement);
            let scans = plan.split("; ").filter(|step| step.starts_with("SCAN"));
            let large: Vec<_> =
                scans.filter(|step| !SMALL.iter().any(|small| step.starts_with(small))).collect();
            assert!(large.is_empty() && !plan.contains("AUTOMATIC"), "{statement}: {plan}");
        }
    }
}

/// Rounds and edits that run every statement.
async fn work(office: &TestOffice) {
    let accounts = Accounts::new(office.store().clone(), Arc::new(|| START), Hasher::for_tests());
    for (name, role) in [("chen.jie", Role::Collector), ("lin.yue", Role::Supervisor)] {
        let (name, password) = (name.to_owned(), Some("correct horse".to_owned()));
        let user = NewUser { name, display_name: String::new(), role, password };
        accounts.add_user(user).await.unwrap();
    }
    let attempt = Attempt {
        name: "chen.jie".into(),
        password: "correct horse".into(),
        context: SignInContext {
            device: None,
            proof: None,
            browser: None,
            address: [127, 0, 0, 1].into(),
        },
    };
    let signed_in = accounts.sign_in(attempt).await.unwrap();
    let session = signed_in.identity.session;
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let other = office.add_visit("C-2", &["chen.jie"]).await;
    // More than the smallest page holds.
    for n in 3..30 {
        office.add_visit(&format!("C-{n}"), &["chen.jie"]).await;
    }

    RECORDING.store(true, Ordering::Relaxed);
    accounts.identify(&signed_in.token, Some("0.1.0")).await.unwrap();
    assert!(accounts.is_current(&session).await.unwrap());
    let mut phone = SyncClient::on("chen.jie", session.device.0.to_vec());
    let mut second = SyncClient::new("chen.jie", 9);
    phone.sync(office).await;
    second.sync(office).await;
    // Often enough that entries of the feed are thinned.
    for n in 0..40 {
        phone.write(id, contact(n));
        phone.sync(office).await;
    }
    phone.write(id, payment(1, 500));
    phone.write(id, attachment());
    phone.write(id, hold());
    phone.sync(office).await;
    second.sync(office).await;
    // Two versions of one field.
    phone.write(id, talk("illness"));
    second.write(id, talk("income"));
    phone.sync(office).await;
    second.sync(office).await;
    office.supervise(id, overdue(7)).await;
    phone.sync(office).await;

    // A repair, a restored state, refused work, and what was decided on it.
    let ranges = vec![Range { from: RecordId([0; 16]), fingerprint: [7; 16] }];
    phone.exchange(office, Request { cursor: phone.cursor, ranges, ..Request::default() }).await;
    phone.want.push(id);
    phone.sync(office).await;
    let (heads, mac) = (phone.confirmed(id), phone.mac(id));
    let restore = vec![Restore { record: id, heads, mac, changes: Vec::new() }];
    phone.exchange(office, Request { restore, ..Request::default() }).await;
    phone.force(id, overdue(8));
    phone.sync(office).await;
    let undecided = Some(vec![1]);
    phone.exchange(office, Request { undecided, ..Request::default() }).await;

    // A record that leaves, with work that comes late.
    second.write(other, contact(1));
    office.supervise(other, Command::Assign(to(&[]))).await;
    second.sync(office).await;
    office.supervise(other, Command::Assign(to(&["chen.jie"]))).await;

    // The walk over accepted records.
    office.expire_accepted(std::time::Duration::ZERO).await.unwrap();
    RECORDING.store(false, Ordering::Relaxed);
}

fn attachment() -> Command {
    Command::AddAttachment(NewAttachment {
        sha256: "07".repeat(32),
        media_type: "image/jpeg".into(),
        size: 9,
        taken_at: START,
        kind: AttachmentKind::Photo,
        caption: String::new(),
    })
}

fn hold() -> Command {
    Command::RaiseHold { flag: Flag::Dispute, since: START, until: None, note: "owes".into() }
}

fn talk(text: &str) -> Command {
    let overdue_reason_text = Some(text.into());
    Command::EditTalk(TalkPatch { overdue_reason_text, ..TalkPatch::default() })
}

fn overdue(amount: i64) -> Command {
    Command::UpdateCase(Box::new(CasePatch { overdue: Some(amount), ..CasePatch::default() }))
}

/// From now on every statement of these tests' stores is recorded while [`RECORDING`].
pub(super) fn record_statements() {
    #[allow(unsafe_code, reason = "SQLite calls this for each connection")]
    unsafe extern "C" fn opened(
        db: *mut ffi::sqlite3,
        message: *mut *mut std::ffi::c_char,
        _: *const ffi::sqlite3_api_routines,
    ) -> std::ffi::c_int {
        // SAFETY: `trace` opens and closes nothing.
        unsafe { init_auto_extension(db, message, trace) }
    }
    // SAFETY: as above.
    #[allow(unsafe_code, reason = "connections of the store cannot be reached otherwise")]
    unsafe {
        register_auto_extension(opened).unwrap();
    }
}

fn trace(connection: Connection) -> rusqlite::Result<()> {
    let path = connection.path().unwrap_or_default().to_owned();
    if path.contains(FOLDER) {
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(|event| record(event, &SEEN)));
    }
    if path.contains(LISTS_FOLDER) {
        let record = |event: TraceEvent<'_>| record(event, &SEEN_OF_LISTS);
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(record));
    }
    Ok(())
}

fn record(event: TraceEvent<'_>, seen: &Mutex<BTreeSet<String>>) {
    if let TraceEvent::Stmt(statement, _) = event
        && RECORDING.load(Ordering::Relaxed)
    {
        let sql = statement.sql().into_owned();
        let plain = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"];
        if !plain.iter().any(|word| sql.starts_with(word)) {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
        }
    }
}

/// What the planner knows of the store.
#[derive(Clone, Copy)]
pub(super) enum Statistics {
    None,
    Small,
    Large,
}

/// A store of the same schema.
pub(super) fn store_with(database: &Path, statistics: Statistics) -> Connection {
    let store = Connection::open_in_memory().unwrap();
    let original = Connection::open(database).unwrap();
    let mut schema = original
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'
             AND name NOT GLOB 'visit_trigrams_*' AND name NOT GLOB 'visit_grams_*'
             ORDER BY type = 'trigger', type = 'index'",
        )
        .unwrap();
    let schema: Vec<String> =
        schema.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    store.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    store.execute_batch(&schema.join(";\n")).unwrap();
    let rows = match statistics {
        Statistics::None => return store,
        Statistics::Small => 3,
        Statistics::Large => 3_000,
    };
    store.execute_batch(&FILL.replace("ROWS", &format!("{rows}"))).unwrap();
    store.execute_batch("ANALYZE").unwrap();
    store
}

/// Two collectors, with records of ten changes each.
const FILL: &str = "
    CREATE TABLE n (n INTEGER PRIMARY KEY);
    INSERT INTO n WITH RECURSIVE n(n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ROWS) SELECT n FROM n;
    CREATE TABLE k (k INTEGER PRIMARY KEY);
    INSERT INTO k VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10);
    INSERT INTO records SELECT randomblob(16), 'C' || n, x'', 9, 9, n, n, x'00' FROM n;
    INSERT INTO changes SELECT id, k, randomblob(32), randomblob(24), k, k, k, randomblob(16),
        'chen.jie', x'00' FROM records, k;
    INSERT INTO feed_entries SELECT iif(r.rowid % 2, 'chen.jie', 'wu.min'), 10 * r.rowid + k, id, 1,
        k, k = 10 FROM records r, k;
    INSERT INTO feeds VALUES ('chen.jie', 90000, 1, zeroblob(32)), ('wu.min', 90000, 1, zeroblob(32));
    INSERT INTO receipts SELECT id, k, x'', x'', 'chen.jie', 1, zeroblob(32), zeroblob(32), NULL
        FROM records, k;
    INSERT INTO visits (record, case_no, borrower_name, address, product, overdue, currency,
        days_past_due, stage, due_by, priority, review_status, conflicts, updated_at)
        SELECT id, case_no, '', '', '', 1, 'CNY', 1, 'new', '', 1, 'none', 0, 1 FROM records;
    INSERT INTO visit_collectors SELECT id, iif(rowid % 2, 'chen.jie', 'wu.min') FROM records;
    INSERT INTO contacts SELECT id, k, 1, '', '', '', '', '', '', '' FROM records, k;
    INSERT INTO users (name, display_name, role, password_hash, created_at)
        SELECT 'user' || n, '', 'collector', '', n FROM n;
    INSERT INTO devices (id, user, created_at, last_seen_at) SELECT randomblob(16), name, 1, 1
        FROM users;
    INSERT INTO sessions (device, user, created_at, used_at, expires_at, token, renewed_at)
        SELECT id, user, 1, 1, 1, randomblob(32), 1 FROM devices;
    INSERT INTO quarantine (fingerprint, record, device, user, at, code, path, message, changes)
        SELECT randomblob(32), id, randomblob(16), 'chen.jie', 1, '', '', '', x'' FROM records;
    INSERT INTO decisions SELECT id, 1, 'accepted', '', 1, '', NULL FROM quarantine;
    DROP TABLE n; DROP TABLE k;";

/// The steps of a statement's plan.
pub(super) fn plan(connection: &Connection, statement: &str) -> String {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let mut rows = explain.raw_query();
    let mut steps: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    if steps.is_empty() { "INSERT".to_owned() } else { steps.join("; ") }
}

/// One line, without lists of columns.
fn abbreviated(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let after = |word: &str| {
        let mut depth = 0;
        line.char_indices().find_map(|(at, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            (depth == 0 && line[at..].starts_with(word)).then(|| &line[at..])
        })
    };
    let verb = line.split(' ').next().unwrap_or_default();
    match verb {
        "SELECT" => format!("SELECT …{}", after(" FROM ").unwrap_or_default()),
        "INSERT" => {
            let head = line.split(" (").next().unwrap_or_default();
            let conflict =
                after(" ON CONFLICT").map_or("", |rest| rest.split(" SET").next().unwrap());
            format!("{} …{conflict}", head.split(" VALUES").next().unwrap_or_default())
        }
        "UPDATE" => {
            let head = line.split(" SET ").next().unwrap_or_default();
            format!("{head} SET …{}", after(" WHERE ").unwrap_or_default())
        }
        _ => line,
    }
}

/// Statements and plans of the table.
fn documented() -> BTreeSet<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PERFORMANCE.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("Statements of a round"));
    let rows = section.unwrap().lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let statement = cells[0].trim_start_matches("| ").trim_matches('`');
        (statement.to_owned(), cells[1].to_owned())
    })
    .collect()
}
