//! Plausibility of a visit's position, compared with the collector's other visits.

use super::store::{Listing, Sort};
use super::{Office, OfficeError};
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::command::Position;
use crate::record::position::{self, PositionCheck};

/// Other visits within this time are compared, ms: beyond it every place can be reached.
const COMPARED_MS: i64 = 12 * 3_600_000;
/// Records of the collectors that are read for it: more than a day has visits.
const MAX_OTHERS: u32 = 40;

impl Office {
    /// How plausible the position of a visit is; `None` if it has none.
    pub async fn check_position(&self, id: RecordId) -> Result<Option<PositionCheck>, OfficeError> {
        self.blocking(move |office| {
            let view = Record::load(&office.bytes(id)?)?.view();
            let Some(position) = view.visit.position else { return Ok(None) };
            let visitors = view.visit.visitors.clone();
            let listing = Listing {
                collectors: visitors.clone(),
                since: Some(position.at.saturating_sub(COMPARED_MS)),
                sort: Sort::Updated,
                limit: MAX_OTHERS,
                ..Listing::default()
            };
            // An empty filter would match everybody's records.
            let rows = if visitors.is_empty() {
                Vec::new()
            } else {
                office.store.read_with(|reads| reads.list(&listing))?.rows
            };
            let mut others: Vec<Position> = Vec::new();
            for row in rows {
                let Ok(other) = row.summary.id.parse::<RecordId>() else { continue };
                if other == id {
                    continue;
                }
                let visit = Record::load(&office.bytes(other)?)?.view().visit;
                let near = |it: &Position| {
                    it.at.saturating_sub(position.at).saturating_abs() <= COMPARED_MS
                };
                if visit.visitors.iter().any(|visitor| visitors.contains(visitor)) {
                    others.extend(visit.position.filter(near));
                }
            }
            Ok(position::check(&view, &others))
        })
        .await
    }
}
