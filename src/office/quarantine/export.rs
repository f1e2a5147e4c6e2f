//! Takes decided work out of quarantine: into a file first, and once that is safe out of the store.
//!
//! A file is lines of JSON: a head that says what was asked for, a line for each piece with its
//! bytes and decisions, and an end with the SHA-256 of all lines before it. The same question gives
//! the same file as long as nobody decides in between. So the hash proves that the whole file has
//! arrived, and that it holds what is then deleted. Undecided work is never exported: its author
//! may still need it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{QuarantineError, line};
use crate::ids::{hex, unhex};
use crate::office::store::{
    Amount, Decision, QuarantineExport, Quarantined, Reads, Refused, StoreError,
};
use crate::office::{Office, OfficeError};

const FORMAT: &str = "doorstep quarantine export";
const VERSION: u32 = 1;

/// Pieces whose bytes are deleted, or stored again, in one transaction.
const BATCH: usize = 200;

/// Which pieces are exported: those decided by a time, oldest first, up to a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExportScope {
    /// ms.
    pub until: i64,
    /// Of one file; a single piece may pass it.
    pub most_bytes: u64,
}

/// The last line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    /// What was asked for.
    #[serde(flatten)]
    pub scope: ExportScope,
    /// Pieces in the file.
    pub pieces: u64,
    /// Bytes of their changes.
    pub bytes: u64,
    /// SHA-256 of all lines before, hex.
    pub sha256: String,
}

/// What became of the pieces of a file that was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Their bytes are stored again.
    pub restored: u64,
    /// Their bytes were stored already.
    pub unchanged: u64,
    /// The office has no such piece: the file is another office's.
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
    /// The chunks as they came, hex.
    changes: Vec<String>,
}

/// What has to be read of a piece to bring it back.
#[derive(Deserialize)]
struct Back {
    id: u64,
    record: String,
    device: String,
    changes: Vec<String>,
}

impl Office {
    /// Writes decided pieces whose bytes are stored here to a file, in one state of the store.
    pub async fn export_quarantine<W: Write + Send + 'static>(
        &self,
        scope: ExportScope,
        mut out: W,
    ) -> Result<(W, ExportEnd), OfficeError> {
        self.blocking(move |office| {
            let (end, _) = office.store.look(|reads| write(reads, scope, &mut out))?;
            Ok((out, end))
        })
        .await
    }

    /// Deletes the bytes of the pieces of an export that is safe, which its hash shows, and records
    /// who did. A crash on the way leaves pieces that the next export takes again.
    pub async fn delete_exported(
        &self,
        scope: ExportScope,
        sha256: &str,
        by: &str,
    ) -> Result<QuarantineExport, OfficeError> {
        let sink = move |office: &Self| {
            Ok(office.store.look(|reads| write(reads, scope, &mut io::sink()))?)
        };
        let (end, pieces) = self.blocking(sink).await?;
        let hash = unhex(sha256).and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let Some(sha256) = hash.filter(|_| end.sha256 == sha256) else {
            return Err(QuarantineError::ExportChanged.into());
        };
        if pieces.is_empty() {
            return Err(QuarantineError::NothingToExport.into());
        }
        let held = Amount { pieces: end.pieces, bytes: end.bytes };
        let export = QuarantineExport { id: 0, at: self.now(), by: by.to_owned(), held, sha256 };
        let (recorded, first) = (export.clone(), pieces.first().copied());
        let recording = self.store.write(move |tx| {
            // Deletion begins with the first piece: if its bytes are gone, another one has begun.
            let next = tx.next_exportable(0, scope.until)?.map(|next| next.id);
            if next == first { tx.add_quarantine_export(&recorded).map(Some) } else { Ok(None) }
        });
        let id = recording.await?.ok_or(QuarantineError::ExportChanged)?;
        for batch in pieces.chunks(BATCH) {
            let batch = batch.to_vec();
            let deleted = self
                .store
                .write(move |tx| batch.iter().try_for_each(|piece| tx.drop_exported(*piece, id)));
            deleted.await?;
        }
        Ok(QuarantineExport { id, ..export })
    }

    /// Stores the bytes of exported pieces again, so that they can be accepted. Nothing is taken
    /// that is not what the office once had under that number.
    pub async fn restore_quarantine<R: BufRead + Send + 'static>(
        &self,
        file: R,
    ) -> Result<Restored, OfficeError> {
        self.blocking(move |office| office.bring_back(file)).await
    }

    fn bring_back(&self, file: impl BufRead) -> Result<Restored, OfficeError> {
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
            // The end has no bytes, and each piece proves itself.
            if serde_json::from_str::<ExportEnd>(&text).is_ok() {
                break;
            }
            let back: Back = serde_json::from_str(&text).map_err(|_| unreadable())?;
            batch.push(back.read().ok_or_else(unreadable)?);
            if batch.len() == BATCH {
                self.store_again(std::mem::take(&mut batch), &mut restored)?;
            }
        }
        self.store_again(batch, &mut restored)?;
        Ok(restored)
    }

    fn store_again(
        &self,
        batch: Vec<(u64, Refused)>,
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

impl Back {
    /// The number, and all of the work that its fingerprint is made of.
    fn read(self) -> Option<(u64, Refused)> {
        let changes = self.changes.iter().map(|chunk| unhex(chunk)).collect::<Option<_>>()?;
        let refused = Refused {
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

/// Writes an export; gives its end and the numbers of its pieces.
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

    fn put_piece(&mut self, mut found: Quarantined) -> Result<(), StoreError> {
        let changes = found.refused.changes.iter().map(|chunk| hex(chunk)).collect();
        let (decisions, fingerprint) =
            (std::mem::take(&mut found.decisions), hex(&found.fingerprint));
        // The office may have come to know the record since.
        found.case_no = None;
        let line = line(found);
        self.put(&Piece { line: &line, fingerprint, decisions: &decisions, changes })
    }
}

fn failed(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("the export could not be written: {error}"))
}

/// Compares recorded exports with the pieces that the store holds.
#[derive(Default)]
pub(in crate::office) struct Exported(BTreeMap<u64, u64>);

impl Exported {
    /// Counts a piece; gives the problem with it, if any.
    pub(in crate::office) fn add(&mut self, found: &Quarantined) -> Option<String> {
        let export = found.exported?;
        *self.0.entry(export).or_default() += 1;
        let id = found.id;
        if found.decisions.is_empty() {
            return Some(format!("refused work {id} was exported before anybody decided on it"));
        }
        let stored = !found.refused.changes.is_empty();
        stored.then(|| format!("refused work {id} is exported and stored"))
    }

    /// Problems with the whole.
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
