//! Asks layers of every record, one after the other: for exports and replays.

use super::{judge, moment_of};
use crate::conduct::Policy;
use crate::conduct::view::ConductView;
use crate::ids::RecordId;
use crate::office::sheets::export::ExportError;
use crate::office::store::{StoreError, StoredRecord};
use crate::office::{Office, OfficeError};
use crate::record::Record;

/// Records read in one state of the store.
const BATCH: u32 = 100;

/// What a walk tells of a record beside its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// UUIDv7.
    pub id: String,
    /// The lender's case number.
    pub case_no: String,
    /// When the office last accepted something, ms.
    pub updated_at: i64,
}

impl Office {
    /// How many records there are.
    pub async fn count(&self) -> Result<u64, OfficeError> {
        self.blocking(|office| Ok(office.store.read_with(|reads| reads.count_records())?)).await
    }

    /// Gives every record, in order of ids, with what each of the policies says of it at the
    /// moment that it has come to. On as many threads as the machine has. Blocks.
    pub fn each_conduct(
        &self,
        policies: &[&Policy],
        mut tell: impl FnMut(&Walked, &[ConductView]) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let mut after = None;
        loop {
            let batch = self
                .store
                .read_with(|reads| {
                    let mut batch: Vec<(RecordId, StoredRecord)> = Vec::new();
                    for id in reads.record_ids(after, BATCH)? {
                        batch.extend(reads.record(id)?.map(|stored| (id, stored)));
                    }
                    Ok::<_, StoreError>(batch)
                })
                .map_err(OfficeError::from)?;
            let Some((last, _)) = batch.last() else { return Ok(()) };
            after = Some(*last);
            for walked in self.ask_all(policies, &batch) {
                let (walked, views) = walked?;
                tell(&walked, &views)?;
            }
        }
    }

    fn ask_all(
        &self,
        policies: &[&Policy],
        batch: &[(RecordId, StoredRecord)],
    ) -> Vec<Result<(Walked, Vec<ConductView>), OfficeError>> {
        let now = self.now();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let ask = |(id, stored): &(RecordId, StoredRecord)| {
            let view = Record::load(&stored.document)?.view();
            let moment = moment_of(&view);
            let views = policies.iter().map(|policy| judge(policy, &view, moment, now)).collect();
            let walked = Walked {
                id: id.to_string(),
                case_no: stored.case_no.clone(),
                updated_at: stored.updated_at,
            };
            Ok((walked, views))
        };
        std::thread::scope(|scope| {
            let parts: Vec<_> = batch
                .chunks(batch.len().div_ceil(threads).max(1))
                .map(|part| scope.spawn(move || part.iter().map(ask).collect::<Vec<_>>()))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| part.join().unwrap_or_else(|_| vec![Err(OfficeError::Closing)]))
                .collect()
        })
    }
}
