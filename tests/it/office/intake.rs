//! Work is judged outside the store's writer, and judged again if its basis has changed by then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact};
use doorstep::ids::RecordId;
use doorstep::office::auth::{Accounts, Hasher};
use doorstep::office::sheets::import::{Options, import};
use doorstep::office::store::sqlite::{InitialSecrets, Sqlite};
use doorstep::office::store::{
    Device, FeedUpdate, QuarantineFilter, ReadJob, Store, StoreError, User, WriteJob,
};
use doorstep::office::{Office, OfficeError, QuarantineError};
use doorstep::record::command::{AssignmentPatch, CasePatch, Command};
use doorstep::record::terms::Role;
use doorstep::sync::message::{Outcome, Revocation};
use tokio::sync::broadcast;

const FRESH: InitialSecrets =
    InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };

const BY: &str = "lin.yue";

type Interference = Box<dyn Fn() + Send>;

/// A store in which another process commits something just before a job is queued.
struct Contended {
    store: Arc<dyn Store>,
    /// How many more times it interferes.
    times: AtomicUsize,
    interference: Mutex<Interference>,
}

impl Contended {
    fn interfere(&self, times: usize, interference: impl Fn() + Send + 'static) {
        *self.interference.lock().unwrap() = Box::new(interference);
        self.times.store(times, Ordering::SeqCst);
    }
}

impl Store for Contended {
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let less = |times: usize| times.checked_sub(1);
        if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.interference.lock().unwrap()();
        }
        self.store.submit(job)
    }

    fn read(&self, read: &mut ReadJob<'_>) -> Result<(), StoreError> {
        self.store.read(read)
    }

    fn subscribe(&self) -> broadcast::Receiver<FeedUpdate> {
        self.store.subscribe()
    }

    fn close(&self) {
        self.store.close();
    }
}

/// Two office processes over one store; the second interferes with the office's.
struct Scene {
    office: TestOffice,
    contended: Arc<Contended>,
    other: Office,
    id: RecordId,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// With one record.
    async fn open(collectors: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(Sqlite::open(&folder.path().join("db"), FRESH).unwrap());
        let other = over(Arc::clone(&store));
        let id = TestOffice::over(other.clone()).add_visit("C-1", collectors).await;
        let (times, interference): (_, Interference) = (AtomicUsize::new(0), Box::new(|| {}));
        let interference = Mutex::new(interference);
        let contended = Arc::new(Contended { store, times, interference });
        let office = TestOffice::over(over(contended.clone()));
        Self { office, contended, other, id, _folder: folder }
    }

    /// Before each of the next jobs, the other process executes a command.
    fn interfere(&self, times: usize, command: impl Fn() -> Command + Send + 'static) {
        let (other, id) = (self.other.clone(), self.id);
        self.contended.interfere(times, move || {
            let (other, command) = (other.clone(), command());
            elsewhere(async move {
                other.command(id, command, BY, Role::Supervisor).await.unwrap();
            });
        });
    }

    /// A phone with refused work on the record; gives the number of the work.
    async fn refused(&self) -> (SyncClient, u64) {
        let mut phone = SyncClient::new("chen.jie", 1);
        phone.sync(&self.office).await;
        phone.force(self.id, amount(0)());
        let reply = phone.exchange(&self.office, phone.request()).await;
        let [Outcome::Refused { quarantine, .. }] = reply.results[..] else { panic!("{reply:?}") };
        (phone, quarantine)
    }

    fn receipts(&self) -> usize {
        self.office.store().read_with(|reads| reads.receipts(self.id)).unwrap().len()
    }
}

fn over(store: Arc<dyn Store>) -> Office {
    let random = |bytes: &mut [u8]| {
        getrandom::fill(bytes).unwrap();
        Ok(())
    };
    Office::over(store, Arc::new(|| START), Arc::new(random)).unwrap()
}

/// Runs work on another thread, with a runtime of its own, and waits for it.
fn elsewhere<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::spawn(move || runtime().block_on(work)).join().unwrap()
}

/// Commands that set the overdue amount, each to another one.
fn amount(first: i64) -> impl Fn() -> Command + Send + 'static {
    let next = Mutex::new(first);
    move || {
        let mut next = next.lock().unwrap();
        let patch = CasePatch { overdue: Some(*next), ..CasePatch::default() };
        *next += 1;
        Command::UpdateCase(Box::new(patch))
    }
}

