//! Sweeping: what no record came to name, and uploads that nobody goes on with.

use tokio_stream::StreamExt;

use crate::office::store::BlobName;
use crate::office::{Office, OfficeError};

/// How long a blob that no record names, or an upload that does not go on, is kept, ms: a phone may
/// be without a network for weeks after its photos went out and before its record did.
const KEPT_UNNAMED: i64 = 60 * 24 * 60 * 60 * 1000;

/// Names that are looked up in one state of the store.
const BATCH: usize = 500;

/// What a sweep took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pieces of uploads.
    pub pieces: u64,
    /// Whole blobs.
    pub blobs: u64,
}

impl Office {
    /// Takes away what is old and named by no record.
    pub async fn sweep_blobs(&self) -> Result<Swept, OfficeError> {
        let before = self.now() - KEPT_UNNAMED;
        let pieces = self.store.write(move |tx| tx.drop_uploads_before(before)).await?;
        let mut blobs = 0;
        for name in self
            .blocking(move |office| Ok(office.store.look(|reads| reads.unnamed_before(before))?))
            .await?
        {
            blobs += u64::from(self.sweep(name, before).await?);
        }
        // What lies there unknown: a crash came between the shelf and the store, or the store was
        // restored from before it.
        let mut old = self.shelf.put_before(before);
        let mut batch = Vec::new();
        loop {
            let next = old.try_next().await?;
            let ended = next.is_none();
            batch.extend(next);
            if batch.len() == BATCH || ended {
                for name in self.unknown(std::mem::take(&mut batch)).await? {
                    blobs += u64::from(self.sweep(name, before).await?);
                }
            }
            if ended {
                return Ok(Swept { pieces, blobs });
            }
        }
    }

    /// Those of some names that the store does not know.
    async fn unknown(&self, names: Vec<BlobName>) -> Result<Vec<BlobName>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.look(|reads| {
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

    /// Looks again in the one writer, where nothing comes between: the row goes first, so that a
    /// blob that is named again meanwhile is missing, and asked for, and never half there.
    async fn sweep(&self, name: BlobName, before: i64) -> Result<bool, OfficeError> {
        let _alone = self.shelf.going.write().await;
        let unnamed = self
            .store
            .write(move |tx| {
                let young = tx.blob(name)?.is_some_and(|blob| blob.received_at >= before);
                let swept = !young && tx.named(name, None)?.is_none();
                if swept {
                    tx.drop_blob(name)?;
                }
                Ok(swept)
            })
            .await?;
        if unnamed {
            self.shelf.remove(&name).await?;
        }
        Ok(unnamed)
    }
}
