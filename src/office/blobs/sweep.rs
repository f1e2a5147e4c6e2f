//! Sweeping: deletes old blobs that nothing at the office names, and abandoned uploads.
//!
//! A blob is named by a record, or by work in quarantine: that can be accepted as long as it is
//! kept, and then the record names it. What quarantined work names is not indexed but looked for in
//! its bytes, so that work of every form and age counts and nothing has to be kept up.

use std::collections::BTreeSet;

use tokio_stream::StreamExt;

use crate::ids::unhex;
use crate::office::store::{BlobName, Reads, StoreError};
use crate::office::{Office, OfficeError};

/// How long a blob that nothing names, or an upload that does not go on, is kept, ms: a phone may
/// be without a network for weeks after its photos went out and before its record did.
const KEPT_UNNAMED: i64 = 60 * 24 * 60 * 60 * 1000;

/// Names that are looked up in one state of the store.
const BATCH: usize = 500;

/// Bytes of work in quarantine that are looked through in one state of the store.
const LOOKED_THROUGH: usize = 8 * 1024 * 1024;

/// Characters of a name, as changes write it.
const HEX: usize = 64;

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Pieces of uploads.
    pub pieces: u64,
    /// Whole blobs.
    pub blobs: u64,
}

impl Office {
    /// Takes away what is old and named by nothing.
    pub async fn sweep_blobs(&self) -> Result<SweepReport, OfficeError> {
        let before = self.now() - KEPT_UNNAMED;
        let pieces = self.store.write(move |tx| tx.drop_uploads_before(before)).await?;
        let unnamed = self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.unnamed_before(before))?)
        });
        let mut unnamed = BTreeSet::from_iter(unnamed.await?);
        // What lies there unknown: a crash came between the shelf and the store, or the store was
        // restored from before it.
        let mut old = self.blob_store.put_before(before);
        let mut batch = Vec::new();
        loop {
            let next = old.try_next().await?;
            let ended = next.is_none();
            batch.extend(next);
            if batch.len() == BATCH || ended {
                unnamed.extend(self.unknown(std::mem::take(&mut batch)).await?);
            }
            if ended {
                break;
            }
        }
        let (unnamed, reached) = self.without_quarantined(unnamed).await?;
        let mut blobs = 0;
        for name in unnamed {
            blobs += u64::from(self.sweep(name, before, reached).await?);
        }
        Ok(SweepReport { pieces, blobs })
    }

    /// Those of some names that the store does not know.
    async fn unknown(&self, names: Vec<BlobName>) -> Result<Vec<BlobName>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| {
                let mut unknown = Vec::new();
                for name in &names {
                    if reads.blob(*name)?.is_none() && reads.named(*name, None)?.is_none() {
                        unknown.push(*name);
                    }
                }
                Ok(unknown)
            })?)
        })
        .await
    }

    /// Those of some names that no work in quarantine has, and the last piece that was looked at.
    async fn without_quarantined(
        &self,
        mut names: BTreeSet<BlobName>,
    ) -> Result<(BTreeSet<BlobName>, u64), OfficeError> {
        let mut reached = 0;
        while !names.is_empty() {
            let (left, next) = self
                .blocking(move |office| {
                    let mut at = reached;
                    office.store.read_with(|reads| {
                        let mut room = LOOKED_THROUGH;
                        while room > 0
                            && let Some((id, changes)) = reads.refused_after(at)?
                        {
                            strike_out(&mut names, &changes);
                            (at, room) = (id, room.saturating_sub(changes.len()));
                        }
                        Ok(())
                    })?;
                    Ok((names, at))
                })
                .await?;
            names = left;
            if next == reached {
                break;
            }
            reached = next;
        }
        Ok((names, reached))
    }

    /// Looks again in the one writer, where nothing comes between: the row goes first, so that a
    /// blob that is named again meanwhile is missing, and asked for, and never half there. Work
    /// that came to quarantine after the piece `reached` is looked through too.
    async fn sweep(&self, name: BlobName, before: i64, reached: u64) -> Result<bool, OfficeError> {
        let _alone = self.blob_store.going.write().await;
        let unnamed = self
            .store
            .write(move |tx| {
                let young = tx.blob(name)?.is_some_and(|blob| blob.received_at >= before);
                let swept = !young
                    && tx.named(name, None)?.is_none()
                    && !is_quarantined_after(tx, name, reached)?;
                if swept {
                    tx.drop_blob(name)?;
                }
                Ok(swept)
            })
            .await?;
        if unnamed {
            self.blob_store.remove(&name).await?;
        }
        Ok(unnamed)
    }
}

fn is_quarantined_after(
    reads: &mut (impl Reads + ?Sized),
    name: BlobName,
    mut after: u64,
) -> Result<bool, StoreError> {
    let mut names = BTreeSet::from([name]);
    while let Some((id, changes)) = reads.refused_after(after)? {
        strike_out(&mut names, &changes);
        after = id;
    }
    Ok(names.is_empty())
}

/// Removes the names that occur in some bytes. A name may follow other hex digits directly, so every
/// offset is tried.
fn strike_out(names: &mut BTreeSet<BlobName>, bytes: &[u8]) {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let runs = bytes.split(|byte| !is_hex(byte)).filter(|run| run.len() >= HEX);
    for place in runs.flat_map(|run| run.windows(HEX)) {
        let name = std::str::from_utf8(place).ok().and_then(unhex);
        if let Some(name) = name.and_then(|name| BlobName::try_from(name).ok()) {
            names.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::hex;

    #[test]
    fn a_name_is_found_wherever_it_stands() {
        let (name, other) = ([0xab; 32], [0xcd; 32]);
        for around in [("", ""), ("@", "~"), ("cafe", "0"), ("é", "é"), ("ABC", "g")] {
            let mut names = BTreeSet::from([name, other]);
            let bytes = format!("{}{}{}", around.0, hex(&name), around.1);
            strike_out(&mut names, bytes.as_bytes());
            assert_eq!(names, BTreeSet::from([other]), "{around:?}");
        }
        let mut names = BTreeSet::from([name]);
        strike_out(&mut names, &hex(&name).as_bytes()[1..]);
        assert_eq!(names, BTreeSet::from([name]), "not whole");
    }
}