fn note() -> Command {
    Command::UpdateCase(Box::new(CasePatch { note: Some("called".into()), ..Default::default() }))
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        display_name: name.into(),
        role: Role::Collector,
        password_hash: String::new(),
        disabled_at: None,
        created_at: START,
        subject: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_a_push_is_judged_again_where_the_record_moved_and_never_in_the_writer() {
    let scene = Scene::open(&["chen.jie"]).await;
    let Scene { office, contended, id, .. } = &scene;
    let mut phone = SyncClient::new("chen.jie", 1);
    phone.sync(office).await;

    phone.write(*id, contact(1));
    scene.interfere(1, amount(1));
    let reply = phone.sync(office).await;
    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{:?}", reply.results);

    // A record that keeps changing: the phone is told to retry later, and nothing is lost.
    phone.write(*id, contact(2));
    scene.interfere(usize::MAX, amount(2));
    let busy = office.handle_sync(&phone.session(), phone.request()).await;
    assert_eq!(busy.unwrap_err(), OfficeError::Busy);
    contended.times.store(0, Ordering::SeqCst);
    let reply = phone.sync(office).await;
    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{:?}", reply.results);
    while phone.sync(office).await.remaining > 0 {}
    assert_eq!(phone.view(*id).contacts.len(), 2);
    office.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m6_an_edit_is_judged_again_where_the_record_moved() {
    let scene = Scene::open(&[]).await;
    let Scene { office, contended, id, .. } = &scene;
    let edit = || office.command(*id, note(), BY, Role::Supervisor);
    scene.interfere(1, amount(7));
    let view = edit().await.unwrap();
    assert_eq!((view.case.overdue, view.case.note.as_str()), (7, "called"));
    assert_eq!(view.heads.len(), 1, "written on the newer state");

    scene.interfere(usize::MAX, amount(8));
    let edit = office.command(*id, amount(0)(), BY, Role::Supervisor);
    assert_eq!(edit.await.unwrap_err(), OfficeError::Busy);
    contended.times.store(0, Ordering::SeqCst);
    office.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m6_a_row_is_compared_again_with_a_record_that_moved() {
    let scene = Scene::open(&[]).await;
    let Scene { office, id, .. } = &scene;
    let store = office.store();
    store.write_now(|tx| tx.put_user(&user("wu.min"))).unwrap();
    let accounts = Accounts::new(store.clone(), Arc::new(|| START), Hasher::for_tests());
    // By the time of the commit another collector is assigned, which an import never overrides.
    scene.interfere(1, || {
        let collectors = Some(vec!["chen.jie".to_owned()]);
        Command::Assign(AssignmentPatch { collectors, ..AssignmentPatch::default() })
    });
    let list = "case_no,borrower_name,overdue_amount,currency,due_date,assigned_to\n\
                C-1,陈,12.50,CNY,2026-11-03,wu.min\n";
    let (options, by) = (Options::default(), (BY, Role::Supervisor));
    let report = import(office, &accounts, list.into(), options, by, &|_, _| {}).await;
    assert_eq!(report.unwrap().updated, 1);
    let view = office.visit(*id).await.unwrap();
    assert_eq!(view.assignment.collectors, ["chen.jie"]);
    assert_eq!((view.case.overdue, view.heads.len()), (1_250, 1));
    office.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m4_an_acceptance_is_judged_again_where_the_record_moved() {
    let scene = Scene::open(&["chen.jie"]).await;
    let Scene { office, id, .. } = &scene;
    let (_phone, number) = scene.refused().await;
    let accept = |seen| office.accept_quarantined(number, seen, "", BY, Role::Supervisor);
    let seen = office.quarantine_item(number).await.unwrap().heads;
    scene.interfere(1, note);
    let moved = accept(doorstep::ids::Heads::from_hex(&seen)).await;
    assert_eq!(moved.unwrap_err(), OfficeError::Quarantine(QuarantineError::Moved));

    // Without a state that the person has seen, it is merged into the newest one.
    scene.interfere(1, || {
        Command::UpdateCase(Box::new(CasePatch {
            address: Some("中山东路1号".into()),
            ..CasePatch::default()
        }))
    });
    accept(None).await.unwrap();
    let case = office.visit(*id).await.unwrap().case;
    assert_eq!((case.note.as_str(), case.address.as_str()), ("called", "中山东路1号"));
    office.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m4_two_who_accept_the_same_at_once_accept_it_once() {
    let scene = Scene::open(&["chen.jie"]).await;
    let (_phone, number) = scene.refused().await;
    let before = scene.receipts();
    let other = scene.other.clone();
    scene.contended.interfere(1, move || {
        let other = other.clone();
        elsewhere(async move {
            other.accept_quarantined(number, None, "first", BY, Role::Supervisor).await.unwrap();
        });
    });
    let office = &scene.office;
    let second = office.accept_quarantined(number, None, "second", BY, Role::Supervisor).await;
    let decisions = second.unwrap().decisions;
    let reasons: Vec<&str> = decisions.iter().map(|decision| decision.reason.as_str()).collect();
    assert_eq!(reasons, ["first"]);
    assert_eq!(scene.receipts(), before + 1);
    scene.office.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f4_a_device_revoked_during_its_round_submits_its_work_and_learns_nothing() {
    let scene = Scene::open(&["chen.jie"]).await;
    let Scene { office, contended, id, .. } = &scene;
    let store = office.store().clone();
    let mut phone = SyncClient::new("chen.jie", 1);
    let device = Device::enrolled(phone.session().device, "chen.jie", START);
    let enrolled = device.clone();
    store
        .write_now(move |tx| {
            tx.put_user(&user("chen.jie"))?;
            tx.put_device(&enrolled)
        })
        .unwrap();
    phone.sync(office).await;
    phone.write(*id, contact(1));
    let uncontended = contended.store.clone();
    contended.interfere(1, move || {
        let revoked = Device { revoked_at: Some(START), ..device.clone() };
        uncontended.write_now(move |tx| tx.put_device(&revoked)).unwrap();
    });
    let reply = phone.exchange(office, phone.request()).await;
    assert_eq!(reply.results, [Outcome::Withdrawn]);
    assert_eq!(reply.revocation, Some(Revocation::DeviceRevoked));
    assert!(reply.entries.is_empty() && reply.digest == Default::default());
    let filter = QuarantineFilter { limit: 9, ..QuarantineFilter::default() };
    let page = office.quarantine_page(filter).await.unwrap();
    assert_eq!((page.total, page.rows[0].code.as_str()), (1, "device_revoked"));
    assert!(office.visit(*id).await.unwrap().contacts.is_empty());
    office.assert_sound().await;
}
