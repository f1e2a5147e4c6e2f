//! Verifies everything that the office stores: documents, heads, changes, receipts, rows, feeds,
//! quarantine and attachments.

use std::collections::BTreeMap;

use automerge::ChangeHash;

use super::audit;
use super::blobs::BlobCheck;
use super::intake::{receipt_hash, rows};
use super::quarantine::ExportAudit;
use super::store::{
    BlobName, QuarantineFilter, QuarantineSize, QuarantineState, QuarantinedWork, Reads, Receipt,
    StoreError, StoredChange, StoredRecord,
};
use super::{Office, OfficeError};
use crate::ids::{RecordId, hex};
use crate::record::terms::Stage;
use crate::record::view::SignatureView;
use crate::record::{Record, genesis};
use crate::sync::digest::{Digest, Item};

/// Records read at a time.
const BATCH: u32 = 500;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// There are no problems.
    pub ok: bool,
    /// Records checked.
    pub records: u64,
    /// Changes checked.
    pub changes: u64,
    /// Feeds checked.
    pub feeds: u64,
    /// Quarantined work checked, pieces.
    pub quarantined: u64,
    /// Signatures under seals checked.
    pub signatures: u64,
    /// Entries of the audit log checked.
    pub audited: u64,
    /// Attachments of records that are stored and intact.
    pub blobs: u64,
    /// Attachments of records that no phone has uploaded yet.
    pub pending: Vec<Problem>,
    /// Problems found.
    pub problems: Vec<Problem>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The record, or empty for a feed.
    pub record: String,
    /// The problem.
    pub what: String,
}

impl Office {
    /// Loads every document and compares it with all data derived from it, in one snapshot of the
    /// store. Reads every attachment.
    pub async fn verify(&self) -> Result<Verified, OfficeError> {
        let (mut verified, named) = self
            .blocking(|office| {
                Ok(office.store.read_with(|reads| Verifier::default().run(reads))?)
            })
            .await?;
        for (name, record) in named {
            let problem = |what: &str| Problem { record: record.clone(), what: what.to_owned() };
            match self.blob_store.check(&name).await? {
                BlobCheck::Sound(_) => verified.blobs += 1,
                BlobCheck::Missing => {
                    verified.pending.push(problem("an attachment has not come yet"))
                }
                BlobCheck::Damaged => {
                    verified.problems.push(problem("an attachment is not what its name says"));
                }
            }
        }
        verified.ok = verified.problems.is_empty();
        Ok(verified)
    }
}

#[derive(Default)]
struct Verifier {
    records: u64,
    changes: u64,
    signatures: u64,
    problems: Vec<Problem>,
    /// Receipts for accepted quarantined work, with its number and the accepting user.
    accepted: Vec<((RecordId, u64), u64, String)>,
    /// Digests of the feeds, computed from the documents.
    digests: BTreeMap<String, Digest>,
    named: NamedAttachments,
}

/// Attachments, each with a record that names it.
type NamedAttachments = BTreeMap<BlobName, String>;

impl Verifier {
    fn run(mut self, reads: &mut dyn Reads) -> Result<(Verified, NamedAttachments), StoreError> {
        let mut after = None;
        loop {
            let ids = reads.record_ids(after, BATCH)?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for id in ids {
                self.record(reads, id)?;
            }
        }
        let quarantined = self.quarantine(reads)?;
        let (audited, broken) = audit::verify(reads)?;
        if let Some(what) = broken {
            self.report("", what);
        }
        let feeds = reads.feeds()?;
        for feed in &feeds {
            let held = reads.feed(feed)?.digest;
            if held != self.digests.remove(feed).unwrap_or_default() {
                self.report("", format!("the digest of the feed of {feed} is wrong"));
            }
        }
        for feed in std::mem::take(&mut self.digests).into_keys() {
            self.report("", format!("{feed} has records but no feed"));
        }
        let verified = Verified {
            ok: self.problems.is_empty(),
            records: self.records,
            changes: self.changes,
            feeds: feeds.len() as u64,
            quarantined,
            signatures: self.signatures,
            audited,
            blobs: 0,
            pending: Vec::new(),
            problems: self.problems,
        };
        Ok((verified, self.named))
    }

