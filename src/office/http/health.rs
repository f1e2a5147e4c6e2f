//! Whether the program runs, and whether it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{App, Problem};
use crate::office::store::Listing;

pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "alive": true }))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    app.office.list(Listing { limit: 1, ..Listing::default() }).await?;
    Ok(Json(json!({ "ready": true })))
}
