//! What leaves a phone, when, and what stays of it (rules F5 and F6).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::support::phone::{Device, KEY, NOW, contact, create, to, visit_for};
use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::record::command::{CasePatch, Command, NewPayment, TalkPatch, VisitPatch};
use doorstep::record::terms::{Disposition, ReviewStatus, Role};
use doorstep::sync::message::Revocation;
use doorstep::workspace::vault::Vault;
use doorstep::workspace::{Card, Table};

const DAY: i64 = 86_400_000;

/// The office over a store in a folder, with a clock that the test sets; chen.jie's phone, in step.
struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    office: Office,
    id: RecordId,
    phone: Device,
}

impl Scene {
    async fn new(collectors: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let office = process(folder.path(), &clock);
        let id = visit(&office, "NB0001", collectors).await;
        let mut phone = Device::new("chen.jie", 1);
        phone.sync(&office).await;
        Self { folder, clock, office, id, phone }
    }

    /// With a visit that chen.jie has sealed and the office accepted.
    async fn accepted(collectors: &[&str]) -> Self {
        let mut scene = Self::new(collectors).await;
        work(&mut scene.phone, scene.id);
        scene.phone.sync(&scene.office).await;
        scene.review(ReviewStatus::Accepted).await;
        scene.phone.sync(&scene.office).await;
        scene
    }

    async fn desk(&self, command: Command) {
        let done = self.office.command(self.id, command, "lin.yue", Role::Supervisor).await;
        done.expect("allowed");
    }

    async fn assign(&self, collectors: &[&str]) {
        self.desk(Command::Assign(to(collectors))).await;
    }

    /// `at` is what the supervisor's page says, which may be anything.
    async fn review(&self, status: ReviewStatus) {
        self.desk(Command::Review { status, remark: "the reason is missing".into(), at: 1 }).await;
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// Rounds of chen.jie's phone, and nothing is amiss on either side.
    async fn meet(&mut self) {
        self.phone.sync(&self.office).await;
        self.phone.assert_in_step();
        assert_eq!(self.phone.status().repairs, 0);
        self.assert_sound().await;
    }

    async fn assert_sound(&self) {
        let verified = self.office.verify().await.unwrap();
        assert!(verified.ok, "{:?}", verified.problems);
    }

    fn cards(&self) -> Vec<Card> {
        self.phone.workspace.past_work()
    }
}

// -- F5: what was accepted leaves

#[tokio::test]
async fn f5_an_accepted_record_leaves_every_phone_after_the_days() {
    let mut scene = Scene::accepted(&["chen.jie", "wu.min"]).await;
    let mut second = Device::new("chen.jie", 2);
    let mut other = Device::new("wu.min", 3);
    for phone in [&mut second, &mut other] {
        phone.sync(&scene.office).await;
        assert_eq!(phone.ids(), [scene.id]);
    }
    scene.pass(30 * DAY - 1_000);
    assert_eq!(scene.office.expire_accepted(days(30)).await, Ok(0));
    scene.pass(1_000);
    // Another process over the same store does it, and does it once.
    let process = process(scene.folder.path(), &scene.clock);
    assert_eq!(process.expire_accepted(days(30)).await, Ok(1));
    assert_eq!(scene.office.expire_accepted(days(30)).await, Ok(0));
    scene.meet().await;
    for phone in [&mut second, &mut other] {
        phone.sync(&scene.office).await;
        phone.assert_in_step();
        assert!(phone.ids().is_empty());
    }
    assert!(scene.phone.ids().is_empty());
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        assert!(scene.phone.tables[&table].is_empty(), "{table:?}");
    }
    // A phone that is new holds the same as those that forgot, also after a restart.
    process.close();
    scene.office.close();
    scene.office = self::process(scene.folder.path(), &scene.clock);
    scene.phone.restart();
    scene.meet().await;
    let mut late = Device::new("chen.jie", 4);
    late.sync(&scene.office).await;
    late.assert_in_step();
    assert!(late.ids().is_empty());
    // At the office nothing is gone, and who visits stands.
    let view = scene.office.visit(scene.id).await.unwrap();
    assert_eq!(view.assignment.collectors, ["chen.jie", "wu.min"]);
}

