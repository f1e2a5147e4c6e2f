//! The device's store: batches of writes, loading, encryption at rest, keys and the rescue file.

pub(super) mod causal;
pub(super) mod journal;
pub mod keyring;
pub(super) mod loading;
pub mod rescue;
pub mod vault;

use minicbor::Encode;

/// Bytes of a row.
pub(super) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    if minicbor::encode(value, &mut bytes).is_err() {
        unreachable!("encoding into memory cannot fail");
    }
    bytes
}
