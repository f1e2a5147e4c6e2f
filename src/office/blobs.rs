//! Attachments' bytes: resumable uploads, verification, downloads, deletion.
//!
//! A blob is named by the SHA-256 of its bytes. The [blob store](BlobStore) holds complete, verified
//! blobs only. The pieces of an upload are stored in the office's database, each durable before it is
//! acknowledged; with the last one the blob is assembled, verified and put into the blob store in one
//! step. A crash between any two of these leaves an upload that can be resumed, or is swept.
//!
//! A blob is visible to users who may see a record that refers to it; one without a reference is
//! visible to no user. Knowing a name grants nothing: a reference added by a collector who has not
//! uploaded the bytes does not count.

mod blob_store;
mod scrub;
mod sweep;
mod verified;

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio_stream::{Stream, StreamExt};

use super::store::{Blob, BlobName, BlobReference, BlobShare, StoreError, Writes};
use super::{Office, OfficeError, Session};
use crate::record::terms::Role;
pub use blob_store::{BlobBytes, BlobCheck, BlobStore};
pub use scrub::ScrubStep;
pub use sweep::SweepReport;
use verified::VerifiedBytes;

/// Maximum size of a blob: an hour of speech at 64 kbit/s is 28 MB, an unscaled photo a fifth of it.
pub const MAX_BLOB_BYTES: u64 = 32 * 1024 * 1024;

/// Maximum size of a piece: a scaled photo fits in one.
pub const MAX_PIECE_BYTES: u64 = 1024 * 1024;

/// Quota of a user's incomplete uploads, from all devices: a few interrupted recordings in pieces of
/// 16 KiB. Phones send 256 KiB.
const MAX_UPLOADING: BlobShare = BlobShare { count: 4_096, bytes: 2 * MAX_BLOB_BYTES };

/// Quota of a user's blobs without a reference, incomplete uploads included: their records arrive
/// before or soon after.
const MAX_UNREFERENCED: BlobShare = BlobShare { count: 4_096, bytes: 16 * MAX_BLOB_BYTES };

/// Allowed media types: none that a browser would execute.
pub const MEDIA_TYPES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/webp",
    "audio/webm",
    "audio/mp4",
    "audio/ogg",
    "audio/mpeg",
    "application/pdf",
];

/// A piece of an upload; without bytes it only asks for the upload's progress.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The blob.
    pub name: BlobName,
    /// Offset of the bytes.
    pub first: u64,
    /// Size of the whole blob.
    pub total: u64,
    /// At most [`MAX_PIECE_BYTES`].
    pub bytes: Vec<u8>,
}

/// Progress of an upload, or why a piece was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadOutcome {
    /// This many bytes are durable; the blob is incomplete.
    Received(u64),
    /// The blob is complete, verified and durable.
    Complete,
    /// The piece does not start where the upload ends: continue at this offset.
    WrongOffset(u64),
    /// The complete bytes don't match the name: they were deleted.
    HashMismatch,
    /// Blob or piece exceeds its maximum size.
    TooLarge,
    /// The user's quota of uploads or of blobs without a reference is used up.
    QuotaExceeded,
}

/// A blob to send.
pub struct Content {
    /// One of [`MEDIA_TYPES`]; `None` where the record states another one.
    pub media_type: Option<&'static str>,
    /// How many bytes it has.
    pub size: u64,
    /// All bytes. The stream fails before the last chunk if they don't match the name.
    pub bytes: Verified,
}

