//! Tokens with which programs such as Excel read the records, and nothing else.

use super::{StoreError, TokenHash};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportToken {
    /// 16 random bytes.
    pub id: [u8; 16],
    /// Hash of the token; the token itself is not stored.
    pub hash: TokenHash,
    /// Whose rights it has.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// ms.
    pub created_at: i64,
    /// ms.
    pub expires_at: i64,
    /// When it was last used, in steps of an hour, ms.
    pub used_at: Option<i64>,
}

/// Reads of tokens.
pub trait ReportTokenReads {
    /// The tokens of a user, oldest first.
    fn report_tokens(&mut self, user: &str) -> Result<Vec<ReportToken>, StoreError>;
    /// The token of a hash.
    fn report_token(&mut self, hash: &TokenHash) -> Result<Option<ReportToken>, StoreError>;
}

/// Writes of tokens.
pub trait ReportTokenWrites {
    /// Adds a token.
    fn add_report_token(&mut self, token: &ReportToken) -> Result<(), StoreError>;
    /// Notes that a token was used.
    fn note_report_token(&mut self, id: [u8; 16], at: i64) -> Result<(), StoreError>;
    /// Deletes a token of a user; gives the number deleted, 0 or 1.
    fn delete_report_token(&mut self, id: [u8; 16], user: &str) -> Result<u64, StoreError>;
}
