//! Pushes are judged beside the store's one writer, on a state that may move meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact};
use doorstep::office::store::sqlite::{InitialSecrets, Sqlite};
use doorstep::office::store::{FeedUpdate, ReadJob, Store, StoreError, WriteJob};
use doorstep::office::{Office, OfficeError};
use doorstep::record::command::{CasePatch, Command};
use doorstep::record::terms::Role;
use doorstep::sync::message::Outcome;
use tokio::sync::broadcast;

const FRESH: InitialSecrets =
    InitialSecrets { epoch: [1; 16], office_device: [2; 16], attestation_key: [3; 32] };

/// A store in which another process changes the record just before a job gets its turn.
struct Contended {
    store: Arc<dyn Store>,
    /// So often, still.
    times: AtomicUsize,
    change: Box<dyn Fn() + Send + Sync>,
}

impl Store for Contended {
    fn submit(&self, job: Box<dyn WriteJob>) -> Result<(), StoreError> {
        let less = |times: usize| times.checked_sub(1);
        if self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            (self.change)();
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

fn over(store: Arc<dyn Store>) -> Office {
    let random = |bytes: &mut [u8]| {
        getrandom::fill(bytes).unwrap();
        Ok(())
    };
    Office::over(store, Arc::new(|| START), Arc::new(random)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_a_push_is_judged_again_where_the_record_moved_and_never_in_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.path().join("db"), FRESH).unwrap());
    let other = over(Arc::clone(&store));
    let id = TestOffice::over(other.clone()).add_visit("C-1", &["chen.jie"]).await;
    let amount = AtomicUsize::new(1);
    let change = move || {
        let overdue = i64::try_from(amount.fetch_add(1, Ordering::SeqCst)).unwrap();
        let patch = CasePatch { overdue: Some(overdue), ..CasePatch::default() };
        let other = other.clone();
        let write = async move {
            let command = Command::UpdateCase(Box::new(patch));
            other.command(id, command, "lin.yue", Role::Supervisor).await.unwrap();
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::thread::spawn(move || runtime().block_on(write)).join().unwrap();
    };
    let times = AtomicUsize::new(0);
    let contended = Arc::new(Contended { store, times, change: Box::new(change) });
    let office = TestOffice::over(over(contended.clone()));
    let mut phone = SyncClient::new("chen.jie", 1);
    phone.sync(&office).await;

    phone.write(id, contact(1));
    contended.times.store(1, Ordering::SeqCst);
    let reply = phone.sync(&office).await;
    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{:?}", reply.results);

    // One that never stands still: the phone is told to come again, and nothing is lost.
    phone.write(id, contact(2));
    contended.times.store(usize::MAX, Ordering::SeqCst);
    let busy = office.handle_sync(&phone.session(), phone.request()).await;
    assert_eq!(busy.unwrap_err(), OfficeError::Busy);
    contended.times.store(0, Ordering::SeqCst);
    let reply = phone.sync(&office).await;
    assert!(matches!(reply.results[..], [Outcome::Merged { .. }]), "{:?}", reply.results);
    while phone.sync(&office).await.remaining > 0 {}
    assert_eq!(phone.view(id).contacts.len(), 2);
    office.assert_sound().await;
}
