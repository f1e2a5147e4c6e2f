//! The faults that may strike, and how often.

macro_rules! faults {
    ($($(#[$meta:meta])* $name:ident = $word:literal, $per_mille:literal;)+) => {
        /// A fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$meta])* $name,)+ }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The word for reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
            /// How often it strikes where it may, of a thousand.
            pub fn per_mille(self) -> u32 {
                match self { $(Self::$name => $per_mille),+ }
            }
        }
    };
}

faults! {
    /// A request never arrives.
    RequestLost = "request_lost", 150;
    /// A reply never arrives; the office has committed.
    ReplyLost = "reply_lost", 150;
    /// A request arrives twice.
    RequestTwice = "request_twice", 100;
    /// A request arrives again, long after its round.
    RequestLate = "request_late", 100;
    /// A body is cut short.
    CutShort = "cut_short", 80;
    /// The device dies before a write is on disk.
    CrashBeforeCommit = "crash_before_commit", 40;
    /// The device dies after a write is on disk, before it knows.
    CrashAfterCommit = "crash_after_commit", 40;
    /// The device dies between two steps.
    Crash = "crash", 120;
    /// The disk is full for a while.
    DiskFull = "disk_full", 80;
    /// A bit of a stored row flips while the device is off.
    BitFlip = "bit_flip", 500;
    /// The store forgets a record that the office has, and nothing tells.
    RowsLost = "rows_lost", 150;
    /// The office stops and starts again.
    OfficeRestart = "office_restart", 60;
    /// A device's clock jumps.
    ClockJump = "clock_jump", 60;
    /// The page sleeps: nothing that was asked for is carried out for a while.
    Freeze = "freeze", 150;
    /// The office gives a record to other collectors.
    Reassigned = "reassigned", 60;
}
