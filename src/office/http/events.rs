//! `GET /api/events`: tells clients that a feed moved (rule R8), so that they sync. A lost event only
//! costs delay: the next heartbeat names the feed's number again. The stream ends once its session has
//! ended or its device is revoked, at the next heartbeat at the latest.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::extract::{Caller, State};
use super::{App, Problem};
use crate::office::Session;
use crate::record::terms::Role;

/// Proxies close connections that are silent for a minute, and clients take them for dead.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// Moves within this time are sent as one event.
const GATHER: Duration = Duration::from_millis(50);

pub(super) async fn stream(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Problem> {
    let session = caller.identity.session;
    let permit = app.traffic.stream(&session.user)?;
    let feed = (session.role == Role::Collector).then(|| session.user.clone());
    let moves = app.office.watch_feed(feed.as_deref());
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        send_moves(app, session, feed, moves, sender).await;
        drop(permit);
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).into_response())
}

/// Sends the moves of one feed, or of all, and heartbeats, until the client leaves, its session ends
/// or the office stops.
async fn send_moves(
    app: Arc<App>,
    session: Session,
    feed: Option<String>,
    mut moves: watch::Receiver<u64>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut closing = app.closing.clone();
    // The first comes at once, with what moved before the subscription.
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let moved = tokio::select! {
            moved = moves.changed() => Some(moved),
            _ = heartbeat.tick() => None,
            _ = closing.wait_for(|closing| *closing) => return,
            () = sender.closed() => return,
        };
        let (name, seq) = match moved {
            Some(Ok(())) => {
                tokio::time::sleep(GATHER).await;
                ("moved", Some(*moves.borrow_and_update()))
            }
            Some(Err(_)) => return,
            None => match &feed {
                Some(feed) => ("alive", app.office.feed_seq(feed).await.ok()),
                None => ("alive", None),
            },
        };
        if !app.accounts.is_current(&session).await.unwrap_or(false) {
            return;
        }
        let data = seq.map_or("{}".to_owned(), |seq| format!("{{\"seq\":{seq}}}"));
        let event = Event::default().event(name).data(data);
        if sender.send(Ok(event)).await.is_err() {
            return;
        }
    }
}
