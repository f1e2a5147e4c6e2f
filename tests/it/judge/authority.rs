//! What a collector may write is judged by what they saw and by what the office holds now (rule
//! M9): older dependencies gain nothing.

use automerge::transaction::Transaction;
use automerge::{ObjId, ROOT, ReadDoc};
use doorstep::ids::RecordId;
use doorstep::record::command::{Command, NewAttachment, PromiseToPay, TalkPatch, VisitPatch};
use doorstep::record::terms::{AttachmentKind, Disposition, Flag, ReviewStatus, Role, Stage};
use doorstep::sync::message::{Outcome, RefusalCode};
use rstest::rstest;

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact, notes, payment, propose};

/// One kind of open-phase work, written on a copy from before the seal.
#[rstest]
#[case::disposition(|phone: &mut SyncClient, id| phone.write(id, talk(Disposition::Ptp)))]
#[case::notes(|phone: &mut SyncClient, id| { let edit = notes(phone, id, "made up later"); phone.write(id, edit) })]
#[case::contact(|phone: &mut SyncClient, id| phone.write(id, contact(7)))]
#[case::appointment(|phone: &mut SyncClient, id| phone.write(id, propose(3)))]
#[case::visit(|phone: &mut SyncClient, id| phone.write(id, left(START)))]
#[case::promise(|phone: &mut SyncClient, id| phone.write(id, promise(100, "2026-05-01", "bank")))]
#[case::another_seal(|phone: &mut SyncClient, id| phone.write(id, Command::Seal { at: START + 5 }))]
#[tokio::test]
async fn m9_backdated_work_does_not_move_a_sealed_record(
    #[case] write: fn(&mut SyncClient, RecordId),
) {
    for accepted in [false, true] {
        let Sealed { office, id, before, .. } = Sealed::new(accepted).await;
        let held = office.visit(id).await.unwrap();
        let mut liar = before.restored();
        write(&mut liar, id);
        let reply = liar.sync(&office).await;
        assert_eq!(refused(&reply.results[0]).0, RefusalCode::Sealed);
        assert_ne!(refused(&reply.results[0]).2, 0, "kept in quarantine");
        assert_eq!(office.visit(id).await.unwrap(), held);
        office.assert_sound().await;
    }
}

