//! `POST /sync`: one round of a phone.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::extract::{Caller, Checked};
use super::{App, Problem};
use crate::sync::message::{decode_request, encode_reply};

pub(super) async fn round(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Checked(body): Checked<Bytes>,
) -> Result<impl IntoResponse, Problem> {
    let request = decode_request(&body)?;
    let reply = app.office.handle_sync(&caller.session, request).await?;
    Ok(([(header::CONTENT_TYPE, "application/cbor")], encode_reply(&reply)))
}