    /// Quarantined work has its original bytes and the state of its last decision. Accepted work has
    /// a receipt that names it, and every such receipt has its decision.
    fn quarantine(&mut self, reads: &mut dyn Reads) -> Result<u64, StoreError> {
        let mut asked = QuarantineFilter { limit: BATCH, ..QuarantineFilter::default() };
        let mut count = 0;
        let (mut accepted, mut exported) = (BTreeMap::new(), ExportAudit::default());
        let mut shares: BTreeMap<String, (QuarantineSize, QuarantineSize)> = BTreeMap::new();
        loop {
            let (page, _) = reads.quarantine(&asked)?;
            let Some(last) = page.last() else { break };
            asked.before = Some(last.id);
            for line in page {
                count += 1;
                let Some(found) = reads.quarantined(line.id)? else { continue };
                let record = found.refused.record;
                if let Some(what) = exported.add(&found) {
                    self.report(record.to_string(), what);
                }
                add_size(shares.entry(found.refused.user.clone()).or_default(), &found)?;
                // The bytes of exported work are in the exported file.
                if found.exported.is_none() && found.refused.fingerprint()? != found.fingerprint {
                    let what = format!("refused work {} differs from what was received", found.id);
                    self.report(record.to_string(), what);
                }
                let last = found.decisions.last();
                if last.map_or(QuarantineState::Open, |last| last.decision) != found.state {
                    let what = format!(
                        "refused work {} is not in the state of its last decision",
                        found.id
                    );
                    self.report(record.to_string(), what);
                }
                if let Some((last, receipt)) = last.and_then(|last| Some((last, last.receipt?))) {
                    accepted.insert((record, receipt), (found.id, last.by.clone()));
                }
            }
        }
        for what in exported.problems(&reads.quarantine_exports()?) {
            self.report("", what);
        }
        for share in reads.quarantine_shares()? {
            let counted = shares.remove(&share.user).unwrap_or_default();
            if counted != (share.open, share.stored) {
                self.report("", format!("the refused work of {} is counted wrongly", share.user));
            }
        }
        for user in shares.into_keys() {
            self.report("", format!("the refused work of {user} is not counted"));
        }
        for (key, quarantine, user) in std::mem::take(&mut self.accepted) {
            if accepted.remove(&key) != Some((quarantine, user)) {
                let what = format!("receipt {} names a decision that does not exist", key.1);
                self.report(key.0.to_string(), what);
            }
        }
        for ((record, _), (id, _)) in accepted {
            let what = format!("refused work {id} was accepted and has no receipt");
            self.report(record.to_string(), what);
        }
        Ok(count)
    }

    /// Whether the key of a signature is enrolled for its device.
    fn is_enrolled_key(
        &self,
        reads: &mut dyn Reads,
        signature: &SignatureView,
    ) -> Result<bool, StoreError> {
        let Ok(device) = signature.device.parse() else { return Ok(false) };
        Ok(reads.device_keys(device)?.iter().any(|key| hex(key) == signature.key))
    }

