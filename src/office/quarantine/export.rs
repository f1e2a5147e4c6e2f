//! Exports decided work from quarantine: first to a file, then its bytes are deleted from the store.
//!
//! A file consists of lines of JSON: a head with the scope, one line per piece with its bytes and
//! decisions, and an end with the SHA-256 of all lines before. The same scope gives the same file as
//! long as nothing is decided in between, so the hash proves that the file is complete and contains
//! the work to be deleted. Undecided work is never exported: its author may still need it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{QuarantineError, line};
use crate::ids::{hex, unhex};
use crate::office::approvals::Approval;
use crate::office::store::{
    ApprovalKind, Decision, QuarantineExport, QuarantineSize, QuarantinedWork, Reads, RefusedWork,
    StoreError,
};
use crate::office::{Office, OfficeError};

const FORMAT: &str = "doorstep quarantine export";
const VERSION: u32 = 1;

/// Pieces whose bytes are deleted or restored in one transaction.
const BATCH: usize = 200;

/// Which pieces are exported: those decided up to a time, oldest first, up to a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExportScope {
    /// ms.
    pub until: i64,
    /// Limit of one file; a single piece may exceed it.
    pub most_bytes: u64,
}

/// The last line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    /// The scope.
    #[serde(flatten)]
    pub scope: ExportScope,
    /// Pieces in the file.
    pub pieces: u64,
    /// Bytes of their changes.
    pub bytes: u64,
    /// SHA-256 of all lines before this one, hex.
    pub sha256: String,
}

/// The result of restoring an exported file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Pieces whose bytes were restored.
    pub restored: u64,
    /// Pieces whose bytes were stored already.
    pub unchanged: u64,
    /// Pieces that the office does not have: the file belongs to another office.
    pub unknown: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    #[serde(flatten)]
    scope: ExportScope,
}

#[derive(Serialize)]
struct Piece<'a> {
    #[serde(flatten)]
    line: &'a super::QuarantineLine,
    fingerprint: String,
    decisions: &'a [Decision],
    /// The original chunks, hex.
    changes: Vec<String>,
}

/// The part of a line that is needed to restore a piece.
#[derive(Deserialize)]
struct RestoredPiece {
    id: u64,
    record: String,
    device: String,
    changes: Vec<String>,
}

impl Office {
    /// Writes decided pieces with stored bytes to a file, from one snapshot of the store.
    pub async fn export_quarantine<W: Write + Send + 'static>(
        &self,
        scope: ExportScope,
        mut out: W,
    ) -> Result<(W, ExportEnd), OfficeError> {
        self.blocking(move |office| {
            let (end, _) = office.store.read_with(|reads| write(reads, scope, &mut out))?;
            Ok((out, end))
        })
        .await
    }

    /// Deletes the bytes of exported pieces and records by whom; `sha256` proves that the caller has
    /// the complete file. After a crash the next export includes the remaining pieces.
    pub async fn delete_exported(
        &self,
        scope: ExportScope,
        sha256: &str,
        by: &str,
    ) -> Result<QuarantineExport, OfficeError> {
        self.delete_approved(scope, sha256, by, None).await
    }

    /// The same as the change of an approved proposal.
    pub(in crate::office) async fn delete_approved(
        &self,
        scope: ExportScope,
        sha256: &str,
        by: &str,
        approval: Option<Approval>,
    ) -> Result<QuarantineExport, OfficeError> {
        let needed = self.approvals.erasure.then_some(ApprovalKind::Erasure);
        if approval.is_none() {
            self.check_approval(needed, None, None)?;
        }
        let dry_run = move |office: &Self| {
            Ok(office.store.read_with(|reads| write(reads, scope, &mut io::sink()))?)
        };
        let (end, pieces) = self.blocking(dry_run).await?;
        let hash = unhex(sha256).and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let Some(sha256) = hash.filter(|_| end.sha256 == sha256) else {
            return Err(QuarantineError::ExportChanged.into());
        };
        if pieces.is_empty() {
            return Err(QuarantineError::NothingToExport.into());
        }
        let held = QuarantineSize { pieces: end.pieces, bytes: end.bytes };
        let export = QuarantineExport { id: 0, at: self.now(), by: by.to_owned(), held, sha256 };
        let (recorded, first) = (export.clone(), pieces.first().copied());
        let recording = self.store.write(move |tx| {
            if let Some(approval) = &approval {
                let proposal = tx.proposal(approval.number)?;
                if let Err(refusal) = approval.check(proposal.as_ref(), recorded.at) {
                    return Ok(Err(refusal));
                }
            }
            // Deletion starts with the first piece: without its bytes, another deletion has started.
            let next = tx.next_exportable(0, scope.until)?.map(|next| next.id);
            if next != first {
                return Ok(Ok(None));
            }
            if let Some(approval) = &approval {
                approval.write(tx, recorded.at)?;
            }
            tx.add_quarantine_export(&recorded).map(|id| Ok(Some(id)))
        });
        let id = recording.await??.ok_or(QuarantineError::ExportChanged)?;
        for batch in pieces.chunks(BATCH) {
            let batch = batch.to_vec();
            let deleted = self
                .store
                .write(move |tx| batch.iter().try_for_each(|piece| tx.drop_exported(*piece, id)));
            deleted.await?;
        }
        Ok(QuarantineExport { id, ..export })
    }

    /// Restores the bytes of exported pieces, so that they can be accepted. Pieces must match the
    /// fingerprint that the office has under their number.
    pub async fn restore_quarantine<R: BufRead + Send + 'static>(
        &self,
        file: R,
    ) -> Result<Restored, OfficeError> {
        self.blocking(move |office| office.restore_file(file)).await
    }

    fn restore_file(&self, file: impl BufRead) -> Result<Restored, OfficeError> {
        let unreadable = || OfficeError::from(QuarantineError::NoExport);
        let mut lines = file.lines();
        let first = lines.next().and_then(Result::ok).ok_or_else(unreadable)?;
        let head: Head = serde_json::from_str(&first).map_err(|_| unreadable())?;
        if head.format != FORMAT || head.version != VERSION {
            return Err(unreadable());
        }
        let (mut restored, mut batch) = (Restored::default(), Vec::new());
        for text in lines {
            let text = text.map_err(|_| unreadable())?;
            // The end needs no check: each piece has a fingerprint.
            if serde_json::from_str::<ExportEnd>(&text).is_ok() {
                break;
            }
            let piece: RestoredPiece = serde_json::from_str(&text).map_err(|_| unreadable())?;
            batch.push(piece.into_work().ok_or_else(unreadable)?);
            if batch.len() == BATCH {
                self.restore_batch(std::mem::take(&mut batch), &mut restored)?;
            }
        }
        self.restore_batch(batch, &mut restored)?;
        Ok(restored)
    }

    fn restore_batch(
        &self,
        batch: Vec<(u64, RefusedWork)>,
        restored: &mut Restored,
    ) -> Result<(), OfficeError> {
        let done = self.store.write_now(move |tx| {
            let mut done = Restored::default();
            for (id, refused) in &batch {
                let known = tx.quarantined(*id)?;
                if known.is_none_or(|known| refused.fingerprint().ok() != Some(known.fingerprint)) {
                    done.unknown += 1;
                } else if tx.restore_exported(*id, &refused.changes)? {
                    done.restored += 1;
                } else {
                    done.unchanged += 1;
                }
            }
            Ok(done)
        })?;
        restored.restored += done.restored;
        restored.unchanged += done.unchanged;
        restored.unknown += done.unknown;
        Ok(())
    }
}

