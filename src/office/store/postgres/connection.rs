//! Connections to the server, driven by a thread of their own; callers block for the answers.

use std::collections::HashMap;
use std::error::Error as _;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Statement};

use super::row::Row;
use super::tls::{self, Tls};
use super::value::Value;
use crate::office::store::StoreError;

/// How long the server may take for one answer: longer than it gives a statement, so that only a
/// server that has stopped or vanished reaches it.
const ANSWER: Duration = Duration::from_secs(30);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Settings of each session. A statement or a wait for a lock never takes longer than the phones'
/// requests last, and a transaction whose endpoint vanished holds its locks for a minute at most.
const SETTINGS: &str = "-c statement_timeout=20s -c lock_timeout=5s \
                        -c idle_in_transaction_session_timeout=60s -c client_encoding=UTF8 \
                        -c client_min_messages=warning";

/// Prepared statements that a connection keeps; the lists' filters make some variants.
const MAX_STATEMENTS: usize = 512;

/// Why a transaction failed.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// A concurrent transaction was faster, or holds a lock.
    Conflict(String),
    /// A constraint does not hold, perhaps because of a concurrent transaction.
    Constraint(String),
    /// The connection was lost, or none can be made. Nothing was committed.
    Lost(String),
    /// The connection was lost during a commit, which may have happened.
    Unanswered(String),
    /// The server refused a statement.
    Refused(String),
    /// A job failed on its own.
    Job(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(_) => Self::Busy,
            Failure::Constraint(message) | Failure::Refused(message) => Self::Failed(message),
            Failure::Lost(message) | Failure::Unanswered(message) => Self::Unavailable(message),
            Failure::Job(error) => error,
        }
    }
}

impl Failure {
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        let message = message(error);
        let Some(code) = error.code() else {
            let io = error.source().is_some_and(|source| source.is::<std::io::Error>());
            let lost = error.is_closed() || io;
            return if lost { Self::Lost(message) } else { Self::Refused(message) };
        };
        match code.code() {
            // Serialization failure, deadlock, lock timeout, statement timeout.
            "40001" | "40P01" | "55P03" | "57014" => Self::Conflict(message),
            "23503" | "23505" => Self::Constraint(message),
            // Shut down, too many connections, idle in transaction; and a plan that another
            // endpoint's migration made invalid: a new connection makes a new one.
            "57P01" | "57P02" | "57P03" | "53300" | "25P03" | "0A000" => Self::Lost(message),
            code if code.starts_with("08") => Self::Lost(message),
            _ => Self::Refused(message),
        }
    }

    /// Whether the connection is of no use any more.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unanswered(_))
    }
}

/// Whether a TLS handshake failed for what the server is.
fn is_distrusted(error: &tokio_postgres::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::InvalidData)
}

/// The server's own words; its details could name values.
fn message(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("{error}{source}")
        },
        |error| format!("{} ({})", error.message(), error.code().code()),
    )
}

/// A database server, and the thread that talks to it.
pub(super) struct Server {
    config: Config,
    tls: Tls,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    round_trips: Arc<AtomicU64>,
}

impl Server {
    pub(super) fn of(address: &str) -> Result<Self, StoreError> {
        let (mut config, tls) = tls::parse(address)?;
        let options = config.get_options().unwrap_or_default();
        config.options(format!("{SETTINGS} {options}"));
        config.connect_timeout(CONNECT);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(ANSWER);
        if config.get_application_name().is_none() {
            config.application_name("doorstep");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-io")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { config, tls, runtime: Some(runtime), round_trips: Arc::default() })
    }

    /// How to connect.
    pub(super) fn config(&self) -> (Config, Tls) {
        (self.config.clone(), self.tls.clone())
    }

    /// Answers waited for since the store was opened, on all connections.
    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    /// Runs a task on the store's own thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
    }

    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let ((config, tls), trips) = (self.config(), Arc::clone(&self.round_trips));
        let (sender, connected) = tokio::sync::oneshot::channel();
        self.spawn(async move {
            let outcome = config.connect(tls).await.map(|(client, connection)| {
                // It ends with the client; an error reaches the client's requests too.
                tokio::spawn(async move { drop(connection.await) });
                client
            });
            drop(sender.send(outcome));
        });
        match wait(connected, ANSWER) {
            Some(Ok(Ok(client))) => Ok(Connection { client, statements: HashMap::new(), trips }),
            // Another certificate than the address demands does not become right by waiting.
            Some(Ok(Err(error))) if is_distrusted(&error) => Err(Failure::Refused(message(&error))),
            Some(Ok(Err(error))) if error.code().is_none() => Err(Failure::Lost(message(&error))),
            Some(Ok(Err(error))) => Err(Failure::of(&error)),
            Some(Err(_)) => Err(Failure::Lost("the store is closing".into())),
            None => Err(Failure::Lost("the server does not answer".into())),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Unlike dropping it, this is allowed in asynchronous code.
            runtime.shutdown_background();
        }
    }
}

