//! Why a push is not accepted.

use crate::sync::message::RefusalCode;

/// A refusal: a protocol value, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: RefusalCode,
    /// The path that may not be written, or empty.
    pub path: String,
    /// One sentence for people.
    pub message: String,
}

impl Refusal {
    /// A refusal that is about a path.
    pub(super) fn at(code: RefusalCode, path: &[String], message: impl Into<String>) -> Self {
        Self { code, path: path.join("."), message: message.into() }
    }

    fn plain(code: RefusalCode, message: &str) -> Self {
        Self { code, path: String::new(), message: message.to_owned() }
    }

    pub(super) fn malformed(message: &str) -> Self {
        Self::plain(RefusalCode::Malformed, message)
    }

    pub(super) fn too_large(message: &str) -> Self {
        Self::plain(RefusalCode::TooLarge, message)
    }

    pub(super) fn foreign(message: &str) -> Self {
        Self::plain(RefusalCode::ForeignActor, message)
    }

    pub(super) fn broken_sequence(message: &str) -> Self {
        Self::plain(RefusalCode::BrokenSequence, message)
    }

    pub(in crate::office) fn invalid(path: &str, message: &str) -> Self {
        Self {
            code: RefusalCode::InvalidRecord,
            path: path.to_owned(),
            message: message.to_owned(),
        }
    }

    pub(super) fn wrong_signature(id: &str, message: &str) -> Self {
        Self {
            code: RefusalCode::WrongSignature,
            path: format!("seal.{id}"),
            message: message.to_owned(),
        }
    }

    /// The stripped changes cannot be unpacked.
    pub(in crate::office) fn unpack_failed() -> Self {
        Self::malformed("the changes can't be put together")
    }

    /// The state token is not valid for the state to be restored.
    pub(in crate::office) fn not_attested() -> Self {
        Self::plain(RefusalCode::NotAttested, "the office did not attest this state")
    }

    /// The quota of the user, or the whole quarantine, is full.
    pub(in crate::office) fn quarantine_full() -> Self {
        Self::plain(
            RefusalCode::QuarantineFull,
            "the quarantine is full until the office decides on refused work",
        )
    }

    /// Changes that the work depends on are lost.
    pub(in crate::office) fn missing_dependencies() -> Self {
        Self::plain(
            RefusalCode::MissingDependencies,
            "the office lacks changes that this work depends on",
        )
    }

    /// The record does not exist, or was never in the sender's feed.
    pub fn unknown_record() -> Self {
        Self::plain(RefusalCode::UnknownRecord, "the office has no such record for this user")
    }
}