impl RestoredPiece {
    /// The number of the piece, and the work as far as the fingerprint covers it.
    fn into_work(self) -> Option<(u64, RefusedWork)> {
        let changes = self.changes.iter().map(|chunk| unhex(chunk)).collect::<Option<_>>()?;
        let refused = RefusedWork {
            record: self.record.parse().ok()?,
            device: self.device.parse().ok()?,
            user: String::new(),
            at: 0,
            code: String::new(),
            path: String::new(),
            message: String::new(),
            units: Vec::new(),
            changes,
        };
        Some((self.id, refused))
    }
}

/// Writes an export; gives its last line and the numbers of its pieces.
fn write(
    reads: &mut dyn Reads,
    scope: ExportScope,
    out: &mut dyn Write,
) -> Result<(ExportEnd, Vec<u64>), StoreError> {
    let mut lines = Lines { out, hash: Sha256::new() };
    lines.put(&Head { format: FORMAT.to_owned(), version: VERSION, scope })?;
    let (mut pieces, mut bytes) = (Vec::new(), 0u64);
    let mut after = 0;
    while bytes < scope.most_bytes {
        let Some(found) = reads.next_exportable(after, scope.until)? else { break };
        after = found.id;
        pieces.push(found.id);
        let sizes = found.refused.changes.iter().map(|chunk| chunk.len() as u64);
        bytes = bytes.saturating_add(sizes.sum());
        lines.put_piece(found)?;
    }
    let sha256 = hex(&lines.hash.clone().finalize());
    let end = ExportEnd { scope, pieces: pieces.len() as u64, bytes, sha256 };
    lines.put(&end)?;
    lines.out.flush().map_err(|error| failed(&error))?;
    Ok((end, pieces))
}

struct Lines<'o> {
    out: &'o mut dyn Write,
    hash: Sha256,
}

impl Lines<'_> {
    fn put(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line).map_err(|error| failed(&error))?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text).map_err(|error| failed(&error))
    }

    fn put_piece(&mut self, mut found: QuarantinedWork) -> Result<(), StoreError> {
        let changes = found.refused.changes.iter().map(|chunk| hex(chunk)).collect();
        let (decisions, fingerprint) =
            (std::mem::take(&mut found.decisions), hex(&found.fingerprint));
        // The office may have got the record since: the file must not depend on that.
        found.case_no = None;
        let line = line(found);
        self.put(&Piece { line: &line, fingerprint, decisions: &decisions, changes })
    }
}

fn failed(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("the export could not be written: {error}"))
}

/// Compares recorded exports with the pieces in the store, for `verify`.
#[derive(Default)]
pub(in crate::office) struct ExportAudit(BTreeMap<u64, u64>);

impl ExportAudit {
    /// Counts a piece; gives its problem, if any.
    pub(in crate::office) fn add(&mut self, found: &QuarantinedWork) -> Option<String> {
        let export = found.exported?;
        *self.0.entry(export).or_default() += 1;
        let id = found.id;
        if found.decisions.is_empty() {
            return Some(format!("refused work {id} was exported before anybody decided on it"));
        }
        let stored = !found.refused.changes.is_empty();
        stored.then(|| format!("refused work {id} is exported and stored"))
    }

    /// Problems with the exports.
    pub(in crate::office) fn problems(self, exports: &[QuarantineExport]) -> Vec<String> {
        let most = |id: u64| {
            exports.iter().find(|export| export.id == id).map_or(0, |export| export.held.pieces)
        };
        let missing = self.0.into_iter().filter(|(id, pieces)| *pieces > most(*id));
        missing
            .map(|(id, _)| format!("refused work lacks bytes that export {id} does not hold"))
            .collect()
    }
}
