//! Properties of packing, and inputs that must be refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ids::RecordId;
use crate::sync::message::Push;

prop_compose! {
    /// A change, and whether it follows the one before it alone.
    fn change()(
        follows: bool,
        deps in vec(any::<[u8; 32]>(), 1..4),
        actor in vec(any::<u8>(), 0..30),
        seq: u64,
        start_op: u64,
        time: i64,
        message in vec(any::<u8>(), 0..20),
        others in vec(prop_oneof![vec(any::<u8>(), 0..30), Just(GENESIS_ACTOR.to_vec())], 0..4),
        columns in prop_oneof![vec(any::<u8>(), 0..80), vec((any::<u8>(), vec(any::<u8>(), 0..9)), 0..9).prop_map(content)],
    ) -> (bool, Vec<[u8; 32]>, Vec<u8>, u64, u64, i64, Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
        (follows, deps, actor, seq, start_op, time, message, others, columns)
    }
}

prop_compose! {
    /// Chunks of one record, with what is no change among them, and the hashes that they name.
    fn chunks()(
        changes in vec((change(), prop::option::weighted(0.1, vec(any::<u8>(), 0..40))), 0..8),
    ) -> (Vec<Vec<u8>>, Vec<ChangeHash>) {
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        let mut known = Vec::new();
        for (change, garbage) in changes {
            let (follows, deps, actor, seq, start_op, time, message, others, columns) = change;
            if let Some(garbage) = garbage {
                chunks.push(garbage);
                continue;
            }
            let mut deps: Vec<ChangeHash> = deps.into_iter().map(ChangeHash).collect();
            deps.sort_unstable();
            deps.dedup();
            match chunks.last() {
                Some(last) if follows => deps = vec![chunk::hash(last)],
                _ => known.extend(deps.clone()),
            }
            let parts = Parts {
                checksum: [0; 4],
                deps,
                actor: &actor,
                seq,
                start_op,
                time,
                message: &message,
                others: others.iter().map(Vec::as_slice).collect(),
                columns: &columns,
            };
            chunks.push(parts.build().0);
        }
        (chunks, known)
    }
}

/// A content as Automerge writes one.
fn content(columns: Vec<(u8, Vec<u8>)>) -> Vec<u8> {
    let mut content = Vec::new();
    chunk::write_unsigned(&mut content, columns.len() as u64);
    for (name, part) in &columns {
        chunk::write_unsigned(&mut content, u64::from(*name));
        chunk::write_unsigned(&mut content, part.len() as u64);
    }
    content.extend(columns.into_iter().flat_map(|(_, part)| part));
    content
}

fn find(known: &[ChangeHash], name: &Prefix) -> Option<ChangeHash> {
    known.iter().find(|hash| prefix(hash) == *name).copied()
}

