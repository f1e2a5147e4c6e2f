//! Single faults in stored chunks (rule D5): each is detected, touches its own record alone, and is
//! healed at the next contact.
//!
//! `DOORSTEP_FAULTS` says how many; docs/RELIABILITY.md has the figures of a long run.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::office::TestOffice;
use crate::support::phone::{TestPhone, contact};
use doorstep::ids::RecordId;
use doorstep::record::command::{Command, TextEdit};
use doorstep::record::view::VisitView;
use doorstep::workspace::Table;

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
                    assert!(hit.contains(id) && problem == "damaged", "fault {fault}: {what}");
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
