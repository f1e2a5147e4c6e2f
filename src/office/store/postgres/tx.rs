//! One transaction: statements in as few round trips as possible.

use std::collections::BTreeMap;

use tokio_postgres::Statement;

use super::connection::{Connection, Failure, Reply, Request, Server};
use super::row::Row;
use super::value::{Value, values};
use crate::office::store::{Feed, FeedUpdate, StoreError};

/// Reads see one state from the first to the last (rule F3).
pub(super) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Jobs behave as if they ran one after the other.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// Buffered writes are sent when there are this many: bounds memory.
const MAX_BUFFERED: usize = 256;

/// A transaction. It begins with its first statement. Writes are buffered until a read needs them,
/// or until the commit.
pub(super) struct Tx<'c> {
    server: &'c Server,
    connection: &'c mut Connection,
    begin: &'static str,
    begun: bool,
    buffered: Vec<Write>,
    /// How often buffered writes were sent.
    flushes: usize,
    /// Heads of the feeds that were appended to. Their rows are written last (rule F2), in order of
    /// their names, so that endpoints lock them for the shortest time and never in a circle.
    pub(super) feeds: BTreeMap<String, Feed>,
    pub(super) updates: Vec<FeedUpdate>,
    /// What ended the transaction early.
    pub(super) failure: Option<Failure>,
}

/// A buffered write.
struct Write {
    statement: Statement,
    values: Vec<Value>,
    /// Reads that name it need this write; all do if it is empty.
    table: String,
}

/// State before a job, to undo its writes.
pub(super) struct Mark {
    buffered: usize,
    flushes: usize,
    feeds: BTreeMap<String, Feed>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        server: &'c Server,
        connection: &'c mut Connection,
        begin: &'static str,
    ) -> Self {
        let (buffered, feeds, updates) = Default::default();
        let (begun, flushes, failure) = (false, 0, None);
        Self { server, connection, begin, begun, buffered, flushes, feeds, updates, failure }
    }

    pub(super) fn mark(&self) -> Mark {
        let (buffered, flushes) = (self.buffered.len(), self.flushes);
        Mark { buffered, flushes, feeds: self.feeds.clone() }
    }

    /// Drops the writes since a mark; gives `false` if some were sent.
    pub(super) fn undo(&mut self, mark: Mark) -> bool {
        self.buffered.truncate(mark.buffered);
        self.feeds = mark.feeds;
        self.updates.clear();
        self.flushes == mark.flushes
    }

    /// Commits. On success everything is durable.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        for (feed, Feed { seq, digest }) in std::mem::take(&mut self.feeds) {
            let statement = self.connection.statement(
                "INSERT INTO feeds (feed, seq, count, sum) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (feed) DO UPDATE
                 SET seq = excluded.seq, count = excluded.count, sum = excluded.sum",
            )?;
            let values = values![feed, seq, digest.count, digest.sum];
            self.buffered.push(Write { statement, values, table: String::new() });
        }
        if !self.begun && self.buffered.is_empty() {
            return Ok(());
        }
        let buffered = std::mem::take(&mut self.buffered);
        let mut requests = self.requests(&buffered);
        requests.push(Request::Simple("COMMIT"));
        self.begun = true;
        match self.connection.pipeline(requests) {
            Ok(_) => {
                self.begun = false;
                Ok(())
            }
            // The server may have got the commit all the same.
            Err(Failure::Lost(message)) => Err(Failure::Unanswered(message)),
            Err(failure) => Err(failure),
        }
    }

    /// Ends a transaction that does not commit anything, without waiting for the server.
    pub(super) fn end(&self) {
        if self.begun {
            self.connection.send("ROLLBACK");
        }
    }

    /// Buffers a write.
    pub(super) fn write(&mut self, sql: &str, values: Vec<Value>) -> Result<(), StoreError> {
        // Triggers on it write other tables.
        let table = match table_of(sql) {
            "visit_attachments" => "",
            table => table,
        };
        self.go_on()?;
        let statement = self.connection.statement(sql);
        let statement = self.note(statement)?;
        self.buffered.push(Write { statement, values, table: table.to_owned() });
        if self.buffered.len() < MAX_BUFFERED {
            return Ok(());
        }
        let outcome = self.flush();
        self.note(outcome)
    }

    /// Writes at once; gives the number of changed rows.
    pub(super) fn write_now(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        match self.run(sql, &values, true)? {
            Reply::Done(rows) => Ok(rows),
            Reply::Rows(rows) => Ok(rows.len() as u64),
        }
    }

    /// The row of a query that has exactly one.
    pub(super) fn query_one<T>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = self.query_optional(sql, values, read)?;
        found.ok_or_else(|| StoreError::Damaged("a row is missing".into()))
    }

    /// The first row of a query, if there is one.
    pub(super) fn query_optional<T>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows(sql, &values)?.first().map(read).transpose()
    }

    /// All rows of a query.
    pub(super) fn query_all<T>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, &values)?.iter().map(read).collect()
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        match self.run(sql, values, false)? {
            Reply::Rows(rows) => Ok(rows),
            Reply::Done(_) => Ok(Vec::new()),
        }
    }

    fn run(&mut self, sql: &str, values: &[Value], execute: bool) -> Result<Reply, StoreError> {
        self.go_on()?;
        let mut outcome = self.send(sql, values, execute);
        let fresh = !self.begun && self.begin == READ;
        if fresh && outcome.as_ref().is_err_and(Failure::is_lost) {
            // The server was restarted since the connection was used last.
            outcome = self.server.connect().and_then(|connection| {
                *self.connection = connection;
                self.send(sql, values, execute)
            });
        }
        self.note(outcome)
    }

    fn send(&mut self, sql: &str, values: &[Value], execute: bool) -> Result<Reply, Failure> {
        let statement = self.connection.statement(sql)?;
        let needed = execute || self.buffered.iter().any(|write| sql.contains(&write.table));
        let buffered = if needed { std::mem::take(&mut self.buffered) } else { Vec::new() };
        self.flushes += usize::from(execute || !buffered.is_empty());
        let mut requests = self.requests(&buffered);
        requests.push(if execute {
            Request::Execute(statement, values)
        } else {
            Request::Query(statement, values)
        });
        let replies = self.connection.pipeline(requests)?;
        self.begun = true;
        replies.into_iter().last().ok_or_else(|| Failure::Lost("no answer".into()))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let buffered = std::mem::take(&mut self.buffered);
        self.flushes += 1;
        self.connection.pipeline(self.requests(&buffered))?;
        self.begun = true;
        Ok(())
    }

    /// The begin, unless the transaction has begun, and buffered writes.
    fn requests<'v>(&self, buffered: &'v [Write]) -> Vec<Request<'v>> {
        let begin = (!self.begun).then_some(Request::Simple(self.begin));
        let writes =
            buffered.iter().map(|write| Request::Execute(write.statement.clone(), &write.values));
        begin.into_iter().chain(writes).collect()
    }

    fn go_on(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Notes a failure: it ends the transaction, even if the job ignores it.
    fn note<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        outcome.map_err(|failure| {
            self.failure = Some(failure.clone());
            failure.into()
        })
    }
}

/// The table that a statement writes.
fn table_of(sql: &str) -> &str {
    let mut words = sql.split_whitespace();
    words.find(|word| matches!(*word, "INTO" | "UPDATE" | "FROM"));
    words.next().unwrap_or_default()
}
