//! Case lists of loan systems become visit records.
//!
//! A file is read in three steps, each of which knows nothing of the next: [`reader`] makes rows
//! of text of whatever the office sends, [`columns`] finds out which column says what, [`row`]
//! checks one row and turns it into facts of a case. A row that fails is refused with its number,
//! field and reason; the others are imported.
//!
//! [`apply`] then compares each case with what the office holds: new ones become records, facts
//! that changed become an edit of the office, and what is known already changes nothing.

mod apply;
mod cell;
pub mod columns;
pub mod reader;
pub mod report;
pub mod row;

pub use apply::{ImportError, Options, import};
pub use reader::SheetError;
pub use report::{ImportReport, RowOutcome, RowReport};
pub use row::Rules;
