//! Deleted entries of a feed are replaced by the remaining ones.

use doorstep::office::store::{EntryKind, FeedEntry, Writes};
use doorstep::sync::digest::Digest;

use super::samples::{Engine, id, record};

/// What the store answers about one record, beside every entry that was ever appended.
pub(super) fn a_record_with_many_changes_has_few_entries_and_nobody_is_sent_much_twice(
    engine: &Engine,
) {
    for seed in 0..8 {
        let (feed, record_id) = (format!("chen.jie{seed}"), id(u8::try_from(seed).unwrap() + 1));
        let appended = feed.clone();
        let append_all = move |tx: &mut dyn Writes| {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut all, mut ordinal, mut is_in) = (Vec::new(), 0, false);
            tx.put_record(record_id, &record("C-1", 1))?;
            for _ in 0..400 {
                ordinal += random.u64(1..if seed % 2 == 0 { 2 } else { 40 });
                let kind = match (is_in, random.u8(0..60)) {
                    (true, 0) => EntryKind::Withdrawn,
                    (true, _) => EntryKind::Changed,
                    (false, _) => EntryKind::Added,
                };
                is_in = kind != EntryKind::Withdrawn;
                let seq = tx.append(&appended, record_id, kind, ordinal, Digest::default())?;
                all.push(FeedEntry { seq, record: record_id, kind, ordinal });
            }
            Ok((all, ordinal))
        };
        let (all, ordinal) = engine.store.write_now(append_all).unwrap();
        let mut kept = Vec::new();
        let mut until = u64::MAX;
        engine
            .store
            .read_with(|reads| {
                assert_eq!(reads.entries_after(&feed, 0, 9)?, all[all.len() - 1..]);
                for expected in &all {
                    let found = reads.entry_at(&feed, record_id, expected.seq)?.unwrap();
                    let was_in = expected.kind != EntryKind::Withdrawn;
                    assert_eq!(found.kind != EntryKind::Withdrawn, was_in, "seed {seed}");
                    let (lacks, sent) = (ordinal - expected.ordinal, ordinal - found.ordinal);
                    assert!(sent <= 2 * lacks, "seed {seed}: {sent} instead of {lacks}");
                }
                while let Some(entry) = reads.entry_at(&feed, record_id, until)? {
                    until = entry.seq - 1;
                    kept.push(entry);
                }
                Ok(())
            })
            .unwrap();
        let forever = all.iter().filter(|entry| entry.kind != EntryKind::Changed).count();
        let fit = forever + 32 + 3 * ordinal.ilog2() as usize;
        assert!(kept.len() <= fit, "seed {seed}: {} of {}", kept.len(), all.len());
    }
}
