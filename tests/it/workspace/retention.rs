//! What leaves a phone, when, and what stays of it (rules F5 and F6).

mod late_work;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::office::{Pair, visit_for};
use crate::support::phone::{KEY, NOW, TestPhone, contact};
use doorstep::ids::RecordId;
use doorstep::office::Office;
use doorstep::office::store::{Listing, Queue, Sort};
use doorstep::record::command::{CasePatch, Command, NewPayment, TalkPatch, VisitPatch};
use doorstep::record::terms::{Disposition, ReviewStatus};
use doorstep::sync::message::Revocation;
use doorstep::vault::Vault;
use doorstep::workspace::{Card, StorageFailure, Table};

const DAY: i64 = 86_400_000;

impl Pair {
    /// With a visit that chen.jie has sealed and the office accepted.
    async fn accepted(collectors: &[&str]) -> Self {
        let mut pair = Self::new(collectors).await;
        work(&mut pair.phone, pair.id);
        pair.phone.sync(&pair.office).await;
        pair.review(ReviewStatus::Accepted).await;
        pair.phone.sync(&pair.office).await;
        pair
    }

    /// The office dates the review by its own clock, whatever time the page sends.
    async fn review(&self, status: ReviewStatus) {
        let command = Command::Review {
            status,
            remark: "the reason is missing".into(),
            marks: Vec::new(),
            at: 1,
        };
        self.office.supervise(self.id, command).await;
    }

    /// Synchronizes chen.jie's phone; neither side may find a problem.
    async fn sync(&mut self) {
        self.phone.sync(&self.office).await;
        self.phone.assert_in_step();
        assert_eq!(self.phone.status().repairs, 0);
        self.office.assert_sound().await;
    }

    fn cards(&self) -> Vec<Card> {
        self.phone.workspace.past_work()
    }
}

// -- F5: what was accepted leaves

#[tokio::test]
async fn f5_an_accepted_record_leaves_every_phone_after_the_days() {
    let mut pair = Pair::accepted(&["chen.jie", "wu.min"]).await;
    let mut second = TestPhone::new("chen.jie", 2);
    let mut other = TestPhone::new("wu.min", 3);
    for phone in [&mut second, &mut other] {
        phone.sync(&pair.office).await;
        assert_eq!(phone.ids(), [pair.id]);
    }
    pair.office.advance(30 * DAY - 1_000);
    assert_eq!(pair.office.expire_accepted(days(30)).await, Ok(0));
    pair.office.advance(1_000);
    // Another process over the same store does it, and does it once.
    let process = pair.office.second_process();
    assert_eq!(process.expire_accepted(days(30)).await, Ok(1));
    assert_eq!(pair.office.expire_accepted(days(30)).await, Ok(0));
    pair.sync().await;
    for phone in [&mut second, &mut other] {
        phone.sync(&pair.office).await;
        phone.assert_in_step();
        assert!(phone.ids().is_empty());
    }
    assert!(pair.phone.ids().is_empty());
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        assert!(pair.phone.tables[&table].is_empty(), "{table:?}");
    }
    // A phone that is new holds the same as those that forgot, also after a restart.
    process.close();
    pair.office.restart();
    pair.phone.restart();
    pair.sync().await;
    let mut late = TestPhone::new("chen.jie", 4);
    late.sync(&pair.office).await;
    late.assert_in_step();
    assert!(late.ids().is_empty());
    // At the office nothing is gone, and who visits stands.
    let view = pair.office.visit(pair.id).await.unwrap();
    assert_eq!(view.assignment.collectors, ["chen.jie", "wu.min"]);
}

