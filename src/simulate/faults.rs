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
    RequestLost = "request_lost", 120;
    /// A reply never arrives; the office has committed.
    ReplyLost = "reply_lost", 120;
    /// A request arrives twice.
    RequestTwice = "request_twice", 100;
    /// A request arrives after the device gave up on it.
    RequestLate = "request_late", 100;
    /// A reply arrives after the device gave up on it, mostly after a newer request went out.
    ReplyLate = "reply_late", 100;
    /// An older request of a device arrives after a newer one. It follows from the others.
    Reordered = "reordered", 0;
    /// A body is cut short.
    CutShort = "cut_short", 80;
    /// The device dies with a write handed to its disk, and the write is lost.
    WriteLost = "write_lost", 60;
    /// The device dies with a write handed to its disk, and the write is there.
    WriteKept = "write_kept", 60;
    /// The device dies between two steps.
    Crash = "crash", 120;
    /// All devices die at once.
    AllDie = "all_die", 20;
    /// The disk is full for a while.
    DiskFull = "disk_full", 80;
    /// The disk is full in the midst of a write.
    QuotaInWrite = "quota_in_write", 40;
    /// A bit of a stored row flips while the device is off.
    BitFlip = "bit_flip", 500;
    /// Two stored values change places.
    Swapped = "swapped", 200;
    /// A stored value loses its end.
    Truncated = "truncated", 200;
    /// What the store says about itself is damaged: cursor, proof or format.
    MetaDamaged = "meta_damaged", 150;
    /// The store forgets a record that the office has, and nothing tells.
    RowsLost = "rows_lost", 200;
    /// A device's disk becomes an older copy of itself.
    DeviceRestored = "device_restored", 250;
    /// A device's clock jumps.
    ClockJump = "clock_jump", 60;
    /// The page sleeps: nothing that was asked for is carried out for a while.
    Freeze = "freeze", 150;
    /// The office refuses a device from now on.
    DeviceRevoked = "device_revoked", 20;
    /// A collector signs in on one more phone.
    SecondPhone = "second_phone", 40;
    /// A collector's first phone comes late.
    JoinedLate = "joined_late", 40;
    /// Another user signs in in the browser of a running workspace.
    OtherSignIn = "other_sign_in", 60;
    /// A user claims a device that the restored office does not know and that is not theirs.
    DeviceClaimed = "device_claimed", 500;
    /// One process of the office stops and starts again.
    OfficeRestart = "office_restart", 60;
    /// A process of the office dies before a commit.
    OfficeDiesBefore = "office_dies_before_commit", 40;
    /// A process of the office dies after a commit and before the answer.
    OfficeDiesAfter = "office_dies_after_commit", 40;
    /// A process of the office dies between two writes of one request.
    OfficeDiesBetween = "office_dies_between", 700;
    /// Another process of the office commits between a judgement and its commit.
    Interleaved = "interleaved", 250;
    /// The clock of one process of the office jumps.
    OfficeClockJump = "office_clock_jump", 40;
    /// The office gives a record to other collectors.
    Reassigned = "reassigned", 60;
    /// The office takes what it has accepted off the phones. It follows from the others.
    AcceptedExpired = "let_go", 0;
    /// A collector's cracked phone writes into a sealed record on dependencies from before the
    /// seal.
    Backdated = "backdated", 150;
    /// A collector's cracked phone writes a part of the seal and leaves a colleague's name on it.
    HalfSealed = "half_sealed", 150;
    /// The office's store becomes an older copy of itself, in a new life.
    BackupRestored = "backup_restored", 60;
}
