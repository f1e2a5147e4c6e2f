//! Case lists of loan systems become visit records.
//!
//! A file is read in three steps, each of which knows nothing of the next: [`sheet`] makes rows
//! of text of whatever the office sends, [`heading`] finds out which column says what, [`row`]
//! checks one row and turns it into facts of a case. A row that fails is refused with its number,
//! field and reason; the others are imported.
//!
//! [`import`] then compares each case with what the office holds: new ones become records, facts
//! that changed become an edit of the office, and what is known already changes nothing.

pub mod heading;
mod import;
pub mod report;
pub mod row;
pub mod sheet;
mod value;

pub use import::{ImportError, Options, import};
pub use report::{ImportReport, RowOutcome, RowReport};
pub use row::Rules;
pub use sheet::NoSheet;
