//! An enrolled, signed-in device that lies, alone or with accomplices. Whatever it pushes, the
//! record stays unchanged, loads, and accepts honest changes (rules M1 to M3). The tables of
//! `tests/it/hostile.rs` have the single forgeries.

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact, notes};
use automerge::legacy::{Key, OpType};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Change, ExpandedChange, ObjId, ScalarValue};
use doorstep::ids::{DeviceId, RecordId, actor};
use doorstep::record::command::{Command, TalkPatch};
use doorstep::record::genesis;
use doorstep::record::terms::{Disposition, Flag};
use doorstep::sync::message::{Outcome, RefusalCode};
use proptest::prelude::*;

use RefusalCode::{BrokenSequence, Malformed, NotAllowed};

/// A synchronized phone with one merged contact and one unsent.
struct Scene {
    office: TestOffice,
    chen: SyncClient,
    id: RecordId,
}

impl Scene {
    async fn new() -> Self {
        let office = TestOffice::ticking();
        let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
        let mut chen = SyncClient::new("chen.jie", 1);
        chen.sync(&office).await;
        chen.write(id, contact(1));
        chen.write(id, notes(&chen, id, "门口有狗"));
        chen.sync(&office).await;
        chen.write(id, contact(2));
        Self { office, chen, id }
    }

    /// The unsent honest change, forged.
    fn forged(&self, forge: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
        let mut expanded = self.chen.last_unsent(self.id).decode();
        forge(&mut expanded);
        Change::from(expanded).raw_bytes().to_vec()
    }

    async fn push(&self, chunk: Vec<u8>) -> Outcome {
        self.chen.push(&self.office, self.id, vec![chunk]).await
    }

    /// The record is unchanged and accepts honest changes.
    async fn assert_unharmed(mut self) {
        let before = self.chen.confirmed(self.id).to_hex();
        assert_eq!(self.office.visit(self.id).await.unwrap().heads, before);
        self.office.assert_sound().await;
        let reply = self.chen.sync(&self.office).await;
        assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
        self.chen.assert_in_step(&reply);
        self.office.assert_sound().await;
    }
}

fn refused(outcome: &Outcome) -> (RefusalCode, &str) {
    match outcome {
        Outcome::Refused { code, path, quarantine: 1.., .. } => (*code, path),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn m2_a_contact_is_signed_by_its_author() {
    let scene = Scene::new().await;
    let chunk = scene.forged(|change| {
        let by = change.operations.iter_mut().find(|op| op.key == Key::Map("by".into())).unwrap();
        by.action = text("wu.min");
    });
    let outcome = scene.push(chunk).await;
    assert_eq!(refused(&outcome).0, NotAllowed);
    assert!(refused(&outcome).1.ends_with(".by"));
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_a_contact_is_not_hidden_behind_one_of_the_same_key() {
    let scene = Scene::new().await;
    let mut wu = SyncClient::new("wu.min", 2);
    wu.sync(&scene.office).await;
    wu.write(scene.id, contact(9));
    let mut zhao = SyncClient::new("wu.min", 3);
    zhao.sync(&scene.office).await;
    zhao.write(scene.id, contact(9));
    assert!(matches!(wu.sync(&scene.office).await.results[0], Outcome::Merged { .. }));
    let reply = zhao.sync(&scene.office).await;
    assert_eq!(refused(&reply.results[0]).0, NotAllowed);
    scene.office.assert_sound().await;
}

#[tokio::test]
async fn m2_a_collector_who_sealed_cannot_write_as_if_not() {
    let Scene { office, mut chen, id } = Scene::new().await;
    let open = chen.document(id).get_heads();
    let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
    chen.write(id, Command::EditTalk(patch));
    chen.write(id, Command::Seal { at: START });
    chen.sync(&office).await;
    // Another session of the same device may not have seen the seal, but this one has.
    let mut doc = chen.document(id).fork_at(&open).unwrap();
    doc.set_actor(actor(DeviceId([1; 16]), 1));
    let by = CommitOptions::default().with_message("chen.jie").with_time(1);
    doc.transact_with(|_| by, |tx| tx.put(first_id(&["talk"]), "overdue_reason_text", "x"))
        .unwrap();
    let late = doc.get_last_local_change().unwrap().raw_bytes().to_vec();
    let outcome = chen.push(&office, id, vec![late]).await;
    assert_eq!(refused(&outcome).0, BrokenSequence);
    office.assert_sound().await;
}

#[tokio::test]
async fn m1_only_plain_change_chunks_are_taken() {
    let scene = Scene::new().await;
    let mut change = scene.chen.last_unsent(scene.id);
    let deflated = change.bytes().into_owned();
    assert_eq!(deflated[8], 2, "the honest change is long enough to be deflated");
    let document = scene.chen.document(scene.id).save();
    let plain = change.raw_bytes().to_vec();
    let mut longer = plain.clone();
    longer.push(0);
    let twice = [plain.clone(), plain.clone()].concat();
    let mut wrong_sum = plain.clone();
    wrong_sum[4] ^= 1;
    for chunk in [deflated, document, vec![], vec![0x85], longer, twice, wrong_sum] {
        assert_eq!(refused(&scene.push(chunk).await).0, Malformed);
    }
    scene.assert_unharmed().await;
}

#[tokio::test]
async fn m2_an_honest_hold_is_raised_once_and_not_lifted() {
    let Scene { office, mut chen, id } = Scene::new().await;
    let raise = |note: &str| Command::RaiseHold {
        flag: Flag::Dispute,
        since: START,
        until: None,
        note: note.into(),
    };
    chen.write(id, raise("one"));
    let reply = chen.sync(&office).await;
    assert!(matches!(reply.results[0], Outcome::Merged { .. }), "{reply:?}");
    chen.force(id, Command::LiftHold { flag: Flag::Dispute });
    let reply = chen.sync(&office).await;
    assert_eq!(refused(&reply.results[0]).1, "case.flags.dispute.chen.jie");
    office.assert_sound().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Bytes changed anywhere, with the checksum made right again: never a panic, never harm.
    #[test]
    fn m1_no_bytes_harm_a_record(
        changes in proptest::collection::vec((8usize.., any::<u8>()), 1..4),
        rounds in 0u8..40,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new().await;
            let honest = scene.chen.last_unsent(scene.id).raw_bytes().to_vec();
            for round in 0..=rounds {
                let mut bytes = honest.clone();
                for (at, value) in &changes {
                    let at = 8 + at.wrapping_add(usize::from(round) * 7) % (bytes.len() - 8);
                    bytes[at] = *value;
                }
                if bytes == honest {
                    continue;
                }
                let outcome = scene.push(summed(bytes)).await;
                if matches!(outcome, Outcome::Merged { .. }) {
                    // A harmless difference, such as another time. The record must be sound.
                    scene.office.assert_sound().await;
                    return;
                }
            }
            scene.assert_unharmed().await;
        });
    }
}

fn text(text: &str) -> OpType {
    OpType::Put(ScalarValue::Str(text.into()))
}

fn first_id(path: &[&str]) -> ObjId {
    genesis::container(path).unwrap().clone()
}

/// Bytes of a chunk with the checksum that they should have.
fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(&bytes[8..]);
    bytes[4..8].copy_from_slice(&hash[..4]);
    bytes
}
