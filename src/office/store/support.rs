//! Support bundles that the office asked phones for.

use super::StoreError;
use crate::ids::DeviceId;

/// The last request to a device. Times are ms by the office's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportRequest {
    /// The device.
    pub device: DeviceId,
    /// Made by the console, so that a repeated request is one.
    pub id: [u8; 16],
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: i64,
    /// When the device's user sent or declined.
    pub answered_at: Option<i64>,
    /// Whether the user declined.
    pub declined: bool,
    /// When the stored bundle arrived, for this request or an earlier one.
    pub bundle_at: Option<i64>,
}

/// Reads of requests.
pub trait SupportReads {
    /// The last request to a device.
    fn support_request(&mut self, device: DeviceId) -> Result<Option<SupportRequest>, StoreError>;
    /// The last request to every device that was asked.
    fn support_requests(&mut self) -> Result<Vec<SupportRequest>, StoreError>;
    /// The last bundle of a device.
    fn support_bundle(&mut self, device: DeviceId) -> Result<Option<String>, StoreError>;
}

/// Writes of requests.
pub trait SupportWrites {
    /// Sets the last request to an existing device. Without a bundle, the stored one stays.
    fn put_support_request(
        &mut self,
        request: &SupportRequest,
        bundle: Option<&str>,
    ) -> Result<(), StoreError>;
}
