//! Every figure of the traffic.

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
    pub response_timeout: Duration,
    /// The same for case lists and workbooks.
    pub long_response_timeout: Duration,
    /// How long what was begun may go on once the program is to stop.
    pub grace: Duration,
    /// The longest work on one round; it stops between two records.
    pub round_work: Duration,
    /// Room for bodies of rounds.
    pub round_bodies: BodyLimits,
    /// Room for pieces of attachments.
    pub piece_bodies: BodyLimits,
    /// Room for bodies from the console.
    pub read_bodies: BodyLimits,
    /// Room for sign-ins; one is an address here.
    pub sign_in_bodies: BodyLimits,
    /// Room for case lists.
    pub sheet_bodies: BodyLimits,
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
    pub anonymous_rate: (u32, u32),
    /// Streams of events of one user.
    pub streams_per_user: usize,
    /// Looking up who is asking.
    pub identities: QueueLimits,
    /// Rounds.
    pub rounds: QueueLimits,
    /// Pieces of attachments.
    pub pieces: QueueLimits,
    /// The console.
    pub reads: QueueLimits,
    /// Signing in.
    pub sign_ins: QueueLimits,
    /// Imports and exports.
    pub sheets: QueueLimits,
    /// Of one device's rounds.
    pub rounds_per_device: CallerLimits,
    /// Of one user's rounds.
    pub rounds_per_user: CallerLimits,
    /// Of one user's pieces of attachments.
    pub pieces_per_user: CallerLimits,
    /// Of one user's requests from the console.
    pub reads_per_user: CallerLimits,
    /// Of one user's case lists.
    pub sheets_per_user: CallerLimits,
    /// How long the store may take over one small write and count as ready.
    pub ready: Duration,
    /// Whether what comes from this machine itself, and through no proxy, is spared the bounds
    /// per address and per user.
    pub exempt_local: bool,
}

/// A queue: how many work, how many wait, and how long.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Requests that are worked on at once.
    pub max_running: usize,
    /// Requests that wait.
    pub max_waiting: usize,
    /// The longest wait.
    pub max_wait: Duration,
}

/// What one device or user may have of a queue at once.
#[derive(Debug, Clone, Copy)]
pub struct CallerLimits {
    /// Requests that are worked on at once.
    pub max_running: usize,
    /// Requests that wait.
    pub max_waiting: usize,
}

/// Memory for the bodies of one queue, from their first byte until they are answered.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes of all.
    pub bytes: usize,
    /// Bytes of one user, or of one address without a sign-in.
    pub bytes_per_caller: usize,
    /// Bodies of one user or address, those that have not begun to come included.
    pub bodies_per_caller: usize,
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
            response_timeout: seconds(60),
            long_response_timeout: seconds(15 * 60),
            grace: seconds(20),
            round_work: seconds(30),
            round_bodies: BodyLimits {
                bytes: 48 * MIB,
                bytes_per_caller: 6 * MIB,
                bodies_per_caller: 8,
            },
            piece_bodies: BodyLimits {
                bytes: 24 * MIB,
                bytes_per_caller: 4 * MIB,
                bodies_per_caller: 8,
            },
            read_bodies: BodyLimits {
                bytes: 8 * MIB,
                bytes_per_caller: 2 * MIB,
                bodies_per_caller: 16,
            },
            sign_in_bodies: BodyLimits {
                bytes: 2 * MIB,
                bytes_per_caller: 256 * KIB,
                bodies_per_caller: 64,
            },
            sheet_bodies: BodyLimits {
                bytes: 64 * MIB,
                bytes_per_caller: 32 * MIB,
                bodies_per_caller: 2,
            },
            sign_in_body: 16 * KIB,
            command_body: MIB,
            sheet_body: 32 * MIB,
            user_rate: (300, 10),
            anonymous_rate: (600, 20),
            streams_per_user: 8,
            identities: QueueLimits {
                max_running: 4 * cores,
                max_waiting: 1_024,
                max_wait: seconds(5),
            },
            rounds: QueueLimits { max_running: 16 * cores, max_waiting: 256, max_wait: seconds(5) },
            pieces: QueueLimits { max_running: 4 * cores, max_waiting: 64, max_wait: seconds(10) },
            reads: QueueLimits { max_running: 4 * cores, max_waiting: 128, max_wait: seconds(10) },
            sign_ins: QueueLimits {
                max_running: 2 * cores,
                max_waiting: 64,
                max_wait: seconds(10),
            },
            sheets: QueueLimits { max_running: 4, max_waiting: 8, max_wait: seconds(30) },
            rounds_per_device: CallerLimits { max_running: 1, max_waiting: 1 },
            rounds_per_user: CallerLimits { max_running: 2, max_waiting: 4 },
            pieces_per_user: CallerLimits { max_running: 2, max_waiting: 6 },
            reads_per_user: CallerLimits { max_running: 4, max_waiting: 16 },
            sheets_per_user: CallerLimits { max_running: 2, max_waiting: 2 },
            ready: seconds(5),
            exempt_local: true,
        }
    }
}
