//! All limits of the traffic.

use std::time::Duration;

/// The limits. `docs/SECURITY.md` has the reason for each.
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
    /// Connections whose client reads nothing for this long are closed.
    pub stalled_read: Duration,
    /// Longest gap in an arriving body.
    pub body_pause: Duration,
    /// Time for every body before [`Limits::body_rate`] applies.
    pub body_grace: Duration,
    /// The lowest average rate of a body, bytes a second.
    pub body_rate: usize,
    /// From a request's head to the beginning of its answer.
    pub response_timeout: Duration,
    /// The same for case lists and workbooks.
    pub long_response_timeout: Duration,
    /// Time for running requests to finish when the program stops.
    pub grace: Duration,
    /// The longest work on one round; it stops between two records.
    pub round_work: Duration,
    /// Memory for bodies of rounds.
    pub round_bodies: BodyLimits,
    /// Memory for pieces of attachments.
    pub piece_bodies: BodyLimits,
    /// Memory for bodies from the console.
    pub read_bodies: BodyLimits,
    /// Memory for sign-ins; per address.
    pub sign_in_bodies: BodyLimits,
    /// Memory for case lists.
    pub sheet_bodies: BodyLimits,
    /// Largest body of a sign-in.
    pub sign_in_body: usize,
    /// Largest command.
    pub command_body: usize,
    /// Largest case list.
    pub sheet_body: usize,
    /// Burst of requests of one user, from all devices, and the rate after it, a second.
    pub user_rate: (u32, u32),
    /// The same for one address without a sign-in.
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
    /// Whether requests from this machine, but not through a proxy, are exempt from the limits per
    /// address and per user.
    pub exempt_local: bool,
}

/// Limits of a queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Requests that run at once.
    pub max_running: usize,
    /// Requests that wait.
    pub max_waiting: usize,
    /// The longest wait.
    pub max_wait: Duration,
}

/// Limits of one device or user in a queue.
#[derive(Debug, Clone, Copy)]
pub struct CallerLimits {
    /// Requests that run at once.
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
    /// Bodies of one user or address, including those with no bytes yet.
    pub bodies_per_caller: usize,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // In total fewer than the 512 threads that may block.
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
