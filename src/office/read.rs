//! Reads for the console and exports.

use std::collections::BTreeMap;

use super::store::{Listing, Page};
use super::{Office, OfficeError};
use crate::ids::{RecordId, hex, unhex};
use crate::record::Record;
use crate::record::view::{AttachmentView, HistoryEntry, VisitView};

/// One change of one field, with the time when the office received it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct HistoryLine {
    /// The change.
    #[serde(flatten)]
    pub entry: HistoryEntry,
    /// When the office received it, ms.
    pub received_at: Option<i64>,
}

/// Whether the bytes of an attachment that a record names have arrived.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AttachmentArrival {
    /// The attachment.
    pub sha256: String,
    /// When the office had all of it, ms; `None` while it is missing.
    pub received_at: Option<i64>,
}

impl Office {
    /// The view of a record.
    pub async fn visit(&self, id: RecordId) -> Result<VisitView, OfficeError> {
        self.blocking(move |office| Ok(Record::load(&office.bytes(id)?)?.view())).await
    }

    /// A record's document, loadable by any Automerge 3 implementation.
    pub async fn document(&self, id: RecordId) -> Result<Vec<u8>, OfficeError> {
        self.blocking(move |office| office.bytes(id)).await
    }

    /// Every change of every field of a record, oldest first.
    pub async fn history(&self, id: RecordId) -> Result<Vec<HistoryLine>, OfficeError> {
        self.blocking(move |office| {
            let (document, changes) = office.store.read_with(|reads| {
                Ok((reads.record(id)?.map(|stored| stored.document), reads.change_times(id)?))
            })?;
            let record = Record::load(&document.ok_or(OfficeError::UnknownRecord)?)?;
            let received: BTreeMap<String, i64> =
                changes.iter().map(|(hash, at)| (hex(&hash.0), *at)).collect();
            let line = |entry: HistoryEntry| {
                let received_at = received.get(&entry.change).copied();
                HistoryLine { entry, received_at }
            };
            Ok(record.history().into_iter().map(line).collect())
        })
        .await
    }

    /// The attachments that a record names, and whether their bytes have arrived.
    pub async fn attachment_arrivals(
        &self,
        id: RecordId,
    ) -> Result<Vec<AttachmentArrival>, OfficeError> {
        self.blocking(move |office| {
            let named = Record::load(&office.bytes(id)?)?.view().attachments;
            let arrivals = office.store.read_with(|reads| {
                let mut arrivals = Vec::new();
                for AttachmentView { sha256, .. } in &named {
                    let blob = match unhex(sha256).and_then(|bytes| bytes.try_into().ok()) {
                        Some(name) => reads.blob(name)?,
                        None => None,
                    };
                    let received_at = blob.map(|blob| blob.received_at);
                    arrivals.push(AttachmentArrival { sha256: sha256.clone(), received_at });
                }
                Ok(arrivals)
            })?;
            Ok(arrivals)
        })
        .await
    }

    /// One page of the list.
    pub async fn list(&self, listing: Listing) -> Result<Page, OfficeError> {
        self.blocking(move |office| Ok(office.store.read_with(|reads| reads.list(&listing))?)).await
    }

    /// The newest record of a case.
    pub async fn find_by_case_no(&self, case_no: &str) -> Result<Option<RecordId>, OfficeError> {
        let case_no = case_no.to_owned();
        self.blocking(move |office| {
            Ok(office.store.read_with(|reads| reads.find_case(&case_no))?)
        })
        .await
    }

    /// The newest records of many cases, by case number.
    pub async fn find_by_case_nos(
        &self,
        case_nos: Vec<String>,
    ) -> Result<BTreeMap<String, RecordId>, OfficeError> {
        self.blocking(move |office| {
            let found = office.store.read_with(|reads| {
                let mut found = BTreeMap::new();
                for case_no in &case_nos {
                    if let Some(id) = reads.find_case(case_no)? {
                        found.insert(case_no.clone(), id);
                    }
                }
                Ok(found)
            })?;
            Ok(found)
        })
        .await
    }

    pub(super) fn bytes(&self, id: RecordId) -> Result<Vec<u8>, OfficeError> {
        let stored = self.store.read_with(|reads| reads.record(id))?;
        stored.map(|stored| stored.document).ok_or(OfficeError::UnknownRecord)
    }
}
