//! Signatures under the seal, in the order of their life: each collector signs what they saw, the
//! office checks it, and anybody who has the document can check it again.

use crate::support::office::TestOffice;
use crate::support::sync_client::{START, SyncClient, contact};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ObjType, ReadDoc, ScalarValue};
use doorstep::ids::{Heads, RecordId, actor, hex};
use doorstep::office::store::{Device, User};
use doorstep::record::command::{Command, NewSignature, TalkPatch};
use doorstep::record::signature::Statement;
use doorstep::record::terms::{Disposition, ReviewStatus, Role};
use doorstep::sync::message::{Outcome, RefusalCode};
use ed25519_dalek::{Signer, SigningKey};
use rstest::rstest;

const READ_BACK: &str = "借款人: 张伟\n外访结果: 本人不在";

#[tokio::test]
async fn two_collectors_sign_what_each_saw() {
    let scene = Scene::new().await;
    let Scene { office, id, mut chen, mut wu } = scene;
    chen.write(id, sign(&chen, id, 1, &key(1)));
    chen.sync(&office).await;
    wu.sync(&office).await;
    wu.write(id, sign(&wu, id, 2, &key(2)));
    assert!(merged(&wu.sync(&office).await.results[0]));

    let seal = office.visit(id).await.expect("read").seal.expect("sealed");
    let signed: Vec<_> = seal
        .signatures
        .iter()
        .map(|one| (one.by.as_str(), one.sound, one.standing, one.text.as_str()))
        .collect();
    assert_eq!(signed, [("chen.jie", true, true, READ_BACK), ("wu.min", true, true, READ_BACK)]);
    let verified = office.verify().await.expect("verified");
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!(verified.signatures, 2);
}

#[tokio::test]
async fn two_who_sign_while_apart_both_stand() {
    let Scene { office, id, mut chen, mut wu } = Scene::new().await;
    wu.sync(&office).await;
    chen.write(id, sign(&chen, id, 1, &key(1)));
    wu.write(id, sign(&wu, id, 2, &key(2)));
    assert!(merged(&chen.sync(&office).await.results[0]));
    assert!(merged(&wu.sync(&office).await.results[0]));
    let seal = office.visit(id).await.expect("read").seal.expect("sealed");
    assert_eq!(seal.signatures.len(), 2);
    assert!(seal.signatures.iter().all(|one| one.sound && one.standing));
    office.assert_sound().await;
}

#[tokio::test]
async fn a_signature_under_a_returned_seal_is_no_longer_valid() {
    let Scene { office, id, mut chen, .. } = Scene::new().await;
    chen.write(id, sign(&chen, id, 1, &key(1)));
    chen.sync(&office).await;
    let returned = Command::Review {
        status: ReviewStatus::Returned,
        remark: "the reason is missing".into(),
        marks: Vec::new(),
        at: START,
    };
    office.command(id, returned, "lin.yue", Role::Supervisor).await.expect("returned");
    chen.sync(&office).await;
    chen.write(id, contact(3));
    chen.write(id, Command::Seal { at: START + 60_000 });
    let standing = |chen: &SyncClient| {
        let seal = chen.view(id).seal.expect("sealed");
        seal.signatures.iter().map(|one| (one.sound, one.standing)).collect::<Vec<_>>()
    };
    assert_eq!(standing(&chen), [(true, false)]);
    chen.write(id, sign(&chen, id, 2, &key(1)));
    assert_eq!(standing(&chen), [(true, false), (true, true)]);
    assert!(merged(&chen.sync(&office).await.results[0]));
    office.assert_sound().await;
}

