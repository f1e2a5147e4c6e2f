//! `GET /api/events`: tells clients that a feed moved (rule R8), so that they sync. A lost event only
//! costs delay: the next heartbeat names the feed's number again. The stream ends once its session has
//! ended or its device is revoked, at the next heartbeat at the latest.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::extract::Caller;
use super::{App, Problem};
use crate::office::Session;
use crate::office::store::FeedUpdate;
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
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        send_moves(app, session, sender).await;
        drop(permit);
    });
    Ok(Sse::new(ReceiverStream::new(receiver)).into_response())
}

/// Sends the moves of one feed, or of all, and heartbeats, until the client leaves, its session ends
/// or the office stops.
async fn send_moves(
    app: Arc<App>,
    session: Session,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    let feed = (session.role == Role::Collector).then(|| session.user.clone());
    let mut moves = app.office.subscribe();
    let mut closing = app.closing.clone();
    // The first comes at once, with what moved before the subscription.
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        let moved = tokio::select! {
            moved = moves.recv() => Some(moved),
            _ = heartbeat.tick() => None,
            _ = closing.wait_for(|closing| *closing) => return,
            () = sender.closed() => return,
        };
        let (name, seq) = match moved {
            Some(moved) => {
                let mut newest = match moved {
                    Ok(moved) if concerns(&moved, feed.as_deref()) => moved.seq,
                    Ok(_) => continue,
                    // Some were missed; any of them may have been for this client.
                    Err(RecvError::Lagged(_)) => 0,
                    Err(RecvError::Closed) => return,
                };
                tokio::time::sleep(GATHER).await;
                while let Ok(moved) = moves.try_recv() {
                    if concerns(&moved, feed.as_deref()) {
                        newest = moved.seq;
                    }
                }
                ("moved", Some(newest))
            }
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

fn concerns(moved: &FeedUpdate, feed: Option<&str>) -> bool {
    feed.is_none_or(|feed| feed == moved.feed)
}
