//! What can go wrong with a record.

use super::authority::Denied;

/// Bytes that are no record, or not the record that was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Automerge cannot read the bytes.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// Readable, but not all of it is there.
    #[error("the document is incomplete")]
    Incomplete,
    /// A document, but not one that begins with the first change of a known schema.
    #[error("the document is no visit record")]
    NotARecord,
}

/// A document that is not a valid visit record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Invalid {
    /// The path that is wrong.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A command that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The writer may not write this path now.
    #[error("{path}: {denied}")]
    Denied {
        /// Which path.
        path: String,
        /// Why not.
        denied: Denied,
    },
    /// A value is out of its bounds.
    #[error("{path}: {reason}")]
    Invalid {
        /// Which path.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Something that the command names is not there.
    #[error("{path}: nothing of that name")]
    Missing {
        /// What was named.
        path: String,
    },
    /// The document itself fails; never expected.
    #[error("the document fails: {0}")]
    Document(String),
}

impl CommandError {
    /// Stable word for programs and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied { denied, .. } => denied.code(),
            Self::Invalid { .. } => "invalid_value",
            Self::Missing { .. } => "not_there",
            Self::Document(_) => "document_fails",
        }
    }

    /// The path that the error is about; empty where there is none.
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