    fn report(&mut self, record: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { record: record.into(), what: what.into() });
    }

    fn record(&mut self, reads: &mut dyn Reads, id: RecordId) -> Result<(), StoreError> {
        self.records += 1;
        let Some(stored) = reads.record(id)? else {
            self.report(id.to_string(), "the record does not exist");
            return Ok(());
        };
        let changes = reads.changes_after(id, 0)?;
        let receipts = reads.receipts(id)?;
        self.changes += changes.len() as u64;
        let record = match Record::load(&stored.document) {
            Ok(record) => record,
            Err(error) => {
                self.report(id.to_string(), format!("the document does not load: {error}"));
                return Ok(());
            }
        };
        for receipt in &receipts {
            let of = receipt.quarantine.map(|q| ((id, receipt.n), q, receipt.user.clone()));
            self.accepted.extend(of);
        }
        let mut found = document_problems(id, &stored, &record, &changes);
        found.extend(receipt_problems(id, &receipts, &changes));
        let expected = rows(&record, stored.updated_at);
        match reads.rows(id)? {
            Some(held) if held == expected => {}
            Some(_) => found.push("the rows are not what the document says"),
            None => found.push("the rows are missing"),
        }
        for signature in record.signatures(|_| true) {
            let key = self.is_enrolled_key(reads, &signature)?;
            if !signature.sound {
                found.push("a signature under the seal is wrong");
            } else if !key {
                found.push("a signature under the seal is by a key that its device did not enrol");
            }
            self.signatures += 1;
        }
        for what in found {
            self.report(id.to_string(), what);
        }
        for attachment in &expected.attachments {
            self.named.entry(attachment.name).or_insert_with(|| id.to_string());
        }
        let item = Item::of(id, &record.heads());
        let members = reads.collectors(id)?;
        for collector in expected.summary.collectors {
            if members.contains(&collector) {
                self.digests.entry(collector).or_default().add(item);
            } else if expected.summary.stage != Stage::Reviewed {
                // Only accepted records expire from feeds (rule F5).
                self.report(
                    id.to_string(),
                    format!("the record is missing from the feed of {collector}"),
                );
            }
        }
        Ok(())
    }
}

/// Adds a piece to the undecided and stored amounts of its user.
fn add_size(
    (open, stored): &mut (QuarantineSize, QuarantineSize),
    found: &QuarantinedWork,
) -> Result<(), StoreError> {
    if found.exported.is_some() {
        return Ok(());
    }
    let bytes = found.refused.encoded()?.len() as u64;
    for amount in [stored].into_iter().chain((found.state == QuarantineState::Open).then_some(open))
    {
        amount.pieces += 1;
        amount.bytes += bytes;
    }
    Ok(())
}

fn document_problems(
    id: RecordId,
    stored: &StoredRecord,
    record: &Record,
    changes: &[StoredChange],
) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if record.id() != Some(id) {
        wrong.push("the document is of another record");
    }
    if record.heads() != stored.heads {
        wrong.push("the heads are not the document's");
    }
    if record.validate().is_err() {
        wrong.push("the document is not a valid visit record");
    }
    let in_document: BTreeMap<ChangeHash, (u64, u64)> = record
        .document()
        .get_changes_meta(&[])
        .into_iter()
        .filter(|change| change.hash != genesis::hash())
        .map(|change| (change.hash, (change.seq, change.max_op)))
        .collect();
    let kept: BTreeMap<ChangeHash, (u64, u64)> = changes
        .iter()
        .map(|change| (change.meta.hash, (change.meta.seq, change.meta.max_op)))
        .collect();
    if in_document != kept || changes.len() as u64 != stored.changes {
        wrong.push("the changes kept are not the document's");
    }
    let matches_hash = |change: &StoredChange| {
        automerge::Change::from_bytes(change.bytes.clone())
            .is_ok_and(|read| read.hash() == change.meta.hash)
    };
    if !changes.iter().all(matches_hash) {
        wrong.push("a change's bytes are not what its hash says");
    }
    wrong
}

fn receipt_problems(
    id: RecordId,
    receipts: &[Receipt],
    changes: &[StoredChange],
) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let mut previous = [0; 32];
    let chained = (1..).zip(receipts).all(|(n, receipt)| {
        let follows = receipt.n == n
            && receipt.previous == previous
            && receipt.hash == receipt_hash(id, receipt);
        previous = receipt.hash;
        follows
    });
    if !chained {
        wrong.push("the chain of receipts is broken");
    }
    let receipted = receipts.iter().flat_map(|receipt| &receipt.hashes);
    if !receipted.eq(changes.iter().map(|change| &change.meta.hash)) {
        wrong.push("the receipts are not for the changes kept");
    }
    wrong
}
