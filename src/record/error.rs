//! Errors of records and commands.

use super::authority::Denied;

/// Why bytes cannot be loaded as a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Automerge cannot read the bytes.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// Changes are missing.
    #[error("the document is incomplete")]
    Incomplete,
    /// The document does not begin with the first change of a known schema.
    #[error("the document is not a visit record")]
    NotARecord,
}

/// A document that is not a valid visit record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Invalid {
    /// The invalid path.
    pub path: String,
    /// Why it is invalid.
    pub reason: String,
}

/// Why a command fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The author may not write this path now.
    #[error("{path}: {denied}")]
    Denied {
        /// The path.
        path: String,
        /// Why.
        denied: Denied,
    },
    /// A value is out of its bounds.
    #[error("{path}: {reason}")]
    Invalid {
        /// The path.
        path: String,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// Something that the command names does not exist.
    #[error("{path}: does not exist")]
    Missing {
        /// The path that the command names.
        path: String,
    },
    /// Automerge failed; never expected.
    #[error("the document failed: {0}")]
    Document(String),
}

impl CommandError {
    /// Stable code for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied { denied, .. } => denied.code(),
            Self::Invalid { .. } => "invalid_value",
            Self::Missing { .. } => "not_there",
            Self::Document(_) => "document_fails",
        }
    }

    /// The path of the error; empty if there is none.
    pub fn path(&self) -> &str {
        match self {
            Self::Denied { path, .. } | Self::Invalid { path, .. } | Self::Missing { path } => path,
            Self::Document(_) => "",
        }
    }
}

impl From<automerge::AutomergeError> for CommandError {
    fn from(error: automerge::AutomergeError) -> Self {
        Self::Document(error.to_string())
    }
}
