//! Plausibility of a visit's position, compared with the collector's other visits.

use std::collections::BTreeSet;

use super::store::{Listing, Sort};
use super::{Office, OfficeError};
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::command::Position;
use crate::record::position::{self, PositionCheck};

/// Other visits within this time are compared, ms: beyond it every place can be reached.
const COMPARED_MS: i64 = 12 * 3_600_000;
/// Records of a collector that are read for it: more than a day has visits.
const MAX_OTHERS: u32 = 40;

impl Office {
    /// How plausible the position of a visit is; `None` if it has none.
    pub async fn check_position(&self, id: RecordId) -> Result<Option<PositionCheck>, OfficeError> {
        self.blocking(move |office| {
            let view = Record::load(&office.bytes(id)?)?.view();
            let Some(position) = view.visit.position else { return Ok(None) };
            let mut others: Vec<Position> = Vec::new();
            let mut seen = BTreeSet::from([id]);
            for visitor in &view.visit.visitors {
                let listing = Listing {
                    collector: Some(visitor.clone()),
                    since: Some(position.at.saturating_sub(COMPARED_MS)),
                    sort: Sort::Updated,
                    limit: MAX_OTHERS,
                    ..Listing::default()
                };
                let page = office.store.read_with(|reads| reads.list(&listing))?;
                let ids = page.rows.iter().filter_map(|row| row.summary.id.parse().ok());
                for other in ids.filter(|other| seen.insert(*other)) {
                    let visit = Record::load(&office.bytes(other)?)?.view().visit;
                    let near = |it: &Position| {
                        it.at.saturating_sub(position.at).saturating_abs() <= COMPARED_MS
                    };
                    if visit.visitors.contains(visitor) {
                        others.extend(visit.position.filter(near));
                    }
                }
            }
            Ok(position::check(&view, &others))
        })
        .await
    }
}
