//! Attests with MACs under the office's key: states of records (rule P3), enrolments (rule I1).
//!
//! Each state that a device is told of comes with a state token that only this office can make. A
//! restored office accepts lost states back from devices if their tokens are valid. The heads are
//! hashes over all changes that led to them, so nothing can be added.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

use crate::ids::{DeviceId, Heads, RecordId};
use crate::sync::message::{StateMac, StateToken};

/// Proof that a device was enrolled for a user.
pub type EnrolmentProof = [u8; 32];

/// Makes and verifies MACs.
#[derive(Clone)]
pub(super) struct Attestor(Hmac<Sha256>);

impl Attestor {
    pub(super) fn new(key: [u8; 32]) -> Self {
        // The HMAC block is longer than the key.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&key);
        Self(Hmac::new(&block.into()))
    }

    /// The token that a user's devices get with a state.
    pub(super) fn state_token(&self, user: &str, record: RecordId, heads: &Heads) -> StateToken {
        let code = self.over(user, record, heads).finalize().into_bytes();
        let mut mac = StateMac::default();
        mac.iter_mut().zip(code).for_each(|(byte, code)| *byte = code);
        StateToken::new(record, heads, mac)
    }

    /// Whether a MAC is valid for this user and state; in constant time.
    pub(super) fn verify(
        &self,
        user: &str,
        record: RecordId,
        heads: &Heads,
        mac: &StateMac,
    ) -> bool {
        self.over(user, record, heads).verify_truncated_left(mac).is_ok()
    }

    /// The key of a device's escrow (docs/SECURITY.md, "On the phone"): derived each time, stored
    /// nowhere, and the same in a restored office.
    pub(super) fn escrow(&self, device: DeviceId) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(b"doorstep escrow 1");
        mac.update(&device.0);
        mac.finalize().into_bytes().into()
    }

    /// The key of cookies of sign-ins at the identity provider, the same at all endpoints.
    pub(super) fn sign_in_key(&self) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(b"doorstep sign-in 1");
        mac.finalize().into_bytes().into()
    }

    /// Proof that this office enrolled a device for a user. A restored office that does not know
    /// the device makes the same proof, since the key is part of backups (rule I1).
    pub(super) fn enrolment(&self, device: DeviceId, user: &str) -> EnrolmentProof {
        self.over_enrolment(device, user).finalize().into_bytes().into()
    }

    /// Whether a proof is valid for this device and user; in constant time.
    pub(super) fn is_enrolment(
        &self,
        device: DeviceId,
        user: &str,
        proof: &EnrolmentProof,
    ) -> bool {
        self.over_enrolment(device, user).verify_slice(proof).is_ok()
    }

    /// A candidate for the key by which push services know the office: derived, so that no backup
    /// lacks it.
    pub(super) fn push_key(&self, candidate: u8) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(b"doorstep push key 1");
        mac.update(&[candidate]);
        mac.finalize().into_bytes().into()
    }

    /// A number that the office alone can compute, evenly spread over records: the draw for audits.
    pub(super) fn audit_draw(&self, record: RecordId) -> u32 {
        let mut mac = self.0.clone();
        mac.update(b"doorstep audit draw 1");
        mac.update(&record.0);
        mac.finalize().into_bytes().first_chunk().copied().map_or(0, u32::from_be_bytes)
    }

    fn over_enrolment(&self, device: DeviceId, user: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(b"doorstep enrolment 1");
        mac.update(&device.0);
        mac.update(user.as_bytes());
        mac
    }

    fn over(&self, user: &str, record: RecordId, heads: &Heads) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(b"doorstep state 1");
        mac.update(&record.0);
        mac.update(&(user.len() as u64).to_be_bytes());
        mac.update(user.as_bytes());
        heads.as_slice().iter().for_each(|head| mac.update(&head.0));
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{hex, unhex};
    use serde_json::Value;

    /// The test vectors of docs/SYNC.md that need the office's key.
    #[test]
    fn tokens_and_proofs_are_those_of_the_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/data/vectors/sync-3.json")).unwrap();
        let bytes = |vector: &Value, name: &str| unhex(vector[name].as_str().unwrap()).unwrap();
        let attestor = |vector| Attestor::new(bytes(vector, "key").try_into().unwrap());
        let user = |vector: &Value| vector["user"].as_str().unwrap().to_owned();

        let vector = &vectors["state_token"];
        let record = RecordId(bytes(vector, "record").try_into().unwrap());
        let heads: Vec<String> = serde_json::from_value(vector["heads"].clone()).unwrap();
        let token =
            attestor(vector).state_token(&user(vector), record, &Heads::from_hex(&heads).unwrap());
        // A CBOR byte string of 12 bytes.
        let expected = [vec![0x4c], bytes(vector, "token")].concat();
        assert_eq!(minicbor::to_vec(token).unwrap(), expected);

        let vector = &vectors["enrolment_proof"];
        let device = DeviceId(bytes(vector, "device").try_into().unwrap());
        let proof = attestor(vector).enrolment(device, &user(vector));
        assert_eq!(hex(&proof), vector["proof"]);
    }
}
