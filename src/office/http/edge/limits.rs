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
    /// Time that every body gets, before its rate ([`Limits::body_rate`]) counts.
    pub body_grace: Duration,
    /// The lowest average rate of a body, bytes a second.
    pub body_rate: usize,
    /// From a request's head to the beginning of its answer.
    pub answer: Duration,
    /// The same for case lists and workbooks.
    pub long_answer: Duration,
    /// How long what was begun may go on once the program is to stop.
    pub grace: Duration,
    /// The longest work on one round; it stops between two records.
    pub round_work: Duration,
    /// Room for bodies of rounds.
    pub round_bodies: Pool,
    /// Room for pieces of attachments.
    pub piece_bodies: Pool,
    /// Room for bodies from the console.
    pub read_bodies: Pool,
    /// Room for sign-ins; one is an address here.
    pub sign_in_bodies: Pool,
    /// Room for case lists.
    pub sheet_bodies: Pool,
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
    /// Of one device's rounds.
    pub rounds_of_device: Share,
    /// Of one user's rounds.
    pub rounds_of_user: Share,
    /// Of one user's pieces of attachments.
    pub pieces_of_user: Share,
    /// Of one user's requests from the console.
    pub reads_of_user: Share,
    /// Of one user's case lists.
    pub sheets_of_user: Share,
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

/// What one device or user may have of a queue at once.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Requests that are worked on at once.
    pub at_once: usize,
    /// Requests that wait.
    pub waiting: usize,
}

/// Memory for the bodies of one queue, from their first byte until they are answered.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Bytes of all.
    pub bytes: usize,
    /// Bytes of one user, or of one address without a sign-in.
    pub bytes_of_one: usize,
    /// Bodies of one user or address, those that have not begun to come included.
    pub bodies_of_one: usize,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

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
            body_grace: seconds(30),
            body_rate: KIB,
            answer: seconds(60),
            long_answer: seconds(15 * 60),
            grace: seconds(20),
            round_work: seconds(30),
            round_bodies: Pool { bytes: 48 * MIB, bytes_of_one: 6 * MIB, bodies_of_one: 8 },
            piece_bodies: Pool { bytes: 24 * MIB, bytes_of_one: 4 * MIB, bodies_of_one: 8 },
            read_bodies: Pool { bytes: 8 * MIB, bytes_of_one: 2 * MIB, bodies_of_one: 16 },
            sign_in_bodies: Pool { bytes: 2 * MIB, bytes_of_one: 256 * KIB, bodies_of_one: 64 },
            sheet_bodies: Pool { bytes: 64 * MIB, bytes_of_one: 32 * MIB, bodies_of_one: 2 },
            sign_in_body: 16 * KIB,
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
            rounds_of_device: Share { at_once: 1, waiting: 1 },
            rounds_of_user: Share { at_once: 2, waiting: 4 },
            pieces_of_user: Share { at_once: 2, waiting: 6 },
            reads_of_user: Share { at_once: 4, waiting: 16 },
            sheets_of_user: Share { at_once: 2, waiting: 2 },
            ready: seconds(5),
            spare_local: true,
        }
    }
}
