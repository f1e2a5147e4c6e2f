//! Limits on pushes for one record. Each is far above honest use and far below what would overload
//! the office.

/// Changes in one push: a collector who saves every field separately makes some hundreds in a day.
pub const CHANGES: usize = 2_000;

/// Bytes of one change: the longest pasted text has 40,000 characters of 4 bytes, plus columns.
pub const CHANGE_BYTES: usize = 256 * 1024;

/// Operations in all changes of a push: pasting the longest text makes one per character, replacing
/// a text by another two.
pub const OPERATIONS: u64 = 200_000;

/// Operations on keys, in all changes of a push: logging a contact makes ten. Judging them takes
/// more memory than judging characters.
pub const KEYED: u64 = 20_000;

/// Dependencies of a change: one per concurrent author.
pub const DEPS: u64 = 64;

/// Other actors that a change may name: one per session whose values it replaces.
pub const ACTORS: u64 = 256;

/// Bytes of the message, which is the author's sign-in name.
pub const MESSAGE: u64 = 128;

/// Seconds before or after 1970 in the time of a change: the range of a browser's clock. Documents
/// store the difference between the times of changes, which must not overflow.
pub const TIME: u64 = 8_640_000_000_000;

/// Columns of a change: the format has 15.
pub const COLUMNS: u64 = 16;

/// Bytes of a key: the longest are SHA-256 in hex and sign-in names. Bounds the expansion of a run
/// of one key.
pub const KEY: u64 = 128;

/// Changes of a record in total. Loading and checking take time in proportion to their number.
pub const CHANGES_OF_RECORD: usize = 20_000;

/// Bytes of an uncompressed document, the form in which whole documents are sent: every record must
/// fit into a body of the largest size.
pub const DOCUMENT: usize = 2 * 1024 * 1024;
