//! Verification of receipts that borrowers read out or show.

use std::collections::BTreeMap;

use super::{Office, OfficeError};
use crate::ids::hex;
use crate::record::Record;
use crate::record::receipt::{self, ReceiptCode, ReceiptKind};

/// Records of a case that are searched, newest first: more than a case ever has.
const MAX_RECORDS: usize = 200;

/// What a genuine receipt is for, as the office's record has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ReceiptCheck {
    /// The record's id.
    pub record: String,
    /// The lender's case number.
    pub case_no: String,
    /// The borrower's name.
    pub borrower_name: String,
    /// A payment or a promise.
    pub kind: ReceiptKind,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Time of the payment, ms.
    pub paid_at: Option<i64>,
    /// The promised date, `YYYY-MM-DD`.
    pub due_date: Option<String>,
    /// How it is paid.
    pub channel: String,
    /// Who recorded it.
    pub by: String,
    /// When the office received it, ms.
    pub received_at: Option<i64>,
    /// Whether the record still has it; a promise may have been replaced or removed.
    pub current: bool,
}

impl Office {
    /// What the receipt with this code is for; `None` if no record of the case has or had such an
    /// entry. A case that does not exist gets the same answer.
    pub async fn verify_receipt(
        &self,
        case_no: &str,
        code: ReceiptCode,
    ) -> Result<Option<ReceiptCheck>, OfficeError> {
        let case_no = case_no.trim().to_owned();
        self.blocking(move |office| {
            let records = office.store.read_with(|reads| reads.records_of_case(&case_no))?;
            for id in records.into_iter().rev().take(MAX_RECORDS) {
                let (stored, times) = office
                    .store
                    .read_with(|reads| Ok((reads.record(id)?, reads.change_times(id)?)))?;
                let Some(stored) = stored else { continue };
                let record = Record::load(&stored.document)?;
                let Some(entry) = receipt::find(&id.to_string(), &record.history(), &code) else {
                    continue;
                };
                let received: BTreeMap<String, i64> =
                    times.iter().map(|(hash, at)| (hex(&hash.0), *at)).collect();
                let view = record.view();
                let (paid_at, due_date) = match entry.kind {
                    ReceiptKind::Payment => (entry.date.parse().ok(), None),
                    ReceiptKind::Promise => (None, Some(entry.date.clone())),
                };
                return Ok(Some(ReceiptCheck {
                    current: receipt::is_current(&view, &entry),
                    record: view.id,
                    case_no: view.case_no,
                    borrower_name: view.case.borrower_name,
                    kind: entry.kind,
                    amount: entry.amount,
                    currency: view.case.currency,
                    paid_at,
                    due_date,
                    channel: entry.channel,
                    by: entry.by,
                    received_at: received.get(&entry.change).copied(),
                }));
            }
            Ok(None)
        })
        .await
    }
}
