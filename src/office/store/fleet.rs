//! What devices report about themselves.

use super::StoreError;
use crate::ids::DeviceId;

/// A device's last report. Times are ms by the office's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// The device.
    pub device: DeviceId,
    /// When the report came.
    pub received_at: i64,
    /// Changes that the office has not confirmed.
    pub unsent: i64,
    /// When the oldest of them was made.
    pub oldest_unsent_at: Option<i64>,
    /// Whether the browser keeps the app's storage; `None` where it does not say.
    pub persisted: Option<bool>,
    /// Device clock minus office clock, ms.
    pub clock_skew_ms: Option<i64>,
    /// Failed rounds since the report before, by reason.
    pub failed: Vec<FailedRounds>,
    /// The newest entry of its user's feed that it had; `None` if it is unknown.
    pub cursor: Option<u64>,
}

/// Failed rounds with one reason.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FailedRounds {
    /// Code of the failure, such as offline.
    pub reason: String,
    /// How many.
    pub count: u32,
}

/// Reads of reports.
pub trait FleetReads {
    /// The last report of a device.
    fn device_report(&mut self, device: DeviceId) -> Result<Option<DeviceReport>, StoreError>;
    /// The last report of every device.
    fn device_reports(&mut self) -> Result<Vec<DeviceReport>, StoreError>;
}

/// Writes of reports.
pub trait FleetWrites {
    /// Sets the last report of an existing device.
    fn put_device_report(&mut self, report: &DeviceReport) -> Result<(), StoreError>;
}