proptest! {
    #[test]
    fn packed_changes_unpack_to_the_same((chunks, known) in chunks()) {
        let mut packer = Packer::default();
        let packed = packer.pack(chunks.iter().map(Vec::as_slice));
        let again = unpack(&packed, &packer.into_tables(), |name| find(&known, name));
        prop_assert_eq!(again, Ok(chunks));
    }

    #[test]
    fn a_damaged_change_does_not_unpack(
        (chunks, known) in chunks(),
        at: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let mut packer = Packer::default();
        let mut packed = packer.pack(chunks.iter().map(Vec::as_slice));
        let tables = packer.into_tables();
        let stripped: Vec<&mut Stripped> = packed
            .iter_mut()
            .filter_map(|one| match one {
                Packed::Stripped(change) if !change.columns.is_empty() => Some(&mut **change),
                Packed::Stripped(_) | Packed::Plain(_) => None,
            })
            .collect();
        prop_assume!(!stripped.is_empty());
        let place = at.index(stripped.len());
        let change = stripped.into_iter().nth(place).unwrap();
        change.columns[0] ^= 1 << bit;
        prop_assert!(unpack(&packed, &tables, |name| find(&known, name)).is_err());
    }

    #[test]
    fn encoded_changes_decode_to_the_same((chunks, _) in chunks(), extra in 0u8..3) {
        let changes = Packer::default().pack(chunks.iter().map(Vec::as_slice));
        let push = Push { record: RecordId([1; 16]), changes };
        let bytes = columns::to_vec(&push);
        prop_assert_eq!(columns::from_slice(&bytes).ok(), Some(push));
        // More than the expected number is refused like less.
        let longer = [bytes.clone(), vec![extra; 1]].concat();
        prop_assert!(columns::from_slice::<Push>(&longer).is_err());
        prop_assert!(columns::from_slice::<Push>(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn any_bytes_are_changes_or_an_error(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(Push { changes, .. }) = columns::from_slice(&bytes) {
            let _ = unpack(&changes, &Tables::default(), |_| Some(ChangeHash([7; 32])));
        }
        let _ = Parts::parse(&bytes);
    }
}

/// A change without own deps that expands to the size of its tables.
fn expanding(others: usize) -> Packed {
    Packed::Stripped(Box::new(Stripped {
        actor: 0,
        seq: 1,
        start_op: 1,
        time: 0,
        name: 0,
        deps: vec![[1; PREFIX]],
        others: vec![1; others],
        columns: vec![0],
        checksum: None,
    }))
}

#[test]
fn expansion_is_bounded() {
    let known = |_: &Prefix| Some(ChangeHash([1; 32]));
    for (actor, name, others) in [(1 << 20, 0, 0), (0, 1 << 20, 0), (24, 8, 1 << 20)] {
        let tables = Tables {
            actors: vec![vec![7; actor].into()],
            names: vec![vec![7; name].into()],
            time: 0,
        };
        let came = unpack(&[expanding(others)], &tables, known);
        assert_eq!(came, Err(Unpackable::Malformed), "{actor} {name} {others}");
    }
}

#[test]
fn what_does_not_come_back_or_comes_to_too_much_travels_plain() {
    let actors: Vec<Vec<u8>> = (0..=255).map(|n| vec![n; 24]).collect();
    let parts = |actor| Parts {
        checksum: [0; 4],
        deps: vec![ChangeHash([1; 32])],
        actor,
        seq: 1,
        start_op: 2,
        time: 3,
        message: b"chen.jie",
        others: actors.iter().map(Vec::as_slice).collect(),
        columns: &[0; 40],
    };
    let long = [1; 4096];
    let deps = vec![ChangeHash([2; 32]), ChangeHash([1; 32])];
    let out_of_order = Parts { deps, others: Vec::new(), ..parts(&[1; 24]) };
    let chunks = [parts(&[1; 24]), parts(&long), out_of_order].map(|parts| parts.build().0);
    let mut packer = Packer::default();
    let packed = packer.pack(chunks.iter().map(Vec::as_slice));
    assert!(packed.iter().all(|packed| matches!(packed, Packed::Plain(_))));
    let known = |_: &Prefix| Some(ChangeHash([1; 32]));
    assert_eq!(unpack(&packed, &packer.into_tables(), known), Ok(chunks.to_vec()));
}

#[test]
fn empty_contents_are_encoded() {
    for chunk in [vec![0], vec![], vec![1, 0x42, 0]] {
        let push = Push { record: RecordId([1; 16]), changes: vec![Packed::Plain(chunk)] };
        assert_eq!(columns::from_slice(&columns::to_vec(&push)).ok(), Some(push));
    }
}

#[test]
fn a_table_is_bounded() {
    let table =
        |places| Tables { actors: vec![ByteVec::from(vec![]); places], ..Tables::default() };
    for (places, fits) in [(MAX_TABLE, true), (MAX_TABLE + 1, false)] {
        let bytes = minicbor::to_vec(table(places)).unwrap();
        assert_eq!(minicbor::decode::<Tables>(&bytes).is_ok(), fits);
    }
}

#[test]
fn an_index_outside_the_table_is_an_error() {
    let mut packer = Packer::default();
    let parts = Parts {
        checksum: [0; 4],
        deps: vec![ChangeHash([1; 32])],
        actor: &[1; 24],
        seq: 1,
        start_op: 2,
        time: 3,
        message: b"chen.jie",
        others: Vec::new(),
        columns: &[0],
    };
    let mut chunk = parts.build().0;
    chunk[4] ^= 1;
    let packed = packer.pack([chunk.as_slice()]);
    // Its checksum is not right, so it travels plain; stripped by hand it is refused.
    assert!(matches!(packed[..], [Packed::Plain(_)]));
    let stripped = Packed::Stripped(Box::new(Stripped {
        actor: 9,
        seq: 1,
        start_op: 1,
        time: 0,
        name: 0,
        deps: vec![[1; PREFIX]],
        others: Vec::new(),
        columns: vec![0],
        checksum: None,
    }));
    let known = |_: &Prefix| Some(ChangeHash([1; 32]));
    assert_eq!(unpack(&[stripped], &Tables::default(), known), Err(Unpackable::Malformed));
    assert_eq!(unpack(&packed, &Tables::default(), known).map(|chunks| chunks.len()), Ok(1));
}
