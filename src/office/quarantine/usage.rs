//! How full the quarantine is, compared with its quotas.

use serde::Serialize;

use super::entry::{TOTAL_QUOTA, USER_QUOTA};
use crate::ids::hex;
use crate::office::store::{QuarantineExport, QuarantineShare, QuarantineSize};
use crate::office::{Office, OfficeError};

/// Percentage of a quota from which on people are warned.
const NEAR: u64 = 80;

/// Usage of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fullness {
    /// There is room.
    Fine,
    /// At least 80 percent is used.
    Near,
    /// Nothing more is accepted.
    Full,
}

/// Usage of the quarantine, and its exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct QuarantineUsage {
    /// Usage of the quota.
    pub fullness: Fullness,
    /// Undecided pieces.
    pub open: QuarantineSize,
    /// Decided pieces with stored bytes, which an export would include.
    pub decided: QuarantineSize,
    /// Quota for both together.
    pub most: QuarantineSize,
    /// Quota of one user's undecided work.
    pub most_of_user: QuarantineSize,
    /// Users who are near or over their quota.
    pub users: Vec<UserUsage>,
    /// Recorded exports, newest first.
    pub exports: Vec<ExportLine>,
}

/// Undecided work of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UserUsage {
    /// Sign-in name.
    pub user: String,
    /// Usage of the quota.
    pub fullness: Fullness,
    /// Undecided pieces.
    pub open: QuarantineSize,
}

/// A recorded export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ExportLine {
    /// Its number.
    pub id: u64,
    /// ms.
    pub at: i64,
    /// The user who exported and deleted.
    pub by: String,
    /// Contents of the file.
    #[serde(flatten)]
    pub held: QuarantineSize,
    /// SHA-256 of the file without its last line, hex.
    pub sha256: String,
}

impl Office {
    /// Usage of the quarantine.
    pub async fn quarantine_usage(&self) -> Result<QuarantineUsage, OfficeError> {
        self.blocking(|office| {
            let (shares, exports) = office
                .store
                .read_with(|reads| Ok((reads.quarantine_shares()?, reads.quarantine_exports()?)))?;
            Ok(usage(&shares, exports))
        })
        .await
    }
}

fn usage(shares: &[QuarantineShare], exports: Vec<QuarantineExport>) -> QuarantineUsage {
    let sum = |of: fn(&QuarantineShare) -> QuarantineSize| {
        shares.iter().map(of).fold(QuarantineSize::default(), |sum, one| QuarantineSize {
            pieces: sum.pieces + one.pieces,
            bytes: sum.bytes + one.bytes,
        })
    };
    let (open, stored) = (sum(|share| share.open), sum(|share| share.stored));
    // Undecided work always has its bytes stored.
    let decided = QuarantineSize {
        pieces: stored.pieces.saturating_sub(open.pieces),
        bytes: stored.bytes.saturating_sub(open.bytes),
    };
    let users = shares.iter().map(|share| UserUsage {
        user: share.user.clone(),
        fullness: fullness(share.open, USER_QUOTA),
        open: share.open,
    });
    QuarantineUsage {
        fullness: fullness(stored, TOTAL_QUOTA),
        open,
        decided,
        most: TOTAL_QUOTA,
        most_of_user: USER_QUOTA,
        users: users.filter(|user| user.fullness != Fullness::Fine).collect(),
        exports: exports.into_iter().map(ExportLine::from).collect(),
    }
}

fn fullness(held: QuarantineSize, most: QuarantineSize) -> Fullness {
    let per_cent = |part: u64, whole: u64| part.saturating_mul(100) / whole;
    match per_cent(held.pieces, most.pieces).max(per_cent(held.bytes, most.bytes)) {
        0..NEAR => Fullness::Fine,
        // A piece that does not fit is refused before the last byte is used.
        NEAR..99 => Fullness::Near,
        _ => Fullness::Full,
    }
}

impl From<QuarantineExport> for ExportLine {
    fn from(export: QuarantineExport) -> Self {
        let QuarantineExport { id, at, by, held, sha256 } = export;
        Self { id, at, by, held, sha256: hex(&sha256) }
    }
}