/// Stores written before `visits.accepted_at` existed get it from the documents when they are
/// opened; an upgrade that was interrupted is completed by the next start.
#[tokio::test]
async fn f5_a_store_of_an_earlier_version_learns_when_records_were_accepted() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    let open = visit(&scene.office, "NB0002", &["chen.jie"]).await;
    scene.pass(30 * DAY);
    let address = format!("sqlite:{}", scene.folder.path().join("office.sqlite3").display());
    for downgrade in [
        "ALTER TABLE visits DROP COLUMN accepted_at; ALTER TABLE meta DROP COLUMN backfilled;
         DELETE FROM refinery_schema_history WHERE version >= 12;",
        "UPDATE visits SET accepted_at = NULL; UPDATE meta SET backfilled = 0;",
    ] {
        scene.office.close();
        let database = rusqlite::Connection::open(scene.folder.path().join("office.sqlite3"));
        database.unwrap().execute_batch(downgrade).unwrap();
        let refused = Office::open_to_read(&address, || NOW).err().expect("not filled in yet");
        assert!(refused.to_string().contains("doorstep serve"), "{refused}");
        scene.office = process(scene.folder.path(), &scene.clock);
        let verified = scene.office.verify().await.unwrap();
        assert!(verified.ok, "{:?}", verified.problems);
    }
    assert_eq!(scene.office.expire_accepted(days(31)).await, Ok(0));
    assert_eq!(scene.office.expire_accepted(days(30)).await, Ok(1));
    scene.meet().await;
    assert_eq!(scene.phone.ids(), [open]);
}

#[tokio::test]
async fn f5_what_is_not_accepted_stays() {
    let mut scene = Scene::new(&["chen.jie"]).await;
    let assigned = visit(&scene.office, "NB0002", &["chen.jie"]).await;
    work(&mut scene.phone, scene.id);
    scene.phone.sync(&scene.office).await;
    scene.review(ReviewStatus::Returned).await;
    scene.pass(365 * DAY);
    assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(0));
    scene.meet().await;
    assert_eq!(BTreeSet::from_iter(scene.phone.ids()), BTreeSet::from([scene.id, assigned]));
}

#[tokio::test]
async fn f5_a_record_that_is_returned_comes_back_whole() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
    scene.meet().await;
    scene.review(ReviewStatus::Returned).await;
    scene.meet().await;
    assert_eq!(scene.phone.ids(), [scene.id]);
    assert_eq!(scene.phone.view(scene.id), scene.office.visit(scene.id).await.unwrap());
    assert!(scene.cards().is_empty(), "it is here again (F6)");
    // Sealed and accepted once more, its days begin anew.
    scene.pass(10 * DAY);
    scene.phone.now += DAY;
    let at = scene.phone.now;
    scene.phone.apply(scene.id, &Command::Seal { at });
    scene.meet().await;
    scene.review(ReviewStatus::Accepted).await;
    assert_eq!(scene.office.expire_accepted(days(5)).await, Ok(0));
    scene.pass(5 * DAY);
    assert_eq!(scene.office.expire_accepted(days(5)).await, Ok(1));
    scene.meet().await;
    assert!(scene.phone.ids().is_empty());
}

#[tokio::test]
async fn f5_what_the_office_adds_brings_it_to_nobody_and_a_newcomer_gets_it() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
    scene.meet().await;
    let patch = CasePatch { overdue: Some(7), ..Default::default() };
    scene.desk(Command::UpdateCase(Box::new(patch))).await;
    scene.meet().await;
    assert!(scene.phone.ids().is_empty());
    scene.assign(&["chen.jie", "wu.min"]).await;
    scene.meet().await;
    assert!(scene.phone.ids().is_empty());
    let mut newcomer = Device::new("wu.min", 3);
    newcomer.sync(&scene.office).await;
    newcomer.assert_in_step();
    assert_eq!(newcomer.view(scene.id).case.overdue, 7);
    // Taken away and given again it comes, like any other.
    scene.assign(&["wu.min"]).await;
    scene.assign(&["wu.min", "chen.jie"]).await;
    scene.meet().await;
    assert_eq!(scene.phone.ids(), [scene.id]);
}