/// Stores written before `visits.accepted_at` existed get it from the documents when they are
/// opened; an upgrade that was interrupted is completed by the next start.
#[tokio::test]
async fn f5_a_store_of_an_earlier_version_learns_when_records_were_accepted() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    let open = pair.office.create(visit_for("NB0002", &["chen.jie"])).await;
    pair.office.advance(30 * DAY);
    for downgrade in [
        "DROP INDEX visits_expiring; ALTER TABLE visits DROP COLUMN expired;
         ALTER TABLE visits DROP COLUMN accepted_at; ALTER TABLE meta DROP COLUMN backfilled;
         DROP INDEX sessions_by_expiry; DROP TABLE safety_watches;
         DROP INDEX visit_holds_complaint; DROP INDEX visits_complaint; DROP TABLE complaint_events; DROP TABLE complaints;
         DROP TABLE visit_trigrams; DROP TABLE visit_grams; DROP TABLE visit_search;
         DROP INDEX visits_by_queue; DROP INDEX visits_by_stage; DROP INDEX visits_by_review;
         DROP INDEX visits_unassigned; DROP INDEX visits_held; DROP INDEX visits_in_conflict;
         DROP INDEX visits_outstanding; DROP INDEX visits_promised;
         DROP INDEX conduct_in_force; DROP INDEX devices_in_use;
         ALTER TABLE visits DROP COLUMN unassigned; ALTER TABLE visits DROP COLUMN held;
         ALTER TABLE visits DROP COLUMN queue_key; ALTER TABLE meta DROP COLUMN queue_order;
         ALTER TABLE meta DROP COLUMN rekeyed;
         DROP INDEX visits_by_start; DROP INDEX visits_by_arrival; DROP INDEX visits_by_promise;
         DROP INDEX contacts_by_time; DROP INDEX visit_holds_by_flag;
         ALTER TABLE visits DROP COLUMN arrived_at; ALTER TABLE visits DROP COLUMN person_met;
         ALTER TABLE visits DROP COLUMN overdue_reason;
         ALTER TABLE visits DROP COLUMN promise_amount;
         ALTER TABLE visits DROP COLUMN promise_due; ALTER TABLE visits DROP COLUMN promise_open;
         DROP TABLE device_reports; DROP TABLE audit; DROP TABLE proposals; DROP TABLE support_requests;
         DROP TABLE audit_samples;
         DROP TABLE import_rows; DROP TABLE import_files; DROP TABLE import_columns; DROP TABLE imports;
         DROP TABLE saved_views; DROP TABLE report_tokens; DROP TABLE sign_in_failures; DROP TABLE used_once;
         DROP TABLE push_notices; DROP TABLE push_subscriptions;
         DELETE FROM refinery_schema_history WHERE version >= 12;",
        "UPDATE visits SET accepted_at = NULL; UPDATE meta SET backfilled = 0;",
    ] {
        pair.office.stop();
        let database = rusqlite::Connection::open(pair.office.database()).unwrap();
        database.execute_batch(downgrade).unwrap();
        drop(database);
        let refused = Office::open_to_read(&pair.office.address(), || NOW).err();
        let refused = refused.expect("not filled in yet").to_string();
        assert!(refused.contains("doorstep serve"), "{refused}");
        pair.office.start();
        pair.office.assert_sound().await;
        // So are queues and the search index.
        let found = Listing { text: "B0002".into(), sort: Sort::Queue, ..Listing::default() };
        let found = pair.office.list(Listing { limit: 9, ..found }).await.unwrap();
        assert_eq!(found.rows.len(), 1);
        let queue = Some(Queue::Unassigned);
        let unassigned = Listing { queue, limit: 9, ..Listing::default() };
        assert_eq!(pair.office.list(unassigned).await.unwrap().total, 0);
    }
    assert_eq!(pair.office.expire_accepted(days(31)).await, Ok(0));
    assert_eq!(pair.office.expire_accepted(days(30)).await, Ok(1));
    pair.sync().await;
    assert_eq!(pair.phone.ids(), [open]);
}

#[tokio::test]
async fn f5_records_that_are_not_accepted_stay() {
    let mut pair = Pair::new(&["chen.jie"]).await;
    let assigned = pair.office.create(visit_for("NB0002", &["chen.jie"])).await;
    work(&mut pair.phone, pair.id);
    pair.phone.sync(&pair.office).await;
    pair.review(ReviewStatus::Returned).await;
    pair.office.advance(365 * DAY);
    assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(0));
    pair.sync().await;
    assert_eq!(BTreeSet::from_iter(pair.phone.ids()), BTreeSet::from([pair.id, assigned]));
}

#[tokio::test]
async fn f5_a_record_that_is_returned_comes_back_whole() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
    pair.sync().await;
    pair.review(ReviewStatus::Returned).await;
    pair.sync().await;
    assert_eq!(pair.phone.ids(), [pair.id]);
    assert_eq!(pair.phone.view(pair.id), pair.office.visit(pair.id).await.unwrap());
    assert!(pair.cards().is_empty(), "it is here again (F6)");
    // Sealed and accepted once more, its days begin anew.
    pair.office.advance(10 * DAY);
    pair.phone.now += DAY;
    let at = pair.phone.now;
    pair.phone.apply(pair.id, &Command::Seal { at });
    pair.sync().await;
    pair.review(ReviewStatus::Accepted).await;
    assert_eq!(pair.office.expire_accepted(days(5)).await, Ok(0));
    pair.office.advance(5 * DAY);
    assert_eq!(pair.office.expire_accepted(days(5)).await, Ok(1));
    pair.sync().await;
    assert!(pair.phone.ids().is_empty());
}

#[tokio::test]
async fn f5_an_expired_record_is_sent_to_new_collectors_only() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    assert_eq!(pair.office.expire_accepted(Duration::ZERO).await, Ok(1));
    pair.sync().await;
    let patch = CasePatch { overdue: Some(7), ..Default::default() };
    pair.office.supervise(pair.id, Command::UpdateCase(Box::new(patch))).await;
    pair.sync().await;
    assert!(pair.phone.ids().is_empty());
    pair.assign(&["chen.jie", "wu.min"]).await;
    pair.sync().await;
    assert!(pair.phone.ids().is_empty());
    let mut newcomer = TestPhone::new("wu.min", 3);
    newcomer.sync(&pair.office).await;
    newcomer.assert_in_step();
    assert_eq!(newcomer.view(pair.id).case.overdue, 7);
    // Withdrawn and assigned again, it is sent like any other.
    pair.assign(&["wu.min"]).await;
    pair.assign(&["wu.min", "chen.jie"]).await;
    pair.sync().await;
    assert_eq!(pair.phone.ids(), [pair.id]);
}

