//! Every figure of the edge.

use std::time::Duration;

/// The bounds. `docs/SECURITY.md` says why each is what it is.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once, from everywhere.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// From the connection to its first whole request.
    pub first_request: Duration,
    /// Between two requests on one connection, and for the head of a later one.
    pub idle: Duration,
    /// A reader that takes nothing for so long is given up.
    pub stalled_read: Duration,
    /// A body of which nothing comes for so long is given up.
    pub body_pause: Duration,
    /// From a request's head to the beginning of its answer.
    pub answer: Duration,
    /// The same for case lists and workbooks.
    pub long_answer: Duration,
    /// How long what was begun may go on once the program is to stop.
    pub grace: Duration,
    /// Bytes of all bodies that are held at once.
    pub body_bytes: usize,
    /// Largest body of a sign-in.
    pub sign_in_body: usize,
    /// Largest command.
    pub command_body: usize,
    /// Largest case list.
    pub sheet_body: usize,
    /// Requests that a user may send at once after a quiet time, and a second from then on, from
    /// all devices.
    pub user_rate: (u32, u32),
    /// The same for everybody at one address who is not signed in.
    pub stranger_rate: (u32, u32),
    /// Streams of events of one user.
    pub streams_per_user: usize,
    /// Looking up who is asking.
    pub identities: Turns,
    /// Rounds.
    pub rounds: Turns,
    /// Pieces of attachments.
    pub pieces: Turns,
    /// The console.
    pub reads: Turns,
    /// Signing in.
    pub sign_ins: Turns,
    /// Imports and exports.
    pub sheets: Turns,
    /// How long the store may take over one small write and count as ready.
    pub ready: Duration,
    /// Whether what comes from this machine itself, and through no proxy, is spared the bounds
    /// per address and per user.
    pub spare_local: bool,
}

/// A queue: how many work, how many wait, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// Requests that are worked on at once.
    pub at_once: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// The longest wait.
    pub patience: Duration,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // All of it together stays below the number of threads that may block, 512.
        let cores = cores.min(16);
        let seconds = Duration::from_secs;
        Self {
            connections: 4_096,
            connections_per_address: 512,
            first_request: seconds(15),
            idle: seconds(75),
            stalled_read: seconds(60),
            body_pause: seconds(30),
            answer: seconds(60),
            long_answer: seconds(15 * 60),
            grace: seconds(20),
            body_bytes: 96 * MIB,
            sign_in_body: 16 * 1024,
            command_body: MIB,
            sheet_body: 32 * MIB,
            user_rate: (300, 10),
            stranger_rate: (600, 20),
            streams_per_user: 8,
            identities: Turns { at_once: 4 * cores, waiting: 1_024, patience: seconds(5) },
            rounds: Turns { at_once: 16 * cores, waiting: 256, patience: seconds(5) },
            pieces: Turns { at_once: 4 * cores, waiting: 64, patience: seconds(10) },
            reads: Turns { at_once: 4 * cores, waiting: 128, patience: seconds(10) },
            sign_ins: Turns { at_once: 2 * cores, waiting: 64, patience: seconds(10) },
            sheets: Turns { at_once: 4, waiting: 8, patience: seconds(30) },
            ready: seconds(5),
            spare_local: true,
        }
    }
}
