//! Attachments' bytes: which records refer to them, and the state of uploads.

use super::StoreError;
use crate::ids::DeviceId;

/// A blob's name: the SHA-256 of its bytes.
pub type BlobName = [u8; 32];

/// A record's reference to a blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobReference {
    /// Its name.
    pub name: BlobName,
    /// Media type, as the record states it.
    pub media_type: String,
    /// Size in bytes, as the record states it.
    pub size: i64,
    /// Who added it to the record.
    pub by: String,
}

/// A complete blob in the blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub name: BlobName,
    /// Bytes.
    pub size: u64,
    /// The device that uploaded it first.
    pub device: DeviceId,
    /// The user who uploaded it first.
    pub user: String,
    /// ms.
    pub received_at: i64,
}

/// Part of a user's quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobShare {
    /// Blobs, or pieces of uploads.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Reads of blobs.
pub trait BlobReads {
    /// Length of the prefix of a blob that a device has uploaded.
    fn uploaded(&mut self, name: BlobName, device: DeviceId) -> Result<u64, StoreError>;
    /// The bytes of an upload, in order.
    fn upload(&mut self, name: BlobName, device: DeviceId) -> Result<Vec<u8>, StoreError>;
    /// A user's incomplete uploads, from all devices.
    fn uploading(&mut self, user: &str) -> Result<BlobShare, StoreError>;
    /// Complete blobs that a user uploaded first and no record refers to.
    fn unnamed_of(&mut self, user: &str) -> Result<BlobShare, StoreError>;
    /// A complete blob.
    fn blob(&mut self, name: BlobName) -> Result<Option<Blob>, StoreError>;
    /// Complete blobs that no record refers to, received before a time.
    fn unnamed_before(&mut self, at: i64) -> Result<Vec<BlobName>, StoreError>;
    /// Names that records refer to and names of complete blobs, in order, after `after`; with each
    /// whether it is complete.
    fn blob_names(
        &mut self,
        after: Option<BlobName>,
        limit: u32,
    ) -> Result<Vec<(BlobName, bool)>, StoreError>;
    /// The last name that the current scrub pass has read.
    fn scrubbed(&mut self) -> Result<Option<BlobName>, StoreError>;
    /// Whether a user has uploaded a blob completely.
    fn brought_by(&mut self, name: BlobName, user: &str) -> Result<bool, StoreError>;
    /// A record's reference to a blob. With `feed`, only a record in that user's feed counts, and
    /// only a reference added by the office or by a user who has uploaded the bytes.
    fn named(
        &mut self,
        name: BlobName,
        feed: Option<&str>,
    ) -> Result<Option<BlobReference>, StoreError>;
}

/// Writes of blobs.
pub trait BlobWrites {
    /// Appends bytes to an upload.
    fn add_to_upload(
        &mut self,
        name: BlobName,
        device: DeviceId,
        first: u64,
        bytes: &[u8],
        at: i64,
    ) -> Result<(), StoreError>;
    /// Deletes an upload.
    fn drop_upload(&mut self, name: BlobName, device: DeviceId) -> Result<(), StoreError>;
    /// Deletes uploads that received nothing since a time; gives the number of rows.
    fn drop_uploads_before(&mut self, at: i64) -> Result<u64, StoreError>;
    /// Records a complete upload: the first uploader stays, this user is added to the uploaders, and
    /// the time of receipt is updated.
    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError>;
    /// Deletes a complete blob's row.
    fn drop_blob(&mut self, name: BlobName) -> Result<(), StoreError>;
    /// Saves the progress of the scrub; `None` at the end of a pass.
    fn set_scrubbed(&mut self, name: Option<BlobName>) -> Result<(), StoreError>;
}
