//! Support bundles: the office asks a phone for one, and the phone's user reads it before it is sent,
//! or declines.

use std::collections::BTreeMap;

use super::store::SupportRequest;
use super::{Office, OfficeError};
use crate::ids::DeviceId;
use crate::record::terms::Role;

/// Largest bundle; phones send about 20 KB.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024;

/// Why a request or an answer was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SupportRefusal {
    /// No collector uses such a device, or it was not asked for this.
    #[error("there is no such device or request")]
    Unknown,
    /// The bundle is empty, too large, or no text.
    #[error("a bundle is a text of at most {MAX_BUNDLE_BYTES} bytes")]
    Invalid,
}

impl Office {
    /// Asks a collector's device for a bundle. Replaces a former request; its bundle stays until
    /// another one arrives.
    pub async fn request_support(
        &self,
        device: DeviceId,
        id: [u8; 16],
        by: &str,
    ) -> Result<Result<(), SupportRefusal>, OfficeError> {
        let (now, by) = (self.now(), by.to_owned());
        let stored = self.store.write(move |tx| {
            let Some(known) = tx.device(device)?.filter(|known| known.revoked_at.is_none()) else {
                return Ok(Err(SupportRefusal::Unknown));
            };
            if tx.user(&known.user)?.is_none_or(|user| user.role != Role::Collector) {
                return Ok(Err(SupportRefusal::Unknown));
            }
            let before = tx.support_request(device)?;
            if before.as_ref().is_some_and(|before| before.id == id) {
                return Ok(Ok(()));
            }
            let request = SupportRequest {
                device,
                id,
                requested_by: by.clone(),
                requested_at: now,
                answered_at: None,
                declined: false,
                bundle_at: before.and_then(|before| before.bundle_at),
            };
            tx.put_support_request(&request, None)?;
            Ok(Ok(()))
        });
        Ok(stored.await?)
    }

    /// The request that a device has not answered, and the name of the person who asked.
    pub async fn pending_support(
        &self,
        device: DeviceId,
    ) -> Result<Option<(SupportRequest, String)>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| {
                let request = reads.support_request(device)?;
                let Some(request) = request.filter(|request| request.answered_at.is_none()) else {
                    return Ok(None);
                };
                let user = reads.user(&request.requested_by)?;
                let name =
                    user.map_or_else(|| request.requested_by.clone(), |user| user.display_name);
                Ok(Some((request, name)))
            })?)
        })
        .await
    }

    /// Stores the bundle that a device was asked for, or that its user declined. After a lost reply a
    /// phone asks its user again: a bundle that was sent outweighs a refusal.
    pub async fn answer_support(
        &self,
        device: DeviceId,
        id: [u8; 16],
        bundle: Option<String>,
    ) -> Result<Result<(), SupportRefusal>, OfficeError> {
        let unprintable = |c: char| c.is_control() && c != '\n';
        if bundle.as_ref().is_some_and(|text| {
            text.is_empty() || text.len() > MAX_BUNDLE_BYTES || text.contains(unprintable)
        }) {
            return Ok(Err(SupportRefusal::Invalid));
        }
        let now = self.now();
        let stored = self.store.write(move |tx| {
            let Some(request) = tx.support_request(device)?.filter(|request| request.id == id)
            else {
                return Ok(Err(SupportRefusal::Unknown));
            };
            let sent = request.answered_at.is_some() && !request.declined;
            if sent || (request.answered_at.is_some() && bundle.is_none()) {
                return Ok(Ok(()));
            }
            let request = SupportRequest {
                answered_at: Some(now),
                declined: bundle.is_none(),
                bundle_at: bundle.as_ref().map(|_| now).or(request.bundle_at),
                ..request
            };
            tx.put_support_request(&request, bundle.as_deref())?;
            Ok(Ok(()))
        });
        Ok(stored.await?)
    }

    /// The last request to each device.
    pub async fn support_requests(
        &self,
    ) -> Result<BTreeMap<DeviceId, SupportRequest>, OfficeError> {
        let requests = self
            .blocking(|office| Ok(office.store.read_with(|reads| reads.support_requests())?))
            .await?;
        Ok(requests.into_iter().map(|request| (request.device, request)).collect())
    }

    /// The last bundle of a device.
    pub async fn support_bundle(&self, device: DeviceId) -> Result<Option<String>, OfficeError> {
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.support_bundle(device))?)
        })
        .await
    }
}
