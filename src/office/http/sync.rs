//! `POST /sync`: one round of a phone.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, header};
use axum::response::IntoResponse;

use super::extract::{Caller, Checked, Leaver};
use super::{App, Problem, metrics};
use crate::sync::message::{Inflated, encode_reply};

pub(super) async fn round(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    Checked(body): Checked<Bytes>,
) -> Result<impl IntoResponse, Problem> {
    let inflated = Inflated::new(&body)?;
    let _place = app.office.place_for(inflated.size()).await;
    let request = inflated.request()?;
    drop(inflated);
    let reply = match (extensions.get::<Caller>(), extensions.get::<Leaver>()) {
        (Some(caller), _) => app.office.handle_sync(&caller.identity.session, request).await?,
        (None, Some(Leaver(session, ended))) => {
            app.office.hand_over(session, request, *ended).await?
        }
        (None, None) => return Err(Problem::signed_out()),
    };
    let answer = encode_reply(&reply);
    metrics::round(body.len(), &reply, answer.len());
    Ok(([(header::CONTENT_TYPE, "application/cbor")], answer))
}