/// The collector is one of the record's still: what a late phone brings is judged like any work,
/// whether the phone was told before that the record has left or not.
#[tokio::test]
async fn f5_late_work_of_its_collector_is_merged_and_leaves_with_the_next_turn() {
    for told in [false, true] {
        let mut scene = Scene::accepted(&["chen.jie"]).await;
        if told {
            // The request goes out before the work is written.
            scene.phone.workspace.sync_now(scene.phone.now);
            scene.phone.run();
        }
        scene.phone.apply(scene.id, &payment("late"));
        assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
        scene.meet().await;
        assert_eq!(scene.office.visit(scene.id).await.unwrap().payments.len(), 1);
        assert!(scene.office.quarantine().await.unwrap().is_empty());
        assert_eq!(scene.phone.ids(), [scene.id], "handed in, so it is here");
        assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
        scene.meet().await;
        assert!(scene.phone.ids().is_empty());
    }
}

/// The office has it all and says so; the phone that did not hear the answer gives it up.
#[tokio::test]
async fn f5_work_whose_answer_was_lost_leaves_with_the_record() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.phone.apply(scene.id, &payment("late"));
    scene.phone.workspace.sync_now(scene.phone.now);
    scene.phone.run();
    scene.phone.answer(&scene.office).await.expect("merged");
    scene.phone.lose_reply();
    assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
    scene.phone.now += DAY;
    scene.meet().await;
    assert!(scene.phone.ids().is_empty());
    assert!(scene.office.quarantine().await.unwrap().is_empty());
    assert_eq!(scene.office.visit(scene.id).await.unwrap().payments.len(), 1);
}

/// What nobody at the office would take from the phone is kept for a person, as with any record
/// that was taken away.
#[tokio::test]
async fn f5_late_work_that_does_not_hold_is_kept_in_quarantine() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.phone.claims = Role::Supervisor;
    scene.phone.restart();
    let forgiven = CasePatch { overdue: Some(0), ..Default::default() };
    scene.phone.apply(scene.id, &Command::UpdateCase(Box::new(forgiven)));
    assert_eq!(scene.office.expire_accepted(Duration::ZERO).await, Ok(1));
    scene.phone.claims = Role::Collector;
    scene.phone.restart();
    scene.meet().await;
    assert!(scene.phone.ids().is_empty());
    assert_eq!(scene.office.quarantine().await.unwrap().len(), 1);
}

// -- F6: what stays of it

#[tokio::test]
async fn f6_a_card_of_own_work_stays_and_says_nothing_about_a_person() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.pass(31 * DAY);
    scene.office.expire_accepted(days(30)).await.unwrap();
    scene.meet().await;
    let card = Card {
        record: scene.id.to_string(),
        case_no: "NB0001".into(),
        visited_at: NOW + 60_000,
        disposition: Some(Disposition::Ptp),
        accepted: true,
        left_at: NOW + 31 * DAY,
    };
    assert_eq!(scene.cards(), std::slice::from_ref(&card));
    scene.phone.restart();
    assert_eq!(scene.cards(), [card]);
    // Opened, all that the phone still has tells of no borrower; sealed, it tells nothing at all.
    let vault = Vault::new(&KEY, [9; 16]);
    let mut cards = 0;
    for (table, rows) in &scene.phone.tables {
        for (key, value) in rows {
            cards += usize::from(key.starts_with("card/"));
            let opened = vault.decrypt(*table, key, value).expect("sealed");
            let text = String::from_utf8_lossy(&opened).into_owned();
            for personal in ["Wang Fang", "Mill Road", "138", "told us", "150000"] {
                assert!(!text.contains(personal), "{personal} in {table:?} {key}");
            }
            let sealed = String::from_utf8_lossy(value).into_owned();
            assert!(!sealed.contains("NB0001") && !key.contains("NB0001"), "{key}");
        }
    }
    assert_eq!(cards, 1);
}

#[tokio::test]
async fn f6_a_record_that_was_merely_assigned_leaves_no_card() {
    let mut scene = Scene::new(&["chen.jie", "wu.min"]).await;
    scene.phone.apply(scene.id, &contact("c1"));
    scene.meet().await;
    let mut other = Device::new("wu.min", 2);
    other.sync(&scene.office).await;
    let named = VisitPatch { add_visitor: Some("wu.min".into()), ..Default::default() };
    other.apply(scene.id, &Command::EditVisit(named));
    work(&mut other, scene.id);
    other.sync(&scene.office).await;
    scene.meet().await;
    scene.assign(&[]).await;
    scene.meet().await;
    other.sync(&scene.office).await;
    assert!(scene.cards().is_empty(), "somebody else went");
    let cards = other.workspace.past_work();
    assert_eq!(cards.len(), 1);
    assert!(!cards[0].accepted);
}

