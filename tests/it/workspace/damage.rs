//! Single faults in stored chunks (rule D5): each is detected, touches its own record alone, and is
//! healed at the next contact.
//!
//! `DOORSTEP_FAULTS` says how many; docs/RELIABILITY.md has the figures of a long run.

use std::collections::{BTreeMap, BTreeSet};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use doorstep::ids::RecordId;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::view::VisitView;
use doorstep::workspace::{Output, RecordProblem, StoreError, SyncState, Table};
use hmac::Mac;

use crate::support::office::TestOffice;
use crate::support::phone::{Tables, TestPhone, contact};

const FAULTS: u64 = 300;

#[tokio::test]
async fn d5_any_single_fault_in_a_chunk_is_found_and_healed() {
    let faults = std::env::var("DOORSTEP_FAULTS").ok().and_then(|text| text.parse().ok());
    let (office, ids) = TestOffice::with_records(5).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    for (n, id) in ids.iter().enumerate() {
        // Several chunks, some confirmed, some not.
        for k in 0..n {
            phone.apply(*id, &contact(&format!("c{n}-{k}")));
        }
        if n % 2 == 0 {
            phone.sync(&office).await;
        }
    }
    let base = phone.view(ids[2]).heads;
    let notes = TextEdit { base, text: "asked to call again in the evening".into() };
    phone.apply(ids[2], &Command::EditNotes(notes));
    let sound = phone.tables.clone();
    let truth: BTreeMap<RecordId, VisitView> =
        ids.iter().map(|id| (*id, phone.view(*id))).collect();

    let mut random = fastrand::Rng::with_seed(17);
    let mut found = 0;
    for fault in 0..faults.unwrap_or(FAULTS) {
        phone.tables = sound.clone();
        let (what, hit) = damage(&mut phone, &mut random);
        phone.restart();
        for id in &ids {
            phone.open(*id);
            // Unsent changes are in the outbox too, so nothing is missing.
            match phone.problem(*id) {
                Some(problem) => {
                    assert!(
                        hit.contains(id) && problem == RecordProblem::Damaged,
                        "fault {fault}: {what}"
                    );
                    found += 1;
                }
                None => assert_eq!(phone.view(*id), truth[id], "fault {fault}: {what}"),
            }
        }
        let kept = phone.tables.get(&Table::Damaged).map_or(0, BTreeMap::len);
        assert_eq!(kept, hit.len(), "fault {fault}: the bytes are kept: {what}");
        phone.sync(&office).await;
        phone.assert_in_step();
        for id in &ids {
            assert_eq!(phone.view(*id), truth[id], "fault {fault}: {what}");
            assert_eq!(phone.problem(*id), None, "fault {fault}: {what}");
        }
    }
    assert!(found > 0);
    assert!(office.verify().await.unwrap().ok);
}

/// Flips a bit of one stored chunk, cuts it short, or swaps it with another record's; says what
/// was done and which records it hit.
fn damage(phone: &mut TestPhone, random: &mut fastrand::Rng) -> (String, BTreeSet<RecordId>) {
    let rows = phone.tables.get_mut(&Table::Chunks).unwrap();
    let keys: Vec<String> = rows.keys().cloned().collect();
    let key = &keys[random.usize(..keys.len())];
    let of = |key: &str| key.split('/').next().unwrap().parse::<RecordId>().unwrap();
    let value = rows.get_mut(key).unwrap();
    match random.u8(..3) {
        0 => {
            let bit = random.usize(..value.len() * 8);
            value[bit / 8] ^= 1 << (bit % 8);
            (format!("bit {bit} of {key}"), BTreeSet::from([of(key)]))
        }
        1 => {
            let length = random.usize(..value.len());
            value.truncate(length);
            (format!("{key} cut to {length}"), BTreeSet::from([of(key)]))
        }
        _ => {
            let others: Vec<&String> = keys.iter().filter(|other| of(other) != of(key)).collect();
            let other = others[random.usize(..others.len())];
            let (one, two) = (rows[key].clone(), rows[other].clone());
            rows.insert(key.clone(), two);
            rows.insert(other.clone(), one);
            (format!("{key} swapped with {other}"), BTreeSet::from([of(key), of(other)]))
        }
    }
}

