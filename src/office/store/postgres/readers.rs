//! The pool of connections for reads.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Connection, Server};
use crate::office::store::StoreError;

/// Connections for each core: one waits for the server most of the time.
const PER_CORE: usize = 4;

/// The most connections: a server allows 100 by default, for all endpoints.
const MAX_READERS: usize = 24;

/// How long a read waits for a connection: long waits are answered as busy.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The pool.
pub(super) struct Readers {
    pool: Mutex<Pool>,
    freed: Condvar,
    most: usize,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    in_use: usize,
}

impl Readers {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let most = (PER_CORE * cores).clamp(8, MAX_READERS);
        Self { pool: Mutex::default(), freed: Condvar::new(), most }
    }

    /// A connection that no other read uses. Blocks.
    pub(super) fn acquire(&self, server: &Server) -> Result<Reader<'_>, StoreError> {
        let deadline = Instant::now() + MAX_WAIT;
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        while pool.in_use >= self.most {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Busy);
            }
            let waited = self.freed.wait_timeout(pool, left);
            pool = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        pool.in_use += 1;
        let idle = std::iter::from_fn(|| pool.idle.pop()).find(|idle| !idle.is_closed());
        drop(pool);
        // Dropped on failure too, which frees the place.
        let place = Place { readers: self, idle: None };
        let connection = idle.map_or_else(|| server.connect(), Ok)?;
        Ok(Reader { connection, place })
    }
}

/// A connection in use. It is closed when it is dropped, unless it is given back.
pub(super) struct Reader<'r> {
    connection: Connection,
    place: Place<'r>,
}

impl Reader<'_> {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the connection to the pool.
    pub(super) fn give_back(self) {
        let Self { connection, mut place } = self;
        place.idle = Some(connection);
    }
}

/// A place in the pool, freed when it is dropped.
struct Place<'r> {
    readers: &'r Readers,
    idle: Option<Connection>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.in_use -= 1;
        pool.idle.extend(self.idle.take());
        drop(pool);
        self.readers.freed.notify_one();
    }
}
