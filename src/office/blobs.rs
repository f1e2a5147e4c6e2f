//! Attachments' bytes: taken in pieces, verified, kept, handed out, swept.
//!
//! A blob is named by the SHA-256 of its bytes and lies in the [blob store](BlobStore), which holds
//! whole, verified blobs and nothing else. Pieces of an upload wait in the office's own store,
//! each durable before it is acknowledged, invisible to everybody; with the last one the whole is
//! put together, verified and put on the shelf in one step. A crash between any two of these
//! leaves an upload that goes on, or one that is swept.
//!
//! Who may see a blob follows from who may see a record that names it. One that no record names
//! is seen by nobody. A name alone opens nothing: where a collector adds one to a record without
//! having brought the bytes, the record shows nothing to its collectors.

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

/// The largest blob: an hour of speech at 64 kbit/s is 28 MB, a photo of a phone's camera a fifth
/// of it even where it was not made smaller.
pub const MAX_BLOB_BYTES: u64 = 32 * 1024 * 1024;

/// The largest piece of an upload: a photo made small goes in one.
pub const MAX_PIECE_BYTES: u64 = 1024 * 1024;

/// What one user may have under way, from all devices: a few recordings that a bad link keeps
/// cutting, in pieces of 16 KiB. Phones send 256 KiB.
const MOST_UNDER_WAY: BlobShare = BlobShare { count: 4_096, bytes: 2 * MAX_BLOB_BYTES };

/// What one user may have here that no record names, uploads under way included: records come
/// before or soon after.
const MOST_UNNAMED: BlobShare = BlobShare { count: 4_096, bytes: 16 * MAX_BLOB_BYTES };

/// What attachments may be. Nothing that a browser would run.
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

/// A piece of an upload, or with no bytes the question how far it is.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Which blob.
    pub name: BlobName,
    /// Where the bytes begin.
    pub first: u64,
    /// How long the whole is.
    pub total: u64,
    /// At most [`MAX_PIECE_BYTES`].
    pub bytes: Vec<u8>,
}

/// How far an upload is, or why a piece was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadOutcome {
    /// So many bytes are durable; the whole is not here.
    Received(u64),
    /// The whole is here, verified and durable.
    Complete,
    /// The piece does not follow what is here: go on from there.
    WrongOffset(u64),
    /// The whole came and is not what its name says: it was dropped.
    HashMismatch,
    /// Larger than a blob, or a piece, may be.
    TooLarge,
    /// The user has too much under way, or here that no record names.
    QuotaExceeded,
}

/// A blob that is handed out.
pub struct Content {
    /// One of [`MEDIA_TYPES`], or none of them known.
    pub media_type: Option<&'static str>,
    /// How many bytes it has.
    pub size: u64,
    /// All of them. Where they are not what the name says they fail before the last ones.
    pub bytes: Verified,
}

/// Bytes that are compared with their name on the way.
pub type Verified = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Office {
    /// Takes a piece of an upload. What is answered is durable.
    pub async fn upload_piece(
        &self,
        session: &Session,
        piece: Piece,
    ) -> Result<UploadOutcome, OfficeError> {
        let Piece { name, total, .. } = piece;
        if total == 0 || total > MAX_BLOB_BYTES || piece.bytes.len() as u64 > MAX_PIECE_BYTES {
            return Ok(UploadOutcome::TooLarge);
        }
        if self.is_here_for(session, name).await? {
            return Ok(UploadOutcome::Complete);
        }
        let (sender, at) = (session.clone(), self.now());
        let taken = self.store.write(move |tx| add(tx, &sender, &piece, at)).await?;
        match taken {
            UploadOutcome::Received(received) if received == total => {
                self.complete(session, name).await
            }
            taken => Ok(taken),
        }
    }

    /// A blob for somebody who may see a record that names it; `None` to anybody else, and where
    /// it has not come yet.
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
            self.blob_store.found_damaged(&name);
            return Err(damaged().into());
        }
        let mut bytes = VerifiedBytes::new(self.blob_store.clone(), name, bytes);
        // A small blob is verified before the answer begins.
        let first = bytes.next().await.unwrap_or_else(|| Ok(Bytes::new()));
        let first = first.map_err(|_| damaged())?;
        let media_type = MEDIA_TYPES.iter().copied().find(|known| *known == media_type);
        let bytes = Box::pin(tokio_stream::once(Ok(first)).chain(bytes));
        Ok(Some(Content { media_type, size, bytes }))
    }

    /// Whether a blob is here whole, as far as the sender may know: they brought it, or may see it.
    async fn is_here_for(&self, session: &Session, name: BlobName) -> Result<bool, OfficeError> {
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

    /// All bytes are here: verifies them and puts them on the shelf.
    async fn complete(
        &self,
        session: &Session,
        name: BlobName,
    ) -> Result<UploadOutcome, OfficeError> {
        let device = session.device;
        // Neither is ever closed, and a sweep takes away one blob at a time.
        let _place = self.blob_store.places.acquire().await.map_err(|_| StoreError::Closed)?;
        let _stays = self.blob_store.going.read().await;
        // Hashing 32 MiB takes too long for a thread that others share.
        let (bytes, right) = self
            .blocking(move |office| {
                let bytes = office.store.read_with(|reads| reads.upload(name, device))?;
                let right = <[u8; 32]>::from(Sha256::digest(&bytes)) == name;
                Ok((bytes, right))
            })
            .await?;
        let size = bytes.len() as u64;
        if right {
            // On the shelf first: the pieces go only once the whole is durable.
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

/// Adds a piece to an upload, where it follows and there is room.
fn add(
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
    let under_way = tx.uploading(&sender.user)?;
    let under_way = BlobShare { count: under_way.count + 1, bytes: under_way.bytes + length };
    let unnamed = tx.unnamed_of(&sender.user)?;
    let fits =
        |share: BlobShare, most: BlobShare| share.count <= most.count && share.bytes <= most.bytes;
    let unnamed = BlobShare { count: unnamed.count + 1, bytes: unnamed.bytes + under_way.bytes };
    if !fits(under_way, MOST_UNDER_WAY) || !fits(unnamed, MOST_UNNAMED) {
        return Ok(UploadOutcome::QuotaExceeded);
    }
    tx.add_to_upload(*name, device, received, bytes, at)?;
    Ok(UploadOutcome::Received(received + length))
}
