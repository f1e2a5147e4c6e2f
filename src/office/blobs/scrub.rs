//! Scrubbing: all attachments are read again, slowly, to find what a disk has damaged before the
//! last phone has erased its copy.

use std::time::Duration;

use super::BlobCheck;
use crate::ids::hex;
use crate::office::{Office, OfficeError};

/// Bytes read in one step at the most, but for the last blob of it.
const STEP_BYTES: u64 = 32 * 1024 * 1024;

/// Blobs in one step at the most: where the pass stands is written once a step.
const STEP_BLOBS: u32 = 64;

/// Bytes read in a second on average. Some 80 GB a day, and little of what a disk gives.
const BYTES_PER_SECOND: u64 = 1024 * 1024;

/// Pause after each step whatever it read, so that missing blobs don't make it spin.
const LEAST_PAUSE: Duration = Duration::from_secs(5);

/// Pause between two passes.
const BETWEEN_PASSES: Duration = Duration::from_secs(24 * 60 * 60);

/// What one step of a scrub found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubStep {
    /// Blobs that are what their names say.
    pub sound: u64,
    /// Blobs that are not.
    pub damaged: u64,
    /// Blobs that had come whole and are gone.
    pub lost: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The pass is over: the next step begins another.
    pub ended: bool,
}

impl ScrubStep {
    /// How long to wait before the next step.
    pub fn pause(&self) -> Duration {
        if self.ended {
            return BETWEEN_PASSES;
        }
        Duration::from_secs(self.bytes / BYTES_PER_SECOND).max(LEAST_PAUSE)
    }
}

impl Office {
    /// Reads the next few attachments and compares them with their names. Where the pass stands is
    /// kept in the store.
    pub async fn scrub_blobs(&self) -> Result<ScrubStep, OfficeError> {
        let names = self
            .blocking(|office| {
                Ok(office.store.read_with(|reads| {
                    let after = reads.scrubbed()?;
                    reads.blob_names(after, STEP_BLOBS)
                })?)
            })
            .await?;
        let mut step =
            ScrubStep { ended: names.len() < STEP_BLOBS as usize, ..ScrubStep::default() };
        let mut last = None;
        for (name, came) in names {
            if step.bytes >= STEP_BYTES {
                step.ended = false;
                break;
            }
            match self.blob_store.check(&name).await? {
                BlobCheck::Sound(size) => {
                    step.sound += 1;
                    step.bytes += size;
                }
                BlobCheck::Damaged => {
                    step.damaged += 1;
                    self.blob_store.found_damaged(&name);
                }
                // It may be swept meanwhile, or its phone has not brought it yet.
                BlobCheck::Missing if came && self.has_come(name).await? => {
                    step.lost += 1;
                    metrics::counter!("doorstep_blobs_lost_total").increment(1);
                    tracing::error!(sha256 = hex(&name), "an attachment is gone from where it was");
                }
                BlobCheck::Missing => {}
            }
            metrics::counter!("doorstep_blobs_scrubbed_total").increment(1);
            last = Some(name);
        }
        let reached = last.filter(|_| !step.ended);
        self.store.write(move |tx| tx.set_scrubbed(reached)).await?;
        Ok(step)
    }

    async fn has_come(&self, name: super::BlobName) -> Result<bool, OfficeError> {
        self.blocking(move |office| Ok(office.store.read_with(|reads| reads.blob(name))?.is_some()))
            .await
    }
}
