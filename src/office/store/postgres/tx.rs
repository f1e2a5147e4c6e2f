//! One transaction: statements in as few round trips as possible.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use tokio_postgres::Statement;

use super::connection::{Connection, Failure, Reply, Request, Server};
use super::row::Row;
use super::value::{Value, values};
use crate::office::store::{Feed, FeedUpdate, Prefetch, Reads, StoreError};

/// Reads see one state from the first to the last (rule F3).
pub(super) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Jobs behave as if they ran one after the other.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// The same after a conflict: endpoints whose transactions failed take turns, or they would make each other
/// fail again. The snapshot is taken behind the lock. Nothing but speed depends on it.
pub(super) const WRITE_IN_TURN: &str =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE turns IN EXCLUSIVE MODE";

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
    /// How often writes were sent.
    flushes: usize,
    /// Answers to reads that were announced, by [`key`].
    fetched: HashMap<String, Rc<Vec<Row>>>,
    /// Reads that are being announced.
    announced: Option<Vec<Announced>>,
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
    /// Reads that it [`concerns`] need this write.
    table: String,
}

/// A read that is likely to follow.
struct Announced {
    key: String,
    sql: String,
    values: Vec<Value>,
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
        Self {
            server,
            connection,
            begin,
            begun: false,
            buffered: Vec::new(),
            flushes: 0,
            fetched: HashMap::new(),
            announced: None,
            feeds: BTreeMap::new(),
            updates: Vec::new(),
            failure: None,
        }
    }

    /// The state before a job. What an earlier one announced is of no use to it.
    pub(super) fn mark(&mut self) -> Mark {
        self.fetched.clear();
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
        self.go_on()?;
        let statement = self.connection.statement(sql);
        let (statement, table) = (self.note(statement)?, table_of(sql).to_owned());
        self.forget(&table);
        self.buffered.push(Write { statement, values, table });
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

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Rc<Vec<Row>>, StoreError> {
        if self.announced.is_some() || !self.fetched.is_empty() {
            let key = key(sql, values);
            if let Some(rows) = self.fetched.get(&key) {
                return Ok(Rc::clone(rows));
            }
            if let Some(announced) = &mut self.announced {
                announced.push(Announced { key, sql: sql.to_owned(), values: values.to_vec() });
                return Ok(Rc::default());
            }
        }
        match self.run(sql, values, false)? {
            Reply::Rows(rows) => Ok(Rc::new(rows)),
            Reply::Done(_) => Ok(Rc::default()),
        }
    }

    fn run(&mut self, sql: &str, values: &[Value], execute: bool) -> Result<Reply, StoreError> {
        self.go_on()?;
        let outcome = self.send(&[(sql, values)], execute);
        let outcome =
            outcome.and_then(|replies| replies.into_iter().next_back().ok_or_else(no_answer));
        self.note(outcome)
    }

    /// Sends statements, and buffered writes that they need, in one round trip; gives the replies to
    /// the statements.
    fn send(
        &mut self,
        statements: &[(&str, &[Value])],
        execute: bool,
    ) -> Result<Vec<Reply>, Failure> {
        let fresh = !self.begun && self.begin == READ;
        let outcome = self.send_once(statements, execute);
        if fresh && outcome.as_ref().is_err_and(Failure::is_lost) {
            // The server was restarted since the connection was used last.
            *self.connection = self.server.connect()?;
            self.begun = false;
            return self.send_once(statements, execute);
        }
        outcome
    }

    fn send_once(
        &mut self,
        statements: &[(&str, &[Value])],
        execute: bool,
    ) -> Result<Vec<Reply>, Failure> {
        let mut prepared = Vec::with_capacity(statements.len());
        let mut needed = false;
        for (sql, values) in statements {
            // Some writes return rows.
            let writes = !sql.starts_with("SELECT");
            if writes {
                self.forget(table_of(sql));
                self.flushes += 1;
            }
            needed |= writes || self.buffered.iter().any(|write| concerns(sql, &write.table));
            prepared.push((self.connection.statement(sql)?, *values));
        }
        let buffered = if needed { std::mem::take(&mut self.buffered) } else { Vec::new() };
        self.flushes += usize::from(!buffered.is_empty());
        let mut requests = self.requests(&buffered);
        let before = requests.len();
        requests.extend(prepared.into_iter().map(|(statement, values)| match execute {
            true => Request::Execute(statement, values),
            false => Request::Query(statement, values),
        }));
        // Even if a statement fails: the transaction that began with it has to end.
        self.begun = true;
        let mut replies = self.connection.pipeline(requests)?;
        Ok(replies.split_off(before.min(replies.len())))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let buffered = std::mem::take(&mut self.buffered);
        self.flushes += 1;
        let requests = self.requests(&buffered);
        self.begun = true;
        self.connection.pipeline(requests)?;
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

impl Tx<'_> {
    fn fetch(&mut self, announced: Vec<Announced>) -> Result<(), Failure> {
        let statements: Vec<(&str, &[Value])> =
            announced.iter().map(|read| (read.sql.as_str(), read.values.as_slice())).collect();
        let replies = self.send(&statements, false)?;
        for (read, reply) in announced.into_iter().zip(replies) {
            if let Reply::Rows(rows) = reply {
                self.fetched.insert(read.key, Rc::new(rows));
            }
        }
        Ok(())
    }

    /// Forgets answers that a write to a table makes wrong.
    fn forget(&mut self, table: &str) {
        self.fetched.retain(|key, _| !concerns(key, table));
    }
}

impl Prefetch for Tx<'_> {
    fn prefetch(&mut self, reads: &mut dyn FnMut(&mut dyn Reads)) {
        if self.failure.is_some() || self.announced.is_some() {
            return;
        }
        self.announced = Some(Vec::new());
        reads(self);
        let announced = self.announced.take().unwrap_or_default();
        if !announced.is_empty() {
            let outcome = self.fetch(announced);
            // The reads that follow fail with the same failure.
            drop(self.note(outcome));
        }
    }
}

/// Identifies a read: its statement and values.
fn key(sql: &str, values: &[Value]) -> String {
    format!("{sql} {values:?}")
}

fn no_answer() -> Failure {
    Failure::Lost("no answer".into())
}

/// The table that a statement writes.
fn table_of(sql: &str) -> &str {
    let mut words = sql.split_whitespace();
    words.find(|word| matches!(*word, "INTO" | "UPDATE" | "FROM"));
    words.next().unwrap_or_default()
}

/// Whether a statement reads what a write to a table changes, perhaps by a trigger.
fn concerns(sql: &str, table: &str) -> bool {
    sql.contains(table) || (table == "visit_attachments" && sql.contains("blobs"))
}
