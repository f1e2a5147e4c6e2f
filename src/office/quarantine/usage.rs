//! How full the quarantine is.

use serde::Serialize;

use super::keep::{OF_ALL, OF_USER};
use crate::ids::hex;
use crate::office::store::{Amount, QuarantineExport, QuarantineShare};
use crate::office::{Office, OfficeError};

/// Per cent of a bound from which on people are told.
const NEAR: u64 = 80;

/// How near a bound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fullness {
    /// There is room.
    Fine,
    /// Four fifths are taken.
    Near,
    /// Nothing more is kept.
    Full,
}

/// How full the quarantine is, and what was exported from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct QuarantineUsage {
    /// Whether there is room.
    pub fullness: Fullness,
    /// Undecided pieces.
    pub open: Amount,
    /// Decided pieces whose bytes are stored: what an export would take.
    pub decided: Amount,
    /// What may be stored of both together.
    pub most: Amount,
    /// What of one user may wait for a decision.
    pub most_of_user: Amount,
    /// Users of whom so much waits that soon nothing more is kept.
    pub users: Vec<UserUsage>,
    /// Recorded exports, newest first.
    pub exports: Vec<ExportLine>,
}

/// How much of one user waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UserUsage {
    /// Sign-in name.
    pub user: String,
    /// Whether there is room.
    pub fullness: Fullness,
    /// Undecided pieces.
    pub open: Amount,
}

/// A recorded export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ExportLine {
    /// Its number.
    pub id: u64,
    /// ms.
    pub at: i64,
    /// Who exported and deleted.
    pub by: String,
    /// What the file holds.
    #[serde(flatten)]
    pub held: Amount,
    /// SHA-256 of the file without its last line, hex.
    pub sha256: String,
}

impl Office {
    /// How full the quarantine is.
    pub async fn quarantine_usage(&self) -> Result<QuarantineUsage, OfficeError> {
        self.blocking(|office| {
            let (shares, exports) = office
                .store
                .look(|reads| Ok((reads.quarantine_shares()?, reads.quarantine_exports()?)))?;
            Ok(usage(&shares, exports))
        })
        .await
    }
}

fn usage(shares: &[QuarantineShare], exports: Vec<QuarantineExport>) -> QuarantineUsage {
    let sum = |of: fn(&QuarantineShare) -> Amount| {
        shares.iter().map(of).fold(Amount::default(), |sum, one| Amount {
            pieces: sum.pieces + one.pieces,
            bytes: sum.bytes + one.bytes,
        })
    };
    let (open, stored) = (sum(|share| share.open), sum(|share| share.stored));
    // Bytes of undecided work are always stored.
    let decided = Amount {
        pieces: stored.pieces.saturating_sub(open.pieces),
        bytes: stored.bytes.saturating_sub(open.bytes),
    };
    let users = shares.iter().map(|share| UserUsage {
        user: share.user.clone(),
        fullness: fullness(share.open, OF_USER),
        open: share.open,
    });
    QuarantineUsage {
        fullness: fullness(stored, OF_ALL),
        open,
        decided,
        most: OF_ALL,
        most_of_user: OF_USER,
        users: users.filter(|user| user.fullness != Fullness::Fine).collect(),
        exports: exports.into_iter().map(ExportLine::from).collect(),
    }
}

fn fullness(held: Amount, most: Amount) -> Fullness {
    let per_cent = |part: u64, whole: u64| part.saturating_mul(100) / whole;
    match per_cent(held.pieces, most.pieces).max(per_cent(held.bytes, most.bytes)) {
        0..NEAR => Fullness::Fine,
        // A piece that no longer fits is refused a little before the last byte is taken.
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
