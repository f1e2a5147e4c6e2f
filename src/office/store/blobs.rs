//! What is known of attachments' bytes: which records name them, and what came of uploads.

use super::StoreError;
use crate::ids::DeviceId;

/// SHA-256 of a blob's bytes: its name everywhere.
pub type BlobName = [u8; 32];

/// An attachment that a record names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobReference {
    /// Its name.
    pub name: BlobName,
    /// As the record says.
    pub media_type: String,
    /// Bytes, as the record says.
    pub size: i64,
    /// Who added it to the record.
    pub by: String,
}

/// A blob that is whole in the blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub name: BlobName,
    /// Bytes.
    pub size: u64,
    /// Which device brought it.
    pub device: DeviceId,
    /// Who.
    pub user: String,
    /// ms.
    pub received_at: i64,
}

/// A part of what one user may have at the office.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobShare {
    /// Blobs, or pieces of uploads.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Reads of blobs.
pub trait BlobReads {
    /// How many bytes of a blob a device has brought; they are the first ones.
    fn uploaded(&mut self, name: BlobName, device: DeviceId) -> Result<u64, StoreError>;
    /// The bytes of an upload, in order.
    fn upload(&mut self, name: BlobName, device: DeviceId) -> Result<Vec<u8>, StoreError>;
    /// What is stored of a user's uploads that are not whole, from all devices.
    fn uploading(&mut self, user: &str) -> Result<BlobShare, StoreError>;
    /// Whole blobs that a user brought first and no record names.
    fn unnamed_of(&mut self, user: &str) -> Result<BlobShare, StoreError>;
    /// A whole blob.
    fn blob(&mut self, name: BlobName) -> Result<Option<Blob>, StoreError>;
    /// Whole blobs that no record names, received before a time.
    fn unnamed_before(&mut self, at: i64) -> Result<Vec<BlobName>, StoreError>;
    /// Names that records have, and names of whole blobs, in order after one; with each whether the
    /// whole has come.
    fn blob_names(
        &mut self,
        after: Option<BlobName>,
        limit: u32,
    ) -> Result<Vec<(BlobName, bool)>, StoreError>;
    /// The last name that the scrub has read in this pass.
    fn scrubbed(&mut self) -> Result<Option<BlobName>, StoreError>;
    /// Whether a user had the bytes of a blob and brought them whole.
    fn brought_by(&mut self, name: BlobName, user: &str) -> Result<bool, StoreError>;
    /// What a record says of a blob that it names: any record, or one in a user's feed to which
    /// the office added the name, or somebody who brought the bytes.
    fn named(
        &mut self,
        name: BlobName,
        feed: Option<&str>,
    ) -> Result<Option<BlobReference>, StoreError>;
}

/// Writes of blobs.
pub trait BlobWrites {
    /// Adds bytes to an upload, behind those that are there.
    fn add_to_upload(
        &mut self,
        name: BlobName,
        device: DeviceId,
        first: u64,
        bytes: &[u8],
        at: i64,
    ) -> Result<(), StoreError>;
    /// Forgets an upload.
    fn drop_upload(&mut self, name: BlobName, device: DeviceId) -> Result<(), StoreError>;
    /// Forgets uploads of which nothing came since a time; gives how many rows went.
    fn drop_uploads_before(&mut self, at: i64) -> Result<u64, StoreError>;
    /// Keeps who brought a whole blob first, that this user did too, and when it came last.
    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError>;
    /// Forgets a whole blob.
    fn drop_blob(&mut self, name: BlobName) -> Result<(), StoreError>;
    /// Keeps how far the scrub is; nothing where its pass is over.
    fn set_scrubbed(&mut self, name: Option<BlobName>) -> Result<(), StoreError>;
}
