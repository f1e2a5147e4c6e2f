//! The office over SQLite in a temporary folder, with a clock that the test sets.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorstep::ids::RecordId;
use doorstep::office::{Created, NewVisit, Office};
use doorstep::record::command::{AssignmentPatch, CasePatch, Command};
use doorstep::record::terms::Role;

use super::phone::{NOW, TestPhone};

const FILE: &str = "office.db";

#[derive(Clone)]
pub(crate) struct TestOffice {
    /// None while it is stopped.
    office: Option<Office>,
    /// Milliseconds since 1970.
    pub(crate) clock: Arc<AtomicI64>,
    /// Advances the clock at each reading.
    step: i64,
    folder: Option<Arc<tempfile::TempDir>>,
}

impl Deref for TestOffice {
    type Target = Office;

    fn deref(&self) -> &Office {
        self.office.as_ref().expect("started")
    }
}

impl TestOffice {
    /// Its clock stands still at `NOW`.
    pub(crate) fn open() -> Self {
        Self::with_clock(NOW, 0)
    }

    /// The clock advances by `step` ms at each reading.
    pub(crate) fn with_clock(start: i64, step: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(start));
        let office = open(folder.path(), &clock, step);
        Self { office: Some(office), clock, step, folder: Some(Arc::new(folder)) }
    }

    /// An office with a store and clock of its own.
    pub(crate) fn over(office: Office) -> Self {
        Self { office: Some(office), clock: Arc::default(), step: 0, folder: None }
    }

    /// `count` records of chen.jie, sorted by id.
    pub(crate) async fn with_records(count: usize) -> (Self, Vec<RecordId>) {
        let office = Self::open();
        let visits = (0..count).map(numbered_visit).collect();
        let created = office.create_visits(visits, "lin.yue").await.expect("created");
        let mut ids: Vec<_> = created.into_iter().map(new_record).collect();
        ids.sort();
        (office, ids)
    }

    /// Another process over the same store, with the same clock.
    pub(crate) fn second_process(&self) -> Self {
        Self { office: None, ..self.clone() }.started()
    }

    fn started(mut self) -> Self {
        self.start();
        self
    }

    pub(crate) fn start(&mut self) {
        self.office = Some(open(self.folder(), &self.clock, self.step));
    }

    /// Closes the store; its last handle is dropped with this one unless there are clones.
    pub(crate) fn stop(&mut self) {
        self.office.take().expect("started").close();
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a store in a folder").path()
    }

    pub(crate) fn address(&self) -> String {
        address(self.folder())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Backs the store up to a file of this name.
    pub(crate) fn back_up(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        Office::backup(&self.address(), &file).unwrap();
        file
    }

    /// Restores a backup; returns where the replaced store was moved, if there was one.
    pub(crate) fn restore(&mut self, from: &Path) -> Option<PathBuf> {
        self.stop();
        let replaced = Office::restore(&self.address(), from).unwrap();
        self.start();
        replaced
    }

    pub(crate) fn blob_file(&self, sha256: &str) -> PathBuf {
        self.file(&format!("{FILE}.blobs")).join(&sha256[..2]).join(sha256)
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) async fn create(&self, visit: NewVisit) -> RecordId {
        let created = self.create_visits(vec![visit], "lin.yue").await.expect("created");
        new_record(created.into_iter().next().expect("one visit, one answer"))
    }

    /// Carries out a command of the supervisor.
    pub(crate) async fn supervise(&self, id: RecordId, command: Command) {
        self.command(id, command, "lin.yue", Role::Supervisor).await.expect("allowed");
    }

    /// Assigns a record to these collectors and no others.
    pub(crate) async fn assign(&self, id: RecordId, collectors: &[&str]) {
        self.supervise(id, Command::Assign(to(collectors))).await;
    }

    pub(crate) async fn assert_sound(&self) {
        let verified = self.verify().await.unwrap();
        assert!(verified.ok, "{:?}", verified.problems);
    }
}

/// An office, one record, and the phone of chen.jie, who visits, up to date.
pub(crate) struct Pair {
    pub(crate) office: TestOffice,
    pub(crate) id: RecordId,
    pub(crate) phone: TestPhone,
}

impl Pair {
    pub(crate) async fn new(collectors: &[&str]) -> Self {
        let office = TestOffice::open();
        let id = office.create(visit_for("NB0001", collectors)).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        Self { office, id, phone }
    }

    pub(crate) async fn assign(&self, collectors: &[&str]) {
        self.office.assign(self.id, collectors).await;
    }
}

pub(crate) fn address(folder: &Path) -> String {
    format!("sqlite:{}", folder.join(FILE).display())
}

fn open(folder: &Path, clock: &Arc<AtomicI64>, step: i64) -> Office {
    let clock = Arc::clone(clock);
    Office::open(&address(folder), move || clock.fetch_add(step, Ordering::Relaxed)).unwrap()
}

fn new_record(created: Created) -> RecordId {
    match created {
        Created::New(id) => id,
        Created::Exists(_) | Created::Invalid(_) => panic!("not created: {created:?}"),
    }
}

fn numbered_visit(number: usize) -> NewVisit {
    let visit = visit_for(&format!("NB{number:04}"), &["chen.jie"]);
    let borrower_name = Some(format!("Borrower {number}"));
    NewVisit { case: CasePatch { borrower_name, phones: None, ..visit.case }, ..visit }
}

/// A record of an invented case, for some collectors.
pub(crate) fn visit_for(case_no: &str, collectors: &[&str]) -> NewVisit {
    NewVisit {
        case_no: case_no.into(),
        case: CasePatch {
            borrower_name: Some("Wang Fang".into()),
            address: Some("12 Mill Road".into()),
            phones: Some(vec!["13800000000".into()]),
            overdue: Some(150_000),
            currency: Some("CNY".into()),
            zone: Some("Asia/Shanghai".into()),
            ..Default::default()
        },
        assignment: to(collectors),
    }
}

/// Assigns to these collectors and no others.
pub(crate) fn to(collectors: &[&str]) -> AssignmentPatch {
    let collectors = collectors.iter().map(|name| (*name).to_owned()).collect();
    AssignmentPatch { collectors: Some(collectors), ..Default::default() }
}
