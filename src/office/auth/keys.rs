//! Keys that devices sign seals with.

use ed25519_dalek::VerifyingKey;

use super::{Accounts, AuthError};
use crate::ids::DeviceId;

/// Keys of one device: a new one for each time that it lost its store.
const KEYS_OF_DEVICE: usize = 32;

impl Accounts {
    /// Enrols a public key, Ed25519, of a device that its user is signed in on. What is enrolled
    /// stays, since seals that were signed with it do.
    pub async fn enrol_key(&self, device: DeviceId, key: [u8; 32]) -> Result<(), AuthError> {
        let sound = VerifyingKey::from_bytes(&key).is_ok_and(|key| !key.is_weak());
        if !sound {
            return Err(AuthError::Invalid("this is no public key of Ed25519"));
        }
        let now = self.now();
        let enrolled = self.store.write(move |tx| {
            let keys = tx.device_keys(device)?;
            if keys.len() >= KEYS_OF_DEVICE && !keys.contains(&key) {
                return Ok(Err(AuthError::Invalid("this device has enrolled too many keys")));
            }
            Ok(Ok(tx.put_device_key(device, key, now)?))
        });
        enrolled.await?
    }
}