// -- F6: what stays of it

#[tokio::test]
async fn f6_a_card_of_own_work_stays_and_says_nothing_about_a_person() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.office.advance(31 * DAY);
    pair.office.expire_accepted(days(30)).await.unwrap();
    pair.sync().await;
    let card = Card {
        record: pair.id.to_string(),
        case_no: "NB0001".into(),
        visited_at: NOW + 60_000,
        disposition: Some(Disposition::Ptp),
        accepted: true,
        left_at: NOW + 31 * DAY,
    };
    assert_eq!(pair.cards(), std::slice::from_ref(&card));
    pair.phone.restart();
    assert_eq!(pair.cards(), [card]);
    // Opened, all that the phone still has tells of no borrower; sealed, it tells nothing at all.
    let vault = Vault::new(&KEY, [9; 16]);
    let mut cards = 0;
    for (table, rows) in &pair.phone.tables {
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
    let mut pair = Pair::new(&["chen.jie", "wu.min"]).await;
    pair.phone.apply(pair.id, &contact("c1"));
    pair.sync().await;
    let mut other = TestPhone::new("wu.min", 2);
    other.sync(&pair.office).await;
    let named = VisitPatch { add_visitor: Some("wu.min".into()), ..Default::default() };
    other.apply(pair.id, &Command::EditVisit(named));
    work(&mut other, pair.id);
    other.sync(&pair.office).await;
    pair.sync().await;
    pair.assign(&[]).await;
    pair.sync().await;
    other.sync(&pair.office).await;
    assert!(pair.cards().is_empty(), "another collector went");
    let cards = other.workspace.past_work();
    assert_eq!(cards.len(), 1);
    assert!(!cards[0].accepted);
}

#[tokio::test]
async fn f6_a_record_that_is_given_again_has_no_card() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.assign(&["wu.min"]).await;
    pair.sync().await;
    assert_eq!(pair.cards().len(), 1);
    pair.assign(&["chen.jie"]).await;
    pair.sync().await;
    assert!(pair.cards().is_empty());
    pair.phone.restart();
    assert!(pair.cards().is_empty());
    assert_eq!(pair.phone.ids(), [pair.id]);
}

/// Card and erasure are one batch: on the disk there is one of them, whenever the phone dies.
#[tokio::test]
async fn f6_a_kill_neither_loses_nor_doubles_a_card() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.assign(&[]).await;
    pair.phone.disk = Some(StorageFailure::StorageFull);
    pair.phone.sync(&pair.office).await;
    assert_eq!((pair.phone.ids().len(), pair.cards().len()), (0, 1), "in memory");
    pair.phone.disk = None;
    pair.phone.restart();
    assert_eq!((pair.phone.ids().len(), pair.cards().len()), (1, 0), "nothing was written");
    pair.sync().await;
    pair.phone.restart();
    assert_eq!((pair.phone.ids().len(), pair.cards().len()), (0, 1));
    pair.sync().await;
}

#[tokio::test]
async fn f6_cards_go_after_180_days_by_the_offices_clock() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.assign(&[]).await;
    pair.sync().await;
    // The phone's own clock takes nothing away.
    pair.phone.now += 1_000 * DAY;
    pair.sync().await;
    assert_eq!(pair.cards().len(), 1);
    pair.office.advance(180 * DAY);
    pair.sync().await;
    assert_eq!(pair.cards().len(), 1);
    pair.office.advance(1);
    pair.sync().await;
    assert!(pair.cards().is_empty());
    assert!(!pair.phone.tables[&Table::Meta].keys().any(|key| key.starts_with("card/")));
}

#[tokio::test]
async fn f6_a_damaged_card_is_moved_aside_and_the_others_stay() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.assign(&[]).await;
    pair.sync().await;
    let meta = pair.phone.tables.get_mut(&Table::Meta).unwrap();
    let (key, value) = meta.iter_mut().find(|(key, _)| key.starts_with("card/")).unwrap();
    let place = format!("meta/{key}");
    *value.last_mut().unwrap() ^= 1;
    pair.phone.restart();
    assert!(pair.cards().is_empty());
    assert!(pair.phone.tables[&Table::Damaged].contains_key(&place), "D5");
    pair.sync().await;
}

#[tokio::test]
async fn f6_cards_are_erased_with_a_revoked_phone() {
    let mut pair = Pair::accepted(&["chen.jie"]).await;
    pair.assign(&[]).await;
    pair.sync().await;
    pair.phone.ended = Some(Revocation::DeviceRevoked);
    pair.phone.sync(&pair.office).await;
    assert_eq!(pair.phone.erased, Some(Revocation::DeviceRevoked));
    assert!(pair.cards().is_empty());
}

// -- fixtures

fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 60 * 60)
}

/// A visit from its outcome to the seal.
fn work(phone: &mut TestPhone, id: RecordId) {
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
