//! Feed updates between endpoints: NOTIFY after a commit, LISTEN, and a comparison of the feeds'
//! heads from time to time. All of it is only about speed: an update that gets lost costs delay.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until};
use tokio_postgres::{AsyncMessage, Client, Config, Notification};

use super::tls::Tls;
use crate::office::store::FeedUpdate;

const CHANNEL: &str = "doorstep_feeds";

/// Updates that wait to be announced; more are dropped.
const MAX_WAITING: usize = 4096;

/// An announcement of this length takes no further update, bytes: PostgreSQL allows 8,000, and names of
/// feeds are short.
const MAX_TEXT: usize = 7_000;

/// Between two comparisons while announcements arrive.
const COMPARE: Duration = Duration::from_secs(30);

/// Between two attempts to connect.
const RECONNECT: Duration = Duration::from_secs(1);

/// Where the writer posts its feed updates.
#[derive(Clone)]
pub(super) struct Bulletin(mpsc::Sender<FeedUpdate>);

impl Bulletin {
    /// The bulletin, and the task that serves it until the store is dropped.
    pub(super) fn new(
        server: (Config, Tls),
        updates: broadcast::Sender<FeedUpdate>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, posted) = mpsc::channel(MAX_WAITING);
        let own = format!("{:016x}", fastrand::u64(..));
        let task = Board { server, updates, posted, own, heads: HashMap::new() };
        (Self(sender), task.serve())
    }

    /// Announces an update. Never blocks.
    pub(super) fn post(&self, update: FeedUpdate) {
        // A full board costs other endpoints delay.
        let _ = self.0.try_send(update);
    }
}

/// The task behind a bulletin.
struct Board {
    server: (Config, Tls),
    updates: broadcast::Sender<FeedUpdate>,
    posted: mpsc::Receiver<FeedUpdate>,
    /// Marks own announcements.
    own: String,
    /// Heads of the feeds at the last comparison.
    heads: HashMap<String, i64>,
}

impl Board {
    async fn serve(mut self) {
        loop {
            match self.connected().await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "feed updates are delayed"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// Announces and listens until the connection or the store ends.
    async fn connected(&mut self) -> Result<(), tokio_postgres::Error> {
        let (config, tls) = &self.server;
        let (client, mut connection) = config.connect(tls.clone()).await?;
        let (sender, mut heard) = mpsc::channel(MAX_WAITING);
        tokio::spawn(async move {
            // A full channel loses announcements; the next comparison finds what they said.
            while let Some(Ok(message)) =
                std::future::poll_fn(|context| connection.poll_message(context)).await
            {
                if let AsyncMessage::Notification(said) = message {
                    let _ = sender.try_send(said);
                }
            }
        });
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let mut due = Instant::now();
        loop {
            tokio::select! {
                said = heard.recv() => match said {
                    Some(said) => self.hear(&said),
                    // Closed: the next request says why.
                    None => client.check_connection().await?,
                },
                first = self.posted.recv() => match first {
                    Some(first) => self.announce(&client, first).await?,
                    None => return Ok(()),
                },
                () = sleep_until(due) => {
                    self.compare(&client).await?;
                    due = Instant::now() + COMPARE;
                }
            }
        }
    }

    fn hear(&self, said: &Notification) {
        let mut lines = said.payload().lines();
        if lines.next() == Some(self.own.as_str()) {
            return;
        }
        for line in lines {
            let Some((seq, feed)) = line.split_once(' ') else { continue };
            let Ok(seq) = seq.parse() else { continue };
            drop(self.updates.send(FeedUpdate { feed: feed.to_owned(), seq }));
        }
    }

    async fn announce(
        &mut self,
        client: &Client,
        first: FeedUpdate,
    ) -> Result<(), tokio_postgres::Error> {
        let mut text = self.own.clone();
        let mut next = Some(first);
        while let Some(FeedUpdate { feed, seq }) = next {
            text.push_str(&format!("\n{seq} {feed}"));
            next = if text.len() < MAX_TEXT { self.posted.try_recv().ok() } else { None };
        }
        client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &text]).await.map(drop)
    }

    /// Reports feeds whose heads differ from the last comparison: at first all, since announcements
    /// may have been missed.
    async fn compare(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        for row in client.query("SELECT feed, seq FROM feeds", &[]).await? {
            let (feed, seq): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let before = self.heads.insert(feed.clone(), seq);
            if before != Some(seq) {
                let seq = u64::try_from(seq).unwrap_or_default();
                drop(self.updates.send(FeedUpdate { feed, seq }));
            }
        }
        Ok(())
    }
}