#[tokio::test]
async fn d5_a_damaged_chunk_is_moved_aside_and_repaired() {
    let (office, ids) = TestOffice::with_records(3).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let key = damage_row(&mut phone, Table::Chunks, &ids[1].to_string());
    phone.restart();
    phone.sync(&office).await;
    phone.open(ids[1]);
    phone.workspace.view(ids[1]).expect_err("damaged");
    assert_eq!(phone.problem(ids[1]), Some(RecordProblem::Damaged));
    assert_eq!(phone.status().state, SyncState::Attention);
    assert!(phone.tables[&Table::Damaged].contains_key(&format!("chunks/{key}")));
    assert_eq!(phone.view(ids[0]).id, ids[0].to_string(), "every other record still works");

    phone.sync(&office).await;
    assert_eq!(phone.problem(ids[1]), None);
    assert_eq!(phone.view(ids[1]), office.visit(ids[1]).await.expect("there"));
    phone.assert_in_step();
}

#[tokio::test]
async fn d5_unsent_work_outlives_damage_to_any_one_row() {
    for table in [Table::Chunks, Table::Outbox, Table::Records] {
        let (office, ids) = TestOffice::with_records(2).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        phone.apply(ids[0], &contact("c1"));
        damage_row(&mut phone, table, &ids[0].to_string());
        phone.restart();
        phone.open(ids[0]);
        phone.sync(&office).await;
        phone.sync(&office).await;
        phone.assert_in_step();
        assert_eq!(phone.view(ids[0]).contacts.len(), 1, "{table:?}");
        let at_office = office.visit(ids[0]).await.expect("there").contacts.len();
        assert_eq!(at_office, 1, "{table:?}");
    }
}

#[tokio::test]
async fn d5_a_change_whose_damaged_row_was_moved_aside_before_a_crash_is_queued_anew() {
    for edits in 1..=3 {
        let (office, ids) = TestOffice::with_records(2).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        for edit in 0..edits {
            phone.apply(ids[0], &contact(&format!("c{edit}")));
        }
        damage_row(&mut phone, Table::Outbox, &ids[0].to_string());
        phone.reopen(phone.tables.clone()).expect("opens");
        // Only the first batch is on disk: it moves the row aside.
        let Some(Output::Persist { writes, .. }) = std::iter::from_fn(|| phone.workspace.poll())
            .find(|output| matches!(output, Output::Persist { .. }))
        else {
            panic!("nothing is moved aside")
        };
        writes.into_iter().for_each(|write| phone.write(write));
        assert_eq!(phone.tables[&Table::Outbox].len(), edits - 1);
        phone.restart();
        phone.sync(&office).await;
        phone.assert_in_step();
        assert_eq!(office.visit(ids[0]).await.expect("there").contacts.len(), edits);
    }
}

#[tokio::test]
async fn d5_damaged_metadata_of_the_store_is_repaired() {
    let (office, ids) = TestOffice::with_records(3).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let sound = phone.tables.clone();
    for key in sound[&Table::Meta].keys() {
        phone.tables = sound.clone();
        phone.restart();
        phone.apply(ids[0], &contact(&format!("before the damage to {key}")));
        let value = phone.tables.get_mut(&Table::Meta).unwrap().get_mut(key).unwrap();
        // The first byte is the format, in the clear.
        value[0] ^= 1;
        phone.restart();
        assert!(phone.tables[&Table::Damaged].contains_key(&format!("meta/{key}")));
        phone.sync(&office).await;
        phone.assert_in_step();
        assert!(phone.tables[&Table::Meta].contains_key(key), "{key} is written anew");
        phone.restart();
        phone.sync(&office).await;
        phone.assert_in_step();
    }
    assert_eq!(
        office.visit(ids[0]).await.expect("there").contacts.len(),
        sound[&Table::Meta].len()
    );
}

