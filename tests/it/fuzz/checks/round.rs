//! Whole bodies into the real office over its real store.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use doorstep::office::store::sqlite::{InitialSecrets, Sqlite};
use doorstep::office::{Created, NewVisit, Office, OfficeError, Session};
use doorstep::record::command::{AssignmentPatch, CasePatch};
use doorstep::record::terms::Role;
use doorstep::sync::message::{Outcome, Packed, Reply, Request, decode_reply, encode_reply};
use doorstep::sync::packed::columns;
use tokio::runtime::Runtime;

use super::{DEVICE, USER, summed};

/// Bodies into one office before it is made anew. What it keeps of refused work would grow on.
const BODIES: u32 = 256;

/// Any body gets an answer of the protocol and leaves an office that `verify` finds sound.
pub fn round(bytes: &[u8]) {
    let Ok(mut request) = columns::from_slice::<Request>(bytes) else { return };
    for push in &mut request.push {
        for change in &mut push.changes {
            if let Packed::Plain(chunk) = change {
                *chunk = summed(chunk);
            }
        }
    }
    let mut room = ROOM.lock().expect("no check failed before");
    room.take(request);
}

static ROOM: LazyLock<Mutex<Room>> = LazyLock::new(|| Mutex::new(Room::new()));

/// An office, and how to get the same one again.
struct Room {
    runtime: Runtime,
    folder: tempfile::TempDir,
    office: Office,
    bodies: u32,
}

impl Room {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (first, kept) = (folder.path().join("first.db"), folder.path().join("kept.db"));
        let office = open(first.clone());
        let made =
            runtime.block_on(office.create_visits(vec![visit("C-1"), visit("C-2")], "lin.yue"));
        assert!(matches!(made.as_deref(), Ok([Created::New(_), Created::New(_)])));
        Office::backup(&format!("sqlite:{}", first.display()), &kept).expect("copied");
        Self { runtime, folder, office, bodies: BODIES }
    }

    fn take(&mut self, request: Request) {
        if self.bodies >= BODIES {
            self.start_again();
        }
        self.bodies += 1;
        let asked = (request.restore.len(), request.push.len());
        let reply = match self.runtime.block_on(self.office.handle_sync(&session(), request)) {
            Ok(reply) => reply,
            Err(OfficeError::TooMany | OfficeError::Repeated) => return,
            Err(error) => panic!("{error}"),
        };
        assert_eq!((reply.restored.len(), reply.results.len()), asked);
        assert_eq!(decode_reply(&encode_reply(&reply)).as_ref(), Ok(&reply));
        if merged(&reply) || self.bodies >= BODIES {
            let verified = self.runtime.block_on(self.office.verify()).expect("can be read");
            assert!(verified.ok, "{:?}", verified.problems);
            self.bodies = BODIES;
        }
    }

    fn start_again(&mut self) {
        self.office.close();
        let path = self.folder.path().join("office.db");
        for name in ["office.db", "office.db-wal", "office.db-shm"] {
            // Absent the first time.
            let _ = std::fs::remove_file(self.folder.path().join(name));
        }
        std::fs::copy(self.folder.path().join("kept.db"), &path).expect("copied");
        self.office = open(path);
        self.bodies = 0;
    }
}

fn merged(reply: &Reply) -> bool {
    let mut outcomes = reply.results.iter().chain(&reply.restored);
    outcomes.any(|outcome| matches!(outcome, Outcome::Merged { .. }))
}

/// An office that makes the same ids and keys each time, so that a body means the same again.
fn open(path: PathBuf) -> Office {
    let fresh = InitialSecrets { epoch: [7; 16], office_device: [9; 16], attestation_key: [5; 32] };
    let store = Sqlite::open(&path, fresh).expect("opens");
    let next = AtomicU8::new(0);
    let random = move |bytes: &mut [u8]| {
        bytes.fill(next.fetch_add(1, Ordering::Relaxed));
        Ok(())
    };
    Office::over(Arc::new(store), Arc::new(|| super::NOW), Arc::new(random)).expect("opens")
}

fn visit(case_no: &str) -> NewVisit {
    let case = CasePatch {
        borrower_name: Some("Wang Fang".into()),
        overdue: Some(150_000),
        currency: Some("CNY".into()),
        ..CasePatch::default()
    };
    let collectors = Some(vec![USER.into()]);
    NewVisit {
        case_no: case_no.into(),
        case,
        assignment: AssignmentPatch { collectors, ..AssignmentPatch::default() },
    }
}

/// The office's state when a body arrives.
pub fn office() -> Office {
    ROOM.lock().expect("no check failed before").office.clone()
}

/// Who sends them.
pub fn session() -> Session {
    Session { user: USER.into(), role: Role::Collector, device: DEVICE }
}
