//! Two copies of a record edited apart: conflicts, merged text, equal first changes.

use doorstep::record::command::{AppointmentPatch, Command, TextEdit};
use doorstep::record::terms::{Flag, Role};
use doorstep::record::view::FieldValue;
use doorstep::record::{Author, Record};
use proptest::prelude::*;

use super::fixtures::{NOW, author, created, office, scheduled};

#[test]
fn two_values_are_kept_until_one_is_picked() {
    let (mut phone, mut desk) = (scheduled(), scheduled());
    assert_eq!(phone.heads(), desk.heads());
    let start = |at| {
        let patch = AppointmentPatch { starts_at: Some(at), ..Default::default() };
        Command::EditAppointment(patch)
    };
    let mut collector = author("chen.jie", Role::Collector, 1);
    collector.now_ms += 5_000;
    phone.apply(&start(NOW + 1), &collector).expect("allowed");
    desk.apply(&start(NOW + 2), &office()).expect("allowed");
    exchange(&mut phone, &mut desk);

    let conflicts = phone.conflicts();
    assert_eq!(conflicts, desk.conflicts());
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].path, "appointment.starts_at");
    let mut values: Vec<_> =
        conflicts[0].values.iter().map(|v| (v.by.as_str(), v.value.clone(), v.at)).collect();
    values.sort_by_key(|value| value.0);
    assert_eq!(
        values,
        [
            ("chen.jie", FieldValue::Time(NOW + 1), NOW + 5_000),
            ("lin.yue", FieldValue::Time(NOW + 2), NOW),
        ]
    );

    for pick in 0..2 {
        let (mut phone, mut desk) = (phone.clone(), desk.clone());
        let picked = &conflicts[0].values[pick];
        let resolve = Command::Resolve { path: conflicts[0].path.clone(), pick: picked.id.clone() };
        phone.apply(&resolve, &collector).expect("allowed").expect("a change");
        exchange(&mut phone, &mut desk);
        assert!(phone.conflicts().is_empty() && desk.conflicts().is_empty());
        let stands = desk.view().appointment.starts_at.map(FieldValue::Time);
        assert_eq!(stands.as_ref(), Some(&picked.value));
    }
}

#[test]
fn equal_values_written_apart_are_no_conflict() {
    let (mut phone, mut desk) = (scheduled(), scheduled());
    let place = Command::EditAppointment(AppointmentPatch {
        place: Some("the library".into()),
        ..Default::default()
    });
    phone.apply(&place, &author("chen.jie", Role::Collector, 1)).expect("allowed");
    desk.apply(&place, &office()).expect("allowed");
    exchange(&mut phone, &mut desk);
    assert!(phone.conflicts().is_empty());
}

#[test]
fn the_same_container_is_shared_by_both_sides() {
    let (mut phone, mut desk) = (created(), created());
    let raise = |note: &str| Command::RaiseHold {
        flag: Flag::Dispute,
        since: NOW,
        until: None,
        note: note.into(),
    };
    phone.apply(&raise("at the door"), &author("chen.jie", Role::Collector, 1)).expect("raised");
    desk.apply(&raise("by letter"), &office()).expect("raised");
    exchange(&mut phone, &mut desk);
    let mut notes: Vec<_> = phone.view().case.flags.into_iter().map(|flag| flag.note).collect();
    notes.sort();
    assert_eq!(notes, ["at the door", "by letter"]);
}

#[test]
fn notes_merge_by_character_against_what_the_writer_saw() {
    let (mut phone, mut desk) = (created(), created());
    let collector = author("chen.jie", Role::Collector, 1);
    note(&mut phone, &collector, "ring twice");
    exchange(&mut phone, &mut desk);
    let seen = phone.heads().to_hex();
    // Both write; the phone's page still shows the text that typing began from.
    note(&mut desk, &office(), "ring twice, 二楼");
    exchange(&mut phone, &mut desk);
    let edit = TextEdit { base: seen, text: "please ring twice".into() };
    phone.apply(&Command::EditNotes(edit), &collector).expect("allowed");
    exchange(&mut phone, &mut desk);
    assert_eq!(phone.view().notes, "please ring twice, 二楼");
    assert_eq!(desk.view().notes, phone.view().notes);
}

