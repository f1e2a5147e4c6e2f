//! Outcomes of pushes and restores (rule R6), decisions on quarantined work, and revocation.
//! Refusals are values, not errors.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::StateToken;
use crate::ids::Heads;
use crate::types::TsType;

/// The outcome of a push or restore.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Durable at the office (rule D2).
    #[n(0)]
    Merged {
        /// For the office's state after the merge.
        #[n(0)]
        state_token: StateToken,
    },
    /// The office had all of it before.
    #[n(1)]
    Duplicate {
        /// For the office's state.
        #[n(0)]
        state_token: StateToken,
    },
    /// The office lacks dependencies: the device restores what follows `have`.
    #[n(2)]
    Missing {
        /// Heads of the office's copy; empty where it has no such record.
        #[n(0)]
        have: Heads,
    },
    /// Not accepted; in the office's quarantine under this number (rule M4).
    #[n(3)]
    Refused {
        /// Why.
        #[n(0)]
        code: RefusalCode,
        /// The path that may not be written; else empty.
        #[n(1)]
        path: String,
        /// One sentence for people.
        #[n(2)]
        message: String,
        /// Number in quarantine; 0 where it could not be quarantined.
        #[n(3)]
        quarantine: u64,
    },
    /// The record is no longer the device's; the pushed work is in quarantine (rule F1).
    #[n(4)]
    Withdrawn,
}

TsType! {
/// Why a push was refused: a stable word for programs and translations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The bytes are no change, or their checksum is wrong.
    #[n(0)]
    Malformed,
    /// A limit on size or number is exceeded.
    #[n(1)]
    TooLarge,
    /// A change has the actor of another device.
    #[n(2)]
    ForeignActor,
    /// The actor's sequence has a gap, or repeats with other content.
    #[n(3)]
    BrokenSequence,
    /// This role may not write a path at this stage.
    #[n(4)]
    NotAllowed,
    /// The merged record would not be a valid visit record.
    #[n(5)]
    InvalidRecord,
    /// The office has no such record, or it was never this user's.
    #[n(6)]
    UnknownRecord,
    /// The office has not attested the state to restore.
    #[n(7)]
    #[serde(rename = "not_vouched")]
    NotAttested,
    /// Not quarantined: the user's share of the quarantine is full (rule M4).
    #[n(8)]
    QuarantineFull,
    /// Neither the office nor the device has what the work builds on.
    #[n(9)]
    #[serde(rename = "without_past")]
    MissingDependencies,
    /// A signature is wrong, or by a key that the device did not enrol.
    #[n(10)]
    WrongSignature,
    /// The record is sealed at the office: the write came too late (rule M9).
    #[n(11)]
    Sealed,
}
}

impl RefusalCode {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::ForeignActor => "foreign_actor",
            Self::BrokenSequence => "broken_sequence",
            Self::NotAllowed => "not_allowed",
            Self::InvalidRecord => "invalid_record",
            Self::UnknownRecord => "unknown_record",
            Self::NotAttested => "not_vouched",
            Self::QuarantineFull => "quarantine_full",
            Self::MissingDependencies => "without_past",
            Self::WrongSignature => "wrong_signature",
            Self::Sealed => "sealed",
        }
    }
}

/// A supervisor's decision on quarantined work.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct QuarantineDecision {
    /// Its number in quarantine.
    #[n(0)]
    pub quarantine: u64,
    /// Accepted; otherwise dismissed.
    #[n(1)]
    pub accepted: bool,
    /// The supervisor's reason; may be empty where the work was accepted.
    #[n(2)]
    pub reason: String,
}

TsType! {
/// Why the office has revoked a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// The device itself was revoked.
    #[n(0)]
    DeviceRevoked,
    /// Its user was disabled.
    #[n(1)]
    UserDisabled,
}
}

impl Revocation {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeviceRevoked => "device_revoked",
            Self::UserDisabled => "user_disabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn every_code_has_one_word() {
        let mut index = 0;
        while let Ok(code) = minicbor::decode::<RefusalCode>(&[index]) {
            let word: StrDeserializer<'_, Error> = code.as_str().into_deserializer();
            assert_eq!(RefusalCode::deserialize(word), Ok(code));
            index += 1;
        }
        assert_eq!(index, 12);
    }
}
