//! Whether the program runs, and whether it can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;

use super::extract::State;
use super::{App, Problem};
use crate::office::store::StoreError;

/// How long a result is reused: anybody may ask, and each check costs a commit.
const REUSE: Duration = Duration::from_secs(1);

/// The last result and its time. The lock allows one check at a time.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, bool)>>);

/// The program runs.
#[derive(Serialize, JsonSchema)]
pub(super) struct Alive {
    alive: bool,
}

/// The office can do its work.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ready {
    ready: bool,
}

pub(super) async fn alive() -> Json<Alive> {
    Json(Alive { alive: true })
}

/// Ready: not stopping, and the store takes a write.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Ready>, Problem> {
    if *app.closing.borrow() {
        return Err(Problem::closing());
    }
    let mut last = app.traffic.readiness().0.lock().await;
    let known = last.filter(|(at, _)| at.elapsed() < REUSE).map(|(_, writes)| writes);
    let writes = match known {
        Some(writes) => writes,
        None => writes(&app).await,
    };
    if known.is_none() {
        *last = Some((Instant::now(), writes));
    }
    if writes {
        return Ok(Json(Ready { ready: true }));
    }
    let detail = "the store takes no writes: look at its disk";
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail))
}

async fn writes(app: &App) -> bool {
    let written = app.office.store().write(|tx| tx.touch());
    match tokio::time::timeout(app.traffic.limits().ready, written).await {
        // A queue that is full is worked off.
        Ok(Ok(()) | Err(StoreError::Busy)) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the store takes no writes");
            false
        }
        Err(_) => {
            tracing::error!("the store took no write in time");
            false
        }
    }
}