#[tokio::test]
async fn m9_work_that_was_written_offline_while_a_colleague_sealed_is_refused_and_kept() {
    let Sealed { office, id, mut wu, .. } = Sealed::new(false).await;
    let edit = notes(&wu, id, "seen at the door");
    wu.write(id, edit);
    wu.write(id, payment(1, 500));
    let reply = wu.sync(&office).await;
    let (code, path, number) = refused(&reply.results[0]);
    assert_eq!((code, path.as_str()), (RefusalCode::Sealed, "notes"));
    let item = office.quarantine_item(number).await.unwrap();
    assert!(item.reopens);
    // What a seal does not close goes in as ever.
    wu.sync(&office).await;
    wu.write(id, payment(1, 500));
    wu.write(id, amendment(1, "notes", "seen at the door"));
    assert!(merged(&wu.sync(&office).await.results[0]));
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_accepting_late_work_voids_the_seal_and_returns_the_record() {
    let Sealed { office, id, mut chen, mut wu, .. } = Sealed::new(true).await;
    let edit = notes(&wu, id, "seen at the door");
    wu.write(id, edit);
    let (_, _, number) = refused(&wu.sync(&office).await.results[0]);
    let office = &office;
    office.accept_quarantined(number, None, "", "lin.yue", Role::Supervisor).await.unwrap();
    let view = office.visit(id).await.unwrap();
    assert_eq!(view.stage, Stage::Recorded);
    assert_eq!(view.notes, "seen at the door");
    assert_eq!(view.review.status, ReviewStatus::Returned);
    assert_eq!(view.review.by, "lin.yue");
    assert!(view.review.remark.contains(&number.to_string()));
    assert!(view.seal.is_some_and(|seal| seal.changed));
    // Accepting twice is once, and the collector seals what the record says now.
    office.accept_quarantined(number, None, "", "lin.yue", Role::Supervisor).await.unwrap();
    assert_eq!(office.visit(id).await.unwrap().heads, view.heads);
    chen.sync(office).await;
    chen.write(id, Command::Seal { at: START + 60_000 });
    assert!(merged(&chen.sync(office).await.results[0]));
    let view = office.visit(id).await.unwrap();
    assert_eq!(view.stage, Stage::Sealed);
    assert!(view.seal.is_some_and(|seal| !seal.changed));
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_accepting_what_a_seal_does_not_close_leaves_the_record_sealed() {
    let Sealed { office, id, mut wu, before, .. } = Sealed::new(false).await;
    // Refused as a whole for its notes; the payment alone is another piece.
    drop(before);
    wu.write(id, payment(1, 500));
    let last = wu.last_unsent(id).raw_bytes().to_vec();
    let mut broken = last.clone();
    let end = broken.len() - 1;
    broken[end] ^= 1;
    assert_eq!(refused(&wu.push(&office, id, vec![broken]).await).0, RefusalCode::Malformed);
    assert!(merged(&wu.push(&office, id, vec![last]).await));
    assert_eq!(office.visit(id).await.unwrap().stage, Stage::Sealed);
}

#[tokio::test]
async fn m9_honest_work_of_a_restored_phone_keeps_merging_until_the_seal() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    let mut older = chen.restored();
    chen.write(id, talk(Disposition::NotHome));
    assert!(merged(&chen.sync(&office).await.results[0]));
    older.write(id, contact(2));
    let edit = notes(&older, id, "from the older copy");
    older.write(id, edit);
    assert!(merged(&older.sync(&office).await.results[0]));
    let view = office.visit(id).await.unwrap();
    assert_eq!((view.contacts.len(), view.notes.as_str()), (1, "from the older copy"));
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_a_returned_record_is_open_for_work_from_before_the_seal() {
    let Sealed { office, id, before, .. } = Sealed::new(false).await;
    office.command(id, returned(), "lin.yue", Role::Supervisor).await.unwrap();
    let mut older = before.restored();
    older.write(id, contact(2));
    let work = older.last_unsent(id).raw_bytes().to_vec();
    assert!(merged(&older.push(&office, id, vec![work]).await));
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_evidence_is_not_relabelled_behind_older_dependencies() {
    let Sealed { office, id, before, .. } = Sealed::new(true).await;
    let mut liar = before.restored();
    // Enough operations that the second entry would win over the first.
    for n in 0..20 {
        liar.write(id, payment(n, 1));
    }
    liar.write(id, attachment("nothing to see"));
    let reply = liar.sync(&office).await;
    assert_eq!(refused(&reply.results[0]).0, RefusalCode::NotAllowed);
    let view = office.visit(id).await.unwrap();
    assert_eq!(view.attachments[0].caption, "the door");
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_a_hold_is_not_lifted_by_raising_it_again_behind_older_dependencies() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie"]).await;
    let mut chen = SyncClient::new("chen.jie", 1);
    chen.sync(&office).await;
    let mut liar = chen.restored();
    chen.write(id, hold(None));
    chen.sync(&office).await;
    for n in 0..20 {
        liar.write(id, payment(n, 1));
    }
    liar.write(id, hold(Some(START + 1)));
    liar.sync(&office).await;
    let flags = office.visit(id).await.unwrap().case.flags;
    assert!(flags.iter().any(|raised| raised.until.is_none()), "{flags:?}");
    office.assert_sound().await;
}

#[tokio::test]
async fn m9_a_seal_that_did_not_see_a_colleagues_work_says_so() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
    let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
    chen.sync(&office).await;
    wu.sync(&office).await;
    chen.write(id, talk(Disposition::NotHome));
    chen.write(id, Command::Seal { at: START });
    wu.write(id, contact(1));
    assert!(merged(&wu.sync(&office).await.results[0]));
    assert!(merged(&chen.sync(&office).await.results[0]));
    let seal = office.visit(id).await.unwrap().seal.unwrap();
    assert!(seal.changed);
}

// -- fixtures

/// A record that chen.jie has sealed, and phones that hold it.
pub(super) struct Sealed {
    pub(super) office: TestOffice,
    pub(super) id: RecordId,
    pub(super) chen: SyncClient,
    /// Has not heard of the seal.
    pub(super) wu: SyncClient,
    /// chen.jie's phone as it was before the seal.
    pub(super) before: SyncClient,
}

impl Sealed {
    pub(super) async fn new(accepted: bool) -> Self {
        let office = TestOffice::ticking();
        let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
        let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
        chen.sync(&office).await;
        wu.sync(&office).await;
        chen.write(id, talk(Disposition::NotHome));
        chen.sync(&office).await;
        let before = chen.clone();
        chen.write(id, attachment("the door"));
        chen.write(id, Command::Seal { at: START });
        assert!(merged(&chen.sync(&office).await.results[0]));
        if accepted {
            let review = Command::Review {
                status: ReviewStatus::Accepted,
                remark: String::new(),
                marks: Vec::new(),
                at: START + 1,
            };
            office.command(id, review, "lin.yue", Role::Supervisor).await.unwrap();
        }
        Self { office, id, chen, wu, before }
    }
}

fn talk(disposition: Disposition) -> Command {
    Command::EditTalk(TalkPatch { disposition: Some(disposition), ..TalkPatch::default() })
}

pub(super) fn left(at: i64) -> Command {
    Command::EditVisit(VisitPatch { left_at: Some(at), ..VisitPatch::default() })
}

pub(super) fn promise(amount: i64, due_date: &str, channel: &str) -> Command {
    let (due_date, channel) = (due_date.to_owned(), channel.to_owned());
    Command::Promise { promise: Some(PromiseToPay { amount, due_date, channel }) }
}

fn hold(until: Option<i64>) -> Command {
    Command::RaiseHold { flag: Flag::Dispute, since: START, until, note: "owes nothing".into() }
}

fn attachment(caption: &str) -> Command {
    Command::AddAttachment(NewAttachment {
        sha256: "ab".repeat(32),
        media_type: "image/jpeg".into(),
        size: 10,
        taken_at: START,
        kind: AttachmentKind::Photo,
        caption: caption.into(),
    })
}

fn amendment(n: u64, path: &str, text: &str) -> Command {
    Command::Amend {
        id: format!("018bcfe5-0000-7000-a000-{n:012}"),
        at: START,
        path: path.into(),
        text: text.into(),
    }
}

pub(super) fn returned() -> Command {
    Command::Review {
        status: ReviewStatus::Returned,
        remark: "why?".into(),
        marks: Vec::new(),
        at: START + 2,
    }
}

pub(super) fn object(tx: &Transaction<'_>, path: &[&str]) -> ObjId {
    path.iter().fold(ROOT, |object, key| tx.get(&object, *key).unwrap().unwrap().1)
}

pub(super) fn refused(outcome: &Outcome) -> (RefusalCode, String, u64) {
    let Outcome::Refused { code, path, quarantine, .. } = outcome else { panic!("{outcome:?}") };
    (*code, path.clone(), *quarantine)
}

pub(super) fn merged(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Merged { .. })
}
