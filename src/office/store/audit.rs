//! The log of what users of the console changed.

use super::StoreError;
use crate::ids::DeviceId;

/// An entry of the log. It has names and ids, never content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// ms.
    pub at: i64,
    /// Who.
    pub user: String,
    /// With which role.
    pub role: String,
    /// The device of the session.
    pub session: DeviceId,
    /// What: method and route, such as `POST /api/devices/{id}/revoke`.
    pub action: String,
    /// On which record, user, device or number; empty where the route names none.
    pub subject: String,
    /// More about the action, such as the name of the command.
    pub detail: String,
    /// Hash of the entry before; zeros for the first.
    pub previous: [u8; 32],
    /// Hash of this one.
    pub hash: [u8; 32],
}

/// Which entries; absent filters match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who.
    pub user: Option<String>,
    /// The whole name of the action.
    pub action: Option<String>,
    /// The whole subject.
    pub subject: Option<String>,
    /// From this time on, ms.
    pub from: Option<i64>,
    /// Before this time, ms.
    pub until: Option<i64>,
    /// Only entries before this number.
    pub before: Option<u64>,
    /// Page size.
    pub limit: u32,
}

/// Reads of the log.
pub trait AuditReads {
    /// The newest entry.
    fn last_audit_entry(&mut self) -> Result<Option<AuditEntry>, StoreError>;
    /// One page, newest first.
    fn audit_page(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError>;
    /// Entries after a number, oldest first.
    fn audit_after(&mut self, seq: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Writes of the log.
pub trait AuditWrites {
    /// Appends an entry; its number follows the newest one's.
    fn append_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;
}