/// Bytes that are verified while they are sent.
pub type Verified = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Office {
    /// Stores a piece of an upload. The progress that it returns is durable.
    pub async fn upload_piece(
        &self,
        session: &Session,
        piece: Piece,
    ) -> Result<UploadOutcome, OfficeError> {
        let Piece { name, total, .. } = piece;
        if total == 0 || total > MAX_BLOB_BYTES || piece.bytes.len() as u64 > MAX_PIECE_BYTES {
            return Ok(UploadOutcome::TooLarge);
        }
        if self.is_complete_for(session, name).await? {
            return Ok(UploadOutcome::Complete);
        }
        let (sender, at) = (session.clone(), self.now());
        let outcome = self.store.write(move |tx| append_piece(tx, &sender, &piece, at)).await?;
        match outcome {
            UploadOutcome::Received(received) if received == total => {
                self.complete(session, name).await
            }
            outcome => Ok(outcome),
        }
    }

    /// A blob, if the user may see a record that refers to it and its upload is complete.
    pub async fn blob(
        &self,
        session: &Session,
        name: BlobName,
    ) -> Result<Option<Content>, OfficeError> {
        let feed = (session.role == Role::Collector).then(|| session.user.clone());
        let (named, stored) = self
            .blocking(move |office| {
                Ok(office.store.read_with(|reads| {
                    Ok((reads.named(name, feed.as_deref())?, reads.blob(name)?))
                })?)
            })
            .await?;
        let Some(BlobReference { media_type, .. }) = named else { return Ok(None) };
        let Some((size, bytes)) = self.blob_store.open(&name).await? else { return Ok(None) };
        let damaged = || StoreError::Damaged("an attachment is not what its name says".into());
        if stored.is_some_and(|stored| stored.size != size) {
            self.blob_store.report_damaged(&name);
            return Err(damaged().into());
        }
        let mut bytes = VerifiedBytes::new(self.blob_store.clone(), name, bytes);
        // A small blob is verified before the response starts.
        let first = bytes.next().await.unwrap_or_else(|| Ok(Bytes::new()));
        let first = first.map_err(|_| damaged())?;
        let media_type = MEDIA_TYPES.iter().copied().find(|known| *known == media_type);
        let bytes = Box::pin(tokio_stream::once(Ok(first)).chain(bytes));
        Ok(Some(Content { media_type, size, bytes }))
    }

    /// Whether a blob is complete, for a user who has uploaded it or may see it.
    async fn is_complete_for(
        &self,
        session: &Session,
        name: BlobName,
    ) -> Result<bool, OfficeError> {
        let user = session.user.clone();
        let may_know = self
            .blocking(move |office| {
                Ok(office.store.read_with(|reads| {
                    Ok(reads.brought_by(name, &user)? || reads.named(name, Some(&user))?.is_some())
                })?)
            })
            .await?;
        Ok(may_know && self.blob_store.is_whole(&name).await?)
    }

    /// Verifies a fully received upload and puts it into the blob store.
    async fn complete(
        &self,
        session: &Session,
        name: BlobName,
    ) -> Result<UploadOutcome, OfficeError> {
        let device = session.device;
        // The semaphore is never closed, and a sweep holds the lock for one blob at a time.
        let _permit =
            self.blob_store.assembly_permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let _guard = self.blob_store.removal_lock.read().await;
        // Hashing 32 MiB would block an async worker thread.
        let (bytes, right) = self
            .blocking(move |office| {
                let bytes = office.store.read_with(|reads| reads.upload(name, device))?;
                let right = <[u8; 32]>::from(Sha256::digest(&bytes)) == name;
                Ok((bytes, right))
            })
            .await?;
        let size = bytes.len() as u64;
        if right {
            // Delete the pieces only once the whole blob is durable.
            self.blob_store.put(&name, bytes).await?;
        }
        let blob = Blob { name, size, device, user: session.user.clone(), received_at: self.now() };
        let written = self.store.write(move |tx| {
            tx.drop_upload(name, device)?;
            if right { tx.put_blob(&blob) } else { Ok(()) }
        });
        written.await?;
        Ok(if right { UploadOutcome::Complete } else { UploadOutcome::HashMismatch })
    }
}

/// Appends a piece to an upload, if its offset and the user's quota allow it.
fn append_piece(
    tx: &mut dyn Writes,
    sender: &Session,
    piece: &Piece,
    at: i64,
) -> Result<UploadOutcome, StoreError> {
    let Piece { name, first, total, bytes } = piece;
    let device = sender.device;
    let received = tx.uploaded(*name, device)?;
    let length = bytes.len() as u64;
    if length == 0 {
        return Ok(UploadOutcome::Received(received));
    }
    if *first != received || received + length > *total {
        return Ok(UploadOutcome::WrongOffset(received));
    }
    let uploading = tx.uploading(&sender.user)?;
    let uploading = BlobShare { count: uploading.count + 1, bytes: uploading.bytes + length };
    let unnamed = tx.unnamed_of(&sender.user)?;
    let fits =
        |share: BlobShare, most: BlobShare| share.count <= most.count && share.bytes <= most.bytes;
    let unnamed = BlobShare { count: unnamed.count + 1, bytes: unnamed.bytes + uploading.bytes };
    if !fits(uploading, MAX_UPLOADING) || !fits(unnamed, MAX_UNREFERENCED) {
        return Ok(UploadOutcome::QuotaExceeded);
    }
    tx.add_to_upload(*name, device, received, bytes, at)?;
    Ok(UploadOutcome::Received(received + length))
}