#[tokio::test]
async fn d6_swapped_rows_are_detected_in_every_table() {
    for table in [Table::Records, Table::Chunks, Table::Outbox] {
        let (office, ids) = TestOffice::with_records(2).await;
        let mut phone = TestPhone::new("chen.jie", 1);
        phone.sync(&office).await;
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            phone.apply(*id, &contact(contact_id));
        }
        let rows = phone.tables.get_mut(&table).unwrap();
        // Of chunks the one with the last change: without the others there is nothing to show.
        let of = |id: &RecordId| {
            let theirs = rows.iter().filter(|(key, _)| key.starts_with(&id.to_string()));
            theirs.min_by_key(|(_, value)| value.len()).unwrap().0.clone()
        };
        let (one, two) = (of(&ids[0]), of(&ids[1]));
        let (first, second) = (rows[&one].clone(), rows[&two].clone());
        rows.insert(one.clone(), second);
        rows.insert(two.clone(), first);
        phone.restart();
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            assert_eq!(phone.view(*id).contacts[0].id, contact_id, "{table:?}");
        }
        for key in [one, two] {
            let kept = format!("{}/{key}", format!("{table:?}").to_lowercase());
            assert!(phone.tables[&Table::Damaged].contains_key(&kept), "{kept}");
        }
        phone.sync(&office).await;
        phone.assert_in_step();
        for (id, contact_id) in ids.iter().zip(["one", "two"]) {
            assert_eq!(office.visit(*id).await.expect("there").contacts[0].id, contact_id);
        }
    }
}

#[tokio::test]
async fn d6_no_stored_plaintext_can_be_read() {
    let (office, ids) = TestOffice::with_records(2).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    phone.apply(ids[0], &contact("c1"));
    let chunks = phone.tables[&Table::Chunks].clone();
    for (table, rows) in &phone.tables {
        for (key, value) in rows {
            let text = String::from_utf8_lossy(value);
            for plain in ["Borrower", "Mill Road", "NB00", "chen.jie", "phones.0"] {
                assert!(
                    !text.contains(plain) && !key.contains(plain),
                    "{plain} in {table:?} {key}"
                );
            }
        }
    }
    // The name of a chunk does not tell what it says: another phone calls the same one otherwise.
    let mut other = TestPhone::new("chen.jie", 2);
    other.key = [8; 32];
    other.reopen(Tables::new()).expect("a new store");
    other.run();
    other.sync(&office).await;
    assert_eq!(other.view(ids[1]), phone.view(ids[1]));
    assert!(other.tables[&Table::Chunks].keys().all(|key| !chunks.contains_key(key)));
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_unchanged() {
    let (office, _) = TestOffice::with_records(1).await;
    let mut phone = TestPhone::new("chen.jie", 1);
    phone.sync(&office).await;
    let mut tables = phone.tables.clone();
    let row = row_of_format(99, &phone.key, "meta/cursor");
    tables.get_mut(&Table::Meta).expect("meta").insert("cursor".into(), row);
    assert_eq!(phone.reopen(tables.clone()), Err(StoreError::Format(99)));
    assert_eq!(phone.tables, tables);
}

/// No damage makes a store look like one of another version: its mark decrypts.
#[tokio::test]
async fn what_is_left_of_a_format_row_is_no_other_version() {
    let (office, ids) = TestOffice::with_records(1).await;
    for alone in [false, true] {
        for left in [vec![], vec![0], vec![1], vec![2], vec![10], vec![130], vec![1, 2]] {
            let mut phone = TestPhone::new("chen.jie", 1);
            if !alone {
                phone.sync(&office).await;
            }
            let meta = phone.tables.entry(Table::Meta).or_default();
            if alone {
                meta.clear();
            }
            meta.insert("format".into(), left);
            phone.restart();
            phone.run();
            phone.sync(&office).await;
            phone.assert_in_step();
            assert_eq!(phone.view(ids[0]), office.visit(ids[0]).await.unwrap());
        }
    }
}

/// A row as a program writes it whose format is `format`: encrypted like today's, its format in
/// front and bound to it.
fn row_of_format(format: u8, key: &[u8; 32], row: &str) -> Vec<u8> {
    let derived = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("any length")
        .chain_update(b"doorstep rows")
        .finalize();
    let associated = [&[format], row.as_bytes()].concat();
    let payload = Payload { msg: b"what it writes", aad: &associated };
    let cipher = XChaCha20Poly1305::new(&derived.into_bytes().0.into());
    let sealed = cipher.encrypt(XNonce::from_slice(&[7; 24]), payload).expect("little text");
    [&[format][..], &[7; 24], &sealed].concat()
}

/// Flips a bit in one row of a record; gives its key.
fn damage_row(phone: &mut TestPhone, table: Table, prefix: &str) -> String {
    let rows = phone.tables.get_mut(&table).expect("rows");
    let (key, value) =
        rows.iter_mut().rfind(|(key, _)| key.starts_with(prefix)).expect("a row of the record");
    let middle = value.len() / 2;
    value[middle] ^= 0x10;
    key.clone()
}