/// A request of a pipeline.
pub(super) enum Request<'v> {
    /// A statement without parameters.
    Simple(&'static str),
    /// A statement that gives the number of changed rows.
    Execute(Statement, &'v [Value]),
    /// A query.
    Query(Statement, &'v [Value]),
}

/// The answer to a request.
pub(super) enum Reply {
    Done(u64),
    Rows(Vec<Row>),
}

/// One connection; one transaction at a time uses it.
pub(super) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
    trips: Arc<AtomicU64>,
}

impl Connection {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The connection's client, for what is not a statement of the store.
    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The prepared statement of a text.
    pub(super) fn statement(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.trips.fetch_add(1, Ordering::Relaxed);
        let statement = answered(self.client.prepare(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends all requests at once and waits for the answers: one round trip. Fails with the first
    /// failure.
    pub(super) fn pipeline(&self, requests: Vec<Request<'_>>) -> Result<Vec<Reply>, Failure> {
        type Answer<'f> =
            Pin<Box<dyn Future<Output = Result<Reply, tokio_postgres::Error>> + Send + 'f>>;
        let client = &self.client;
        let mut answers: Vec<Answer<'_>> =
            requests
                .into_iter()
                .map(|request| -> Answer<'_> {
                    match request {
                        Request::Simple(sql) => Box::pin(async move {
                            client.batch_execute(sql).await.map(|()| Reply::Done(0))
                        }),
                        Request::Execute(statement, values) => Box::pin(async move {
                            client.execute(&statement, &parameters(values)).await.map(Reply::Done)
                        }),
                        Request::Query(statement, values) => Box::pin(async move {
                            let rows = client.query(&statement, &parameters(values)).await?;
                            Ok(Reply::Rows(rows.into_iter().map(Row).collect()))
                        }),
                    }
                })
                .collect();
        let mut replies: Vec<Option<Result<Reply, tokio_postgres::Error>>> = Vec::new();
        replies.resize_with(answers.len(), || None);
        self.trips.fetch_add(1, Ordering::Relaxed);
        // A request is sent when its future is polled first, so they are sent in order.
        let all = std::future::poll_fn(|context| {
            let mut ready = true;
            for (answer, reply) in answers.iter_mut().zip(&mut replies) {
                if reply.is_none() {
                    match answer.as_mut().poll(context) {
                        Poll::Ready(outcome) => *reply = Some(outcome),
                        Poll::Pending => ready = false,
                    }
                }
            }
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        let finished = wait(all, ANSWER);
        drop(answers);
        let mut done = Vec::with_capacity(replies.len());
        for reply in replies.into_iter().flatten() {
            done.push(reply.map_err(|error| Failure::of(&error))?);
        }
        finished.map(|()| done).ok_or_else(|| Failure::Lost("the server does not answer".into()))
    }

    /// Sends a statement whose outcome does not matter: the end of a transaction that only read or
    /// that failed.
    pub(super) fn send(&self, sql: &'static str) {
        let request = pin!(self.client.batch_execute(sql));
        // The first poll sends it; an answer without a waiting caller is discarded.
        let _ = request.poll(&mut Context::from_waker(Waker::noop()));
    }
}

pub(super) fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Waits for the answer to a request.
pub(super) fn answered<T>(
    request: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    match wait(request, ANSWER) {
        Some(outcome) => outcome.map_err(|error| Failure::of(&error)),
        None => Err(Failure::Lost("the server does not answer".into())),
    }
}

/// Blocks this thread until a future is ready; `None` if that takes too long. Other threads drive
/// what it waits for, so this works on any thread, also one of an asynchronous runtime.
pub(super) fn wait<T>(future: impl Future<Output = T>, limit: Duration) -> Option<T> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, deadline) = (pin!(future), Instant::now() + limit);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}
