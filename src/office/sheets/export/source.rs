//! The records of an export, one page of the list at a time.

use std::vec;

use tokio::runtime::Handle;

use super::{ExportError, Exported};
use crate::ids::RecordId;
use crate::office::store::{Listing, PageCursor, Row, Sort};
use crate::office::{Office, OfficeError};

/// Rows asked for at once: enough that asking doesn't count, few enough to hold.
const PAGE: u32 = 200;

/// Which records are exported.
#[derive(Clone)]
pub struct Selection {
    office: Office,
    listing: Listing,
    runtime: Handle,
}

impl Selection {
    /// The records that pass the filters of a listing, in order of their case numbers.
    ///
    /// `runtime` is where the office's asynchronous work runs while the export blocks its thread.
    pub fn new(office: Office, listing: Listing, runtime: Handle) -> Self {
        // Case numbers and ids never change, so that no record moves from page to page.
        let listing =
            Listing { sort: Sort::CaseNo, descending: false, limit: PAGE, after: None, ..listing };
        Self { office, listing, runtime }
    }

    /// Reads the records, with their documents where wanted. Each step blocks.
    pub(super) fn records(
        self,
        documents: bool,
    ) -> impl Iterator<Item = Result<Exported, ExportError>> {
        Records { selection: self, documents, page: Vec::new().into_iter(), next: Some(None) }
    }
}

struct Records {
    selection: Selection,
    documents: bool,
    page: vec::IntoIter<Row>,
    /// Where the next page begins; `None` once there is none.
    next: Option<Option<PageCursor>>,
}

impl Records {
    fn turn(&mut self, after: Option<PageCursor>) -> Result<(), ExportError> {
        let Selection { office, listing, runtime } = &self.selection;
        let listing = Listing { after, ..listing.clone() };
        let page = runtime.block_on(office.list(listing))?;
        self.page = page.rows.into_iter();
        self.next = page.next.map(Some);
        Ok(())
    }

    fn read(&self, row: &Row) -> Result<Exported, ExportError> {
        let Selection { office, runtime, .. } = &self.selection;
        let id: RecordId = row.summary.id.parse().map_err(|_| OfficeError::UnknownRecord)?;
        let view = runtime.block_on(office.visit(id))?;
        let document =
            if self.documents { runtime.block_on(office.document(id))? } else { Vec::new() };
        Ok(Exported { view, updated_at: row.updated_at, document })
    }
}

impl Iterator for Records {
    type Item = Result<Exported, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.page.next() {
                return Some(self.read(&row));
            }
            let after = self.next.take()?;
            if let Err(error) = self.turn(after) {
                return Some(Err(error));
            }
        }
    }
}
