//! Sweep: deletes old blobs without a reference and abandoned uploads.
//!
//! References come from records and from quarantined work, which may still be accepted. Those of
//! quarantined work are not indexed: its bytes are searched, so that work of every format counts.

use std::collections::BTreeSet;

use tokio_stream::StreamExt;

use crate::ids::unhex;
use crate::office::store::{BlobName, Reads, StoreError};
use crate::office::{Office, OfficeError};

/// Retention of unreferenced blobs and stalled uploads, ms: a phone may go offline for weeks between
/// uploading its photos and pushing its record.
const RETENTION_MS: i64 = 60 * 24 * 60 * 60 * 1000;

/// Names that are looked up in one snapshot.
const BATCH: usize = 500;

/// Bytes of quarantined work that are searched in one snapshot.
const SEARCH_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Length of a name in a change, hex digits.
const HEX: usize = 64;

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Pieces of uploads.
    pub pieces: u64,
    /// Complete blobs.
    pub blobs: u64,
}

impl Office {
    /// Deletes old blobs without a reference and stalled uploads.
    pub async fn sweep_blobs(&self) -> Result<SweepReport, OfficeError> {
        let before = self.now() - RETENTION_MS;
        let pieces = self.store.write(move |tx| tx.drop_uploads_before(before)).await?;
        let unnamed = self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.unnamed_before(before))?)
        });
        let mut unnamed = BTreeSet::from_iter(unnamed.await?);
        // Blobs without a row: after a crash between the two writes, or a restored database.
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

    /// Those of the names without a row and without a reference.
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

    /// Those of the names that no quarantined work contains, and the last piece that was searched.
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
                        let mut room = SEARCH_BATCH_BYTES;
                        while room > 0
                            && let Some((id, changes)) = reads.refused_after(at)?
                        {
                            remove_found(&mut names, &changes);
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

    /// Checks again in the writer, without races, and deletes. The row goes first: if a reference is
    /// added meanwhile, the blob counts as missing and is uploaded again. Work quarantined after the
    /// piece `reached` is searched too.
    async fn sweep(&self, name: BlobName, before: i64, reached: u64) -> Result<bool, OfficeError> {
        let _guard = self.blob_store.removal_lock.write().await;
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
        remove_found(&mut names, &changes);
        after = id;
    }
    Ok(names.is_empty())
}

/// Removes the names that occur in some bytes. A name may follow other hex digits directly, so every
/// offset is tried.
fn remove_found(names: &mut BTreeSet<BlobName>, bytes: &[u8]) {
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
    fn a_name_is_found_at_every_offset() {
        let (name, other) = ([0xab; 32], [0xcd; 32]);
        for around in [("", ""), ("@", "~"), ("cafe", "0"), ("é", "é"), ("ABC", "g")] {
            let mut names = BTreeSet::from([name, other]);
            let bytes = format!("{}{}{}", around.0, hex(&name), around.1);
            remove_found(&mut names, bytes.as_bytes());
            assert_eq!(names, BTreeSet::from([other]), "{around:?}");
        }
        let mut names = BTreeSet::from([name]);
        remove_found(&mut names, &hex(&name).as_bytes()[1..]);
        assert_eq!(names, BTreeSet::from([name]), "not whole");
    }
}
