//! Imports case lists of loan systems as visit records.
//!
//! [`reader`] converts a file to rows of text, [`columns`] maps its headings to fields, and [`row`]
//! validates a row and converts it to facts of a case. An invalid row is refused with its number,
//! field and reason; the others are imported.
//!
//! [`apply`](import) compares each case with the office's records: a new case becomes a record,
//! changed facts become an edit of the office, and an unchanged case writes nothing.

mod apply;
mod cell;
pub mod columns;
pub mod reader;
mod reason;
pub mod report;
pub mod row;

pub use apply::{BATCH, ImportError, Importer, Options, import};
pub use reader::{Sheet, SheetError};
pub use reason::Reason;
pub use report::{ImportReport, RowOutcome, RowReport};
pub use row::Rules;
