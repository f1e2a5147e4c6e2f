//! The fleet: what devices report about themselves, and what they have not received.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::store::{DeviceReport, FailedRounds, Reads, StoreError};
use super::{Office, OfficeError};
use crate::ids::DeviceId;
use crate::sync::message::Cursor;

/// The form of a report that this version understands.
pub const REPORT_VERSION: u32 = 1;

/// A device may write a report this often, ms.
const LEAST_INTERVAL: i64 = 60_000;

/// Highest number and longest duration that a report can have, ms; the rest is invented.
const MOST: i64 = 1_000_000;
const LONGEST_MS: i64 = 10 * 365 * 24 * 3_600_000;

/// Reasons of failed rounds, as phones name them.
pub const REASONS: [&str; 11] = [
    "offline",
    "office_busy",
    "office_error",
    "malformed_reply",
    "malformed",
    "too_large",
    "unsupported_version",
    "signed_out",
    "other_workspace",
    "device_revoked",
    "other",
];

/// Cursors of the devices that were here since the start. In memory only: a write for each round
/// would cost more than the round.
#[derive(Default)]
pub(super) struct SeenCursors(Mutex<BTreeMap<DeviceId, Cursor>>);

impl SeenCursors {
    /// Remembers the cursor of a signed-in device.
    pub(super) fn put(&self, device: DeviceId, cursor: Cursor) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(device, cursor);
    }

    fn get(&self, device: DeviceId) -> Option<Cursor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&device).copied()
    }
}

/// What a device says about itself. Durations instead of times: its clock may be wrong.
#[derive(Debug, Clone)]
pub struct SelfReport {
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// Age of the oldest of them, ms.
    pub oldest_unsent_age_ms: Option<i64>,
    /// Whether the browser keeps the app's storage.
    pub persisted: Option<bool>,
    /// Device clock minus office clock, ms.
    pub clock_skew_ms: Option<i64>,
    /// Failed rounds since the report before, one entry a reason.
    pub failed: Vec<FailedRounds>,
}

impl Office {
    /// Stores what a device says about itself. A second report within a minute is dropped.
    pub async fn report_device(
        &self,
        device: DeviceId,
        report: SelfReport,
    ) -> Result<(), OfficeError> {
        let now = self.now();
        let seen = self.seen_cursors.get(device);
        let stored = self.store.write(move |tx| {
            let before = tx.device_report(device)?;
            let known = before.as_ref().and_then(|before| before.cursor);
            if before.is_some_and(|before| now.saturating_sub(before.received_at) < LEAST_INTERVAL)
            {
                return Ok(());
            }
            let epoch = tx.epoch()?;
            let cursor = seen.filter(|cursor| cursor.epoch == epoch).map(|cursor| cursor.seq);
            let age = report.oldest_unsent_age_ms.map(|age| age.clamp(0, LONGEST_MS));
            tx.put_device_report(&DeviceReport {
                device,
                received_at: now,
                unsent: report.unsent.clamp(0, MOST),
                oldest_unsent_at: age.map(|age| now - age),
                persisted: report.persisted,
                clock_skew_ms: report.clock_skew_ms.map(|ms| ms.clamp(-LONGEST_MS, LONGEST_MS)),
                failed: report.failed.clone(),
                cursor: cursor.or(known),
            })
        });
        Ok(stored.await?)
    }

    /// The reports of all devices, each with the number of its user's records that have changed
    /// and that it had not received when it was last here.
    pub async fn fleet(
        &self,
    ) -> Result<BTreeMap<DeviceId, (DeviceReport, Option<u64>)>, OfficeError> {
        self.blocking(|office| {
            Ok(office.store.read_with(|reads| {
                let epoch = reads.epoch()?;
                let mut fleet = BTreeMap::new();
                for report in reads.device_reports()? {
                    let seen = office.seen_cursors.get(report.device);
                    let seen = seen.filter(|cursor| cursor.epoch == epoch).map(|cursor| cursor.seq);
                    let undelivered = undelivered(reads, &report, seen)?;
                    fleet.insert(report.device, (report, undelivered));
                }
                Ok(fleet)
            })?)
        })
        .await
    }
}

fn undelivered(
    reads: &mut dyn Reads,
    report: &DeviceReport,
    seen: Option<u64>,
) -> Result<Option<u64>, StoreError> {
    let Some(cursor) = seen.or(report.cursor) else { return Ok(None) };
    let Some(device) = reads.device(report.device)? else { return Ok(None) };
    reads.count_after(&device.user, cursor).map(Some)
}
