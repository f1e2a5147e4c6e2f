//! What can be wrong with a record, in the store and as the list names it.

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use crate::sync::message::{Outcome, RefusalCode};
use crate::types::TsType;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Problem {
    /// Chunks are damaged or missing; the device asks for the office's copy.
    #[n(0)]
    Damaged,
    /// The office refused a push.
    #[n(1)]
    Refused {
        #[n(0)]
        reason: RefusalReason,
        /// The path that may not be written; else empty.
        #[n(1)]
        path: String,
        /// The office's sentence.
        #[n(2)]
        message: String,
        /// Its number in the office's quarantine, if it is there.
        #[n(3)]
        quarantine: Option<u64>,
        /// The decision on it, once there is one.
        #[n(4)]
        decided: Option<Decision>,
        /// The last outbox number of the refused push. Later changes are still sent, so that the
        /// office quarantines them too. `None` in rows of older versions.
        #[n(5)]
        through: Option<u64>,
    },
}

/// A supervisor's decision on quarantined work.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Decision {
    #[n(0)]
    pub(crate) accepted: bool,
    #[n(1)]
    pub(crate) reason: String,
}

impl Problem {
    /// The problem after an outcome; `None` where it is no refusal. `through` is the last outbox
    /// number of the push.
    pub(crate) fn refused(outcome: &Outcome, through: Option<u64>) -> Option<Self> {
        let Outcome::Refused { code, path, message, quarantine } = outcome else { return None };
        Some(Self::Refused {
            reason: RefusalReason::Office(*code),
            path: path.clone(),
            message: message.clone(),
            // 0 where the office could not quarantine it.
            quarantine: Some(*quarantine).filter(|number| *number > 0),
            decided: None,
            through,
        })
    }

    /// The office keeps answering that it lacks dependencies which this device does not have.
    pub(crate) fn missing_dependencies() -> Self {
        Self::Refused {
            reason: RefusalReason::Device(DeviceRefusal::Missing),
            path: String::new(),
            message: "the office lacks changes that this work builds on".to_owned(),
            quarantine: None,
            decided: None,
            through: None,
        }
    }

    pub(crate) fn is_refused(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Damaged => false,
        }
    }

    /// The refused work's number in quarantine.
    pub(crate) fn quarantine(&self) -> Option<u64> {
        match self {
            Self::Refused { quarantine, .. } => *quarantine,
            Self::Damaged => None,
        }
    }

    /// Whether the office had no room to quarantine the work. It may not have judged it.
    pub(crate) fn is_quarantine_full(&self) -> bool {
        match self {
            Self::Refused { reason, .. } => {
                *reason == RefusalReason::Office(RefusalCode::QuarantineFull)
            }
            Self::Damaged => false,
        }
    }

    /// The problem as the list shows it.
    pub(crate) fn summary(&self) -> RecordProblem {
        match self {
            Self::Damaged => RecordProblem::Damaged,
            Self::Refused { decided: Some(Decision { accepted: true, .. }), .. } => {
                RecordProblem::RefusedAccepted
            }
            Self::Refused { reason, .. } => (*reason).into(),
        }
    }
}

TsType! {
/// Why work is refused: the office's code, or the device's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RefusalReason {
    /// The office's code.
    Office(RefusalCode),
    /// Found by the device.
    Device(DeviceRefusal),
}
}

TsType! {
/// A refusal that the device itself finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceRefusal {
    /// Neither the office nor this device has what the work builds on.
    Missing,
}
}

/// Stored as its word.
impl<C> Encode<C> for RefusalReason {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(match self {
            Self::Office(code) => code.as_str(),
            Self::Device(DeviceRefusal::Missing) => "missing",
        })?
        .ok()
    }
}

impl<'b, C> Decode<'b, C> for RefusalReason {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            d.str()?.into_deserializer();
        Self::deserialize(word).map_err(minicbor::decode::Error::message)
    }
}

TsType! {
/// What is wrong with a record, as the list shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordProblem {
    /// Damaged on this device; the office's copy is on its way.
    Damaged,
    /// Refused, then accepted by a supervisor.
    RefusedAccepted,
    /// See [`RefusalCode`] for this and the following.
    RefusedMalformed,
    /// See [`RefusalCode`].
    RefusedTooLarge,
    /// See [`RefusalCode`].
    RefusedForeignActor,
    /// See [`RefusalCode`].
    RefusedBrokenSequence,
    /// See [`RefusalCode`].
    RefusedNotAllowed,
    /// See [`RefusalCode`].
    RefusedInvalidRecord,
    /// See [`RefusalCode`].
    RefusedUnknownRecord,
    /// See [`RefusalCode`].
    #[serde(rename = "refused_not_vouched")]
    RefusedNotAttested,
    /// See [`RefusalCode`].
    RefusedQuarantineFull,
    /// See [`RefusalCode`].
    #[serde(rename = "refused_without_past")]
    RefusedMissingDependencies,
    /// See [`RefusalCode`].
    RefusedWrongSignature,
    /// See [`RefusalCode`].
    RefusedSealed,
    /// See [`DeviceRefusal::Missing`].
    RefusedMissing,
}
}

impl From<RefusalReason> for RecordProblem {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::Office(code) => match code {
                RefusalCode::Malformed => Self::RefusedMalformed,
                RefusalCode::TooLarge => Self::RefusedTooLarge,
                RefusalCode::ForeignActor => Self::RefusedForeignActor,
                RefusalCode::BrokenSequence => Self::RefusedBrokenSequence,
                RefusalCode::NotAllowed => Self::RefusedNotAllowed,
                RefusalCode::InvalidRecord => Self::RefusedInvalidRecord,
                RefusalCode::UnknownRecord => Self::RefusedUnknownRecord,
                RefusalCode::NotAttested => Self::RefusedNotAttested,
                RefusalCode::QuarantineFull => Self::RefusedQuarantineFull,
                RefusalCode::MissingDependencies => Self::RefusedMissingDependencies,
                RefusalCode::WrongSignature => Self::RefusedWrongSignature,
                RefusalCode::Sealed => Self::RefusedSealed,
            },
            RefusalReason::Device(DeviceRefusal::Missing) => Self::RefusedMissing,
        }
    }
}