#[tokio::test]
async fn f6_a_record_that_is_given_again_has_no_card() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.assign(&["wu.min"]).await;
    scene.meet().await;
    assert_eq!(scene.cards().len(), 1);
    scene.assign(&["chen.jie"]).await;
    scene.meet().await;
    assert!(scene.cards().is_empty());
    scene.phone.restart();
    assert!(scene.cards().is_empty());
    assert_eq!(scene.phone.ids(), [scene.id]);
}

/// Card and erasure are one batch: on the disk there is one of them, whenever the phone dies.
#[tokio::test]
async fn f6_a_kill_neither_loses_nor_doubles_a_card() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.assign(&[]).await;
    scene.phone.disk = Some("storage_full");
    scene.phone.sync(&scene.office).await;
    assert_eq!((scene.phone.ids().len(), scene.cards().len()), (0, 1), "in memory");
    scene.phone.disk = None;
    scene.phone.restart();
    assert_eq!((scene.phone.ids().len(), scene.cards().len()), (1, 0), "nothing was written");
    scene.meet().await;
    scene.phone.restart();
    assert_eq!((scene.phone.ids().len(), scene.cards().len()), (0, 1));
    scene.meet().await;
}

#[tokio::test]
async fn f6_cards_go_after_180_days_by_the_offices_clock() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.assign(&[]).await;
    scene.meet().await;
    // The phone's own clock takes nothing away.
    scene.phone.now += 1_000 * DAY;
    scene.meet().await;
    assert_eq!(scene.cards().len(), 1);
    scene.pass(180 * DAY);
    scene.meet().await;
    assert_eq!(scene.cards().len(), 1);
    scene.pass(1);
    scene.meet().await;
    assert!(scene.cards().is_empty());
    assert!(!scene.phone.tables[&Table::Meta].keys().any(|key| key.starts_with("card/")));
}

#[tokio::test]
async fn f6_a_card_that_is_damaged_is_set_aside_and_the_others_stay() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.assign(&[]).await;
    scene.meet().await;
    let meta = scene.phone.tables.get_mut(&Table::Meta).unwrap();
    let (key, value) = meta.iter_mut().find(|(key, _)| key.starts_with("card/")).unwrap();
    let place = format!("meta/{key}");
    *value.last_mut().unwrap() ^= 1;
    scene.phone.restart();
    assert!(scene.cards().is_empty());
    assert!(scene.phone.tables[&Table::Damaged].contains_key(&place), "D5");
    scene.meet().await;
}

#[tokio::test]
async fn f6_cards_go_with_a_phone_that_is_shut_out() {
    let mut scene = Scene::accepted(&["chen.jie"]).await;
    scene.assign(&[]).await;
    scene.meet().await;
    scene.phone.ended = Some(Revocation::DeviceRevoked);
    scene.phone.sync(&scene.office).await;
    assert_eq!(scene.phone.erased.as_deref(), Some("device_revoked"));
    assert!(scene.cards().is_empty());
}

// -- fixtures

fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 60 * 60)
}

/// One of the office's processes.
fn process(folder: &Path, clock: &Arc<AtomicI64>) -> Office {
    let address = format!("sqlite:{}", folder.join("office.sqlite3").display());
    let clock = Arc::clone(clock);
    Office::open(&address, move || clock.load(Ordering::Relaxed)).unwrap()
}

async fn visit(office: &Office, case_no: &str, collectors: &[&str]) -> RecordId {
    create(office, visit_for(case_no, collectors)).await
}

/// A visit from its outcome to the seal.
fn work(phone: &mut Device, id: RecordId) {
    let talk = TalkPatch {
        disposition: Some(Disposition::Ptp),
        overdue_reason_text: Some("told us at the door".into()),
        ..TalkPatch::default()
    };
    phone.apply(id, &Command::EditTalk(talk));
    phone.apply(id, &Command::Seal { at: NOW + 60_000 });
}

fn payment(id: &str) -> Command {
    Command::AddPayment(NewPayment {
        id: id.into(),
        amount: 100,
        at: NOW,
        channel: "bank".into(),
        reference: String::new(),
        receipt: String::new(),
    })
}
