//! Verifies a blob's bytes while they are sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio_stream::Stream;

use super::blob_store::{BlobBytes, BlobStore};
use crate::office::store::BlobName;

/// Delays the stream by one chunk: the last chunk is sent only after all bytes were verified. A
/// complete response is therefore correct, and hashing keeps pace with the network.
pub(super) struct VerifiedBytes {
    blob_store: BlobStore,
    name: BlobName,
    bytes: BlobBytes,
    hash: Sha256,
    held: Option<Bytes>,
    ended: bool,
}

impl VerifiedBytes {
    pub(super) fn new(blob_store: BlobStore, name: BlobName, bytes: BlobBytes) -> Self {
        Self { blob_store, name, bytes, hash: Sha256::new(), held: None, ended: false }
    }

    fn end(&mut self) -> Option<io::Result<Bytes>> {
        self.ended = true;
        let hash = std::mem::take(&mut self.hash).finalize();
        if <[u8; 32]>::from(hash) == self.name {
            return self.held.take().map(Ok);
        }
        self.blob_store.report_damaged(&self.name);
        Some(Err(io::Error::new(io::ErrorKind::InvalidData, "an attachment is damaged")))
    }
}

impl Stream for VerifiedBytes {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.ended {
            match ready!(self.bytes.as_mut().poll_next(context)) {
                Some(Ok(chunk)) => {
                    self.hash.update(&chunk);
                    if let Some(before) = self.held.replace(chunk) {
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => return Poll::Ready(self.end()),
            }
        }
        Poll::Ready(None)
    }
}