#[tokio::test]
async fn the_phone_takes_no_signature_that_is_wrong() {
    let Scene { id, chen, .. } = Scene::new().await;
    let Command::Sign(right) = sign(&chen, id, 1, &key(1)) else { unreachable!() };
    let wrong = [
        NewSignature { text: format!("{READ_BACK}。"), ..right.clone() },
        NewSignature { at: right.at + 1, ..right.clone() },
        NewSignature { heads: vec![hex(&[7; 32])], ..right.clone() },
        NewSignature { heads: Vec::new(), ..right.clone() },
        NewSignature { key: hex(key(2).verifying_key().as_bytes()), ..right.clone() },
        NewSignature { key: right.key.to_uppercase(), ..right.clone() },
        NewSignature { signature: hex(&[0; 64]), ..right.clone() },
        NewSignature { signature: String::new(), ..right },
    ];
    for wrong in wrong {
        let error = chen.refusal(id, &Command::Sign(wrong));
        assert_eq!(error.code(), "invalid_value", "{error}");
    }
}

/// Forgeries by an author who writes changes by hand.
#[rstest]
#[case::a_key_that_was_not_enrolled(|said: &mut Said| said.key = key(9))]
#[case::another_text(|said: &mut Said| said.text = "nothing was said")]
#[case::another_time(|said: &mut Said| said.written_at += 1)]
#[case::a_state_that_is_none(|said: &mut Said| said.heads = Heads::new(vec![automerge::ChangeHash([3; 32])]))]
#[case::another_record(|said: &mut Said| said.record = "018bcfe5-0000-7000-8000-000000000000".into())]
#[case::another_user(|said: &mut Said| said.signed_by = "wu.min")]
#[tokio::test]
async fn the_office_refuses_a_wrong_signature_by_name(#[case] lie: fn(&mut Said)) {
    let Scene { office, id, chen, .. } = Scene::new().await;
    let mut said = Said::honest(&chen, id);
    let honest = said.change(&chen, id);
    lie(&mut said);
    let outcome = chen.push(&office, id, vec![said.change(&chen, id)]).await;
    let Outcome::Refused { code, path, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((code, code.as_str()), (RefusalCode::WrongSignature, "wrong_signature"));
    assert_eq!(path, format!("seal.{SIGNATURE}"));
    assert!(office.visit(id).await.expect("read").seal.expect("sealed").signatures.is_empty());
    // The same bytes but for the lie are taken.
    assert!(merged(&chen.push(&office, id, vec![honest]).await));
    office.assert_sound().await;
}

#[tokio::test]
async fn verify_finds_a_key_that_its_device_never_enrolled() {
    let Scene { office, id, mut chen, .. } = Scene::new().await;
    chen.write(id, sign(&chen, id, 1, &key(1)));
    chen.sync(&office).await;
    let other = TestOffice::ticking();
    let before =
        office.store().read_with(|reads| Ok((reads.record(id)?, reads.changes_after(id, 0)?)));
    assert!(before.expect("read").0.is_some());
    // An office that was restored from before the enrolment has the record back, not the key.
    let problems = restored(&other, &office, id).await;
    assert!(problems.iter().any(|what| what.contains("did not enrol")), "{problems:?}");
}

/// Takes a record over as it is, rows and receipts aside, and says what `verify` finds.
async fn restored(other: &TestOffice, office: &TestOffice, id: RecordId) -> Vec<String> {
    let read = office.store().read_with(|reads| reads.record(id)).expect("read").expect("held");
    other.store().write(move |tx| tx.put_record(id, &read)).await.expect("written");
    let verified = other.verify().await.expect("verified");
    verified.problems.into_iter().map(|problem| problem.what).collect()
}

const SIGNATURE: &str = "018bcfe5-0000-7000-8000-00000000000a";

/// A signature as it is written down by hand.
struct Said {
    record: String,
    heads: Heads,
    key: SigningKey,
    signed_at: i64,
    written_at: i64,
    signed_by: &'static str,
    text: &'static str,
}

impl Said {
    fn honest(phone: &SyncClient, id: RecordId) -> Self {
        Self {
            record: id.to_string(),
            heads: Heads::new(phone.document(id).get_heads()),
            key: key(1),
            signed_at: START,
            written_at: START,
            signed_by: "chen.jie",
            text: READ_BACK,
        }
    }

    /// A change that holds it, as no phone of ours would make it.
    fn change(&self, phone: &SyncClient, id: RecordId) -> Vec<u8> {
        let device = phone.session().device;
        let statement = Statement {
            record: &self.record,
            heads: &self.heads,
            device: &device.to_string(),
            at: self.signed_at,
            text: READ_BACK,
            user: self.signed_by,
        };
        let signature = self.key.sign(&statement.to_bytes());
        let mut doc = phone.document(id);
        doc.set_actor(actor(device, 99));
        let (_, seal) = doc.get(automerge::ROOT, "seal").expect("read").expect("the seal");
        let fields: [(&str, ScalarValue); 7] = [
            ("at", ScalarValue::Timestamp(self.written_at)),
            ("by", "chen.jie".into()),
            ("device", device.to_string().into()),
            ("key", hex(self.key.verifying_key().as_bytes()).into()),
            ("heads", self.heads.to_hex().join(" ").into()),
            ("text", self.text.into()),
            ("signature", hex(&signature.to_bytes()).into()),
        ];
        let options = CommitOptions::default().with_message("chen.jie").with_time(START / 1000);
        doc.transact_with::<_, _, automerge::AutomergeError, _>(
            |()| options,
            |tx| {
                let entry = tx.put_object(&seal, SIGNATURE, ObjType::Map)?;
                fields.into_iter().try_for_each(|(name, value)| tx.put(&entry, name, value))
            },
        )
        .map_err(|failure| failure.error)
        .expect("written");
        doc.get_last_local_change().expect("a change").raw_bytes().to_vec()
    }
}

/// A sealed record that two collectors hold, on devices whose keys are enrolled.
struct Scene {
    office: TestOffice,
    id: RecordId,
    chen: SyncClient,
    wu: SyncClient,
}

impl Scene {
    async fn new() -> Self {
        let office = TestOffice::ticking();
        let id = office.add_visit("C-1", &["chen.jie", "wu.min"]).await;
        let (mut chen, mut wu) = (SyncClient::new("chen.jie", 1), SyncClient::new("wu.min", 2));
        enrol(&office, &chen, &key(1)).await;
        enrol(&office, &wu, &key(2)).await;
        chen.sync(&office).await;
        wu.sync(&office).await;
        let patch = TalkPatch { disposition: Some(Disposition::NotHome), ..TalkPatch::default() };
        chen.write(id, Command::EditTalk(patch));
        chen.write(id, Command::Seal { at: START });
        chen.sync(&office).await;
        Self { office, id, chen, wu }
    }
}

async fn enrol(office: &TestOffice, phone: &SyncClient, key: &SigningKey) {
    let session = phone.session();
    let key = key.verifying_key().to_bytes();
    let written = office.store().write(move |tx| {
        tx.put_user(&User {
            name: session.user.clone(),
            display_name: session.user.clone(),
            role: Role::Collector,
            password_hash: String::new(),
            disabled_at: None,
            created_at: START,
            subject: None,
        })?;
        tx.put_device(&Device::enrolled(session.device, &session.user, START))?;
        tx.put_device_key(session.device, key, START)
    });
    written.await.expect("enrolled");
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// What the phone's own app does.
fn sign(phone: &SyncClient, id: RecordId, n: u64, key: &SigningKey) -> Command {
    let session = phone.session();
    let heads = Heads::new(phone.document(id).get_heads());
    let at = START + 1;
    let statement = Statement {
        record: &id.to_string(),
        heads: &heads,
        device: &session.device.to_string(),
        at,
        text: READ_BACK,
        user: &session.user,
    };
    Command::Sign(NewSignature {
        id: format!("018bcfe5-0000-7000-9000-{n:012}"),
        at,
        heads: heads.to_hex(),
        text: READ_BACK.into(),
        key: hex(key.verifying_key().as_bytes()),
        signature: hex(&key.sign(&statement.to_bytes()).to_bytes()),
    })
}

fn merged(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Merged { .. })
}
