//! Caps on what a device may push for one record. Each is far above what a person does and far
//! below what hurts the office.

/// Changes in one push: a collector who saves every field by itself makes a few hundred in a day.
pub const CHANGES: usize = 2_000;

/// Bytes of one change: the longest text pasted at once is 40,000 characters of 4 bytes, and its
/// columns cost a little more.
pub const CHANGE_BYTES: usize = 256 * 1024;

/// Operations in one change, and in all changes of a push: pasting the longest text makes one per
/// character, replacing one text by another two.
pub const OPERATIONS: u64 = 200_000;

/// Operations on keys, in all changes of a push: logging a contact makes ten. They take more memory
/// to judge than characters do.
pub const KEYED: u64 = 20_000;

/// Heads that a change may follow: one per person who wrote meanwhile.
pub const DEPS: u64 = 64;

/// Other actors that a change may name: one per session of anybody whose values it touches.
pub const ACTORS: u64 = 256;

/// Bytes of the message, which is the author's sign-in name.
pub const MESSAGE: u64 = 128;

/// Seconds either side of 1970 that a change may claim to be written: as far as a browser's clock
/// goes. A document counts from one change's time to the next, and a time near the end of the
/// numbers would leave no room for any later change.
pub const TIME: u64 = 8_640_000_000_000;

/// Columns of a change: the format has 15.
pub const COLUMNS: u64 = 16;

/// Bytes of a key: the longest are SHA-256 in hex and sign-in names. Bounds what a run of one key
/// expands to.
pub const KEY: u64 = 128;

/// Changes of a record over its life. Loading and checking go with their number.
pub const CHANGES_OF_RECORD: usize = 20_000;

/// Bytes of a document whose columns are not deflated, as it travels whole: a page must carry any
/// record within the largest body.
pub const DOCUMENT: usize = 2 * 1024 * 1024;
