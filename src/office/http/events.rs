//! `GET /api/events`: tells clients that a feed moved (rule R8), so that they sync. A lost event only
//! costs delay. The stream ends once its session has ended or its device is revoked.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::extract::Caller;
use super::{App, Problem};
use crate::office::Session;
use crate::record::terms::Role;

/// Proxies close connections that are silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

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
        send_moves(app, session, moves, sender).await;
        drop(permit);
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive).into_response())
}

/// Sends the moves of one feed, or of all, until the client leaves, its session ends or the office
/// stops.
async fn send_moves(
    app: Arc<App>,
    session: Session,
    mut moves: watch::Receiver<u64>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    let mut closing = app.closing.clone();
    loop {
        let moved = tokio::select! {
            moved = moves.changed() => moved,
            _ = closing.wait_for(|closing| *closing) => return,
            () = sender.closed() => return,
        };
        if moved.is_err() {
            return;
        }
        tokio::time::sleep(GATHER).await;
        let newest = *moves.borrow_and_update();
        if !app.accounts.is_current(&session).await.unwrap_or(false) {
            return;
        }
        let event = Event::default().event("moved").data(format!("{{\"seq\":{newest}}}"));
        if sender.send(Ok(event)).await.is_err() {
            return;
        }
    }
}
