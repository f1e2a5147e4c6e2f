//! Scrub: reads all attachments again, slowly, to find disk damage before the last phone has erased
//! its copy.

use std::time::Duration;

use super::BlobCheck;
use crate::ids::hex;
use crate::office::{Office, OfficeError};

/// Bytes after which a step ends.
const STEP_BYTES: u64 = 32 * 1024 * 1024;

/// Maximum number of blobs in a step: progress is stored once per step.
const STEP_BLOBS: u32 = 64;

/// Average read rate: about 80 GB a day, a fraction of a disk's bandwidth.
const BYTES_PER_SECOND: u64 = 1024 * 1024;

/// Minimum pause after a step, so that missing blobs don't make it spin.
const LEAST_PAUSE: Duration = Duration::from_secs(5);

/// Pause between two passes.
const BETWEEN_PASSES: Duration = Duration::from_secs(24 * 60 * 60);

/// What one step of a scrub found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubStep {
    /// Intact blobs.
    pub sound: u64,
    /// Damaged blobs.
    pub damaged: u64,
    /// Blobs that were complete and are gone.
    pub lost: u64,
    /// Bytes read.
    pub bytes: u64,
    /// The pass is complete: the next step starts another.
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
    /// Verifies the next few attachments. The progress of the pass is stored.
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
                    self.blob_store.report_damaged(&name);
                }
                // Unless it was swept meanwhile, or was never complete.
                BlobCheck::Missing if came && self.is_complete(name).await? => {
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

    async fn is_complete(&self, name: super::BlobName) -> Result<bool, OfficeError> {
        self.blocking(move |office| Ok(office.store.read_with(|reads| reads.blob(name))?.is_some()))
            .await
    }
}