#[test]
fn text_written_after_concurrently_deleted_characters_keeps_its_position() {
    for (left, written, expected) in
        [("ring", "ring twice!", "ring!"), ("", "ring twice!", "!"), ("", "a ring twice", "a ")]
    {
        let (mut phone, mut desk) = (created(), created());
        let collector = author("chen.jie", Role::Collector, 1);
        note(&mut phone, &collector, "ring twice");
        exchange(&mut phone, &mut desk);
        let seen = phone.heads().to_hex();
        note(&mut desk, &office(), left);
        exchange(&mut phone, &mut desk);
        let edit = TextEdit { base: seen, text: written.into() };
        phone.apply(&Command::EditNotes(edit), &collector).expect("allowed");
        exchange(&mut phone, &mut desk);
        assert_eq!((phone.view().notes, desk.view().notes), (expected.into(), expected.into()));
    }
}

#[test]
fn a_text_grows_no_longer_than_it_may_be_and_can_always_be_made_shorter() {
    let (mut phone, mut desk) = (created(), created());
    let collector = author("chen.jie", Role::Collector, 1);
    let longest = "长".repeat(40_000);
    note(&mut phone, &collector, &longest);
    let edit = |record: &Record, text: String| {
        Command::EditNotes(TextEdit { base: record.heads().to_hex(), text })
    };
    let longer = edit(&phone, format!("{longest}长"));
    let error = phone.apply(&longer, &collector).expect_err("too long");
    assert_eq!((error.code(), error.path()), ("invalid_value", "notes"));
    assert_eq!(phone.view().notes, longest, "nothing was written");

    note(&mut desk, &office(), "two floors up");
    exchange(&mut phone, &mut desk);
    phone.validate().expect_err("too long together");
    let shorter = edit(&phone, "长".repeat(40_010));
    phone.apply(&shorter, &collector).expect("shorter than it was");
    let shorter = edit(&phone, "长".repeat(39_999));
    phone.apply(&shorter, &collector).expect("short enough");
    phone.validate().expect("valid");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn texts_written_apart_keep_every_character(
        base in "[a-c]{0,8}", left in "[d-f]{0,6}", right in "[g-i]{0,6}",
        at_left in 0usize..8, at_right in 0usize..8,
    ) {
        let (mut phone, mut desk) = (created(), created());
        let collector = author("chen.jie", Role::Collector, 1);
        note(&mut phone, &collector, &base);
        exchange(&mut phone, &mut desk);
        let insert = |at: usize, text: &str| {
            let mut whole = base.clone();
            whole.insert_str(at.min(base.len()), text);
            whole
        };
        let seen = phone.heads().to_hex();
        note(&mut desk, &office(), &insert(at_right, &right));
        exchange(&mut phone, &mut desk);
        let edit = TextEdit { base: seen, text: insert(at_left, &left) };
        phone.apply(&Command::EditNotes(edit), &collector).expect("allowed");
        exchange(&mut phone, &mut desk);
        let merged = phone.view().notes;
        prop_assert_eq!(&merged, &desk.view().notes);
        for part in [&base, &left, &right] {
            let mut rest = merged.chars();
            prop_assert!(part.chars().all(|c| rest.any(|m| m == c)), "{} lacks {}", merged, part);
        }
        prop_assert_eq!(merged.len(), base.len() + left.len() + right.len());
    }
}

// -- fixtures

fn exchange(one: &mut Record, other: &mut Record) {
    let missing = |from: &Record, to: &Record| {
        let heads = to.heads();
        let known: Vec<_> = heads
            .as_slice()
            .iter()
            .copied()
            .filter(|head| from.document().get_change_meta_by_hash(head).is_some())
            .collect();
        from.document().get_changes(&known)
    };
    other.apply_changes(missing(one, other)).expect("absorbed");
    one.apply_changes(missing(other, one)).expect("absorbed");
    assert_eq!(one.heads(), other.heads());
}

fn note(record: &mut Record, author: &Author, text: &str) {
    let edit = TextEdit { base: record.heads().to_hex(), text: text.into() };
    record.apply(&Command::EditNotes(edit), author).expect("allowed");
}
