//! `/api/…/conduct`: what the rules of conduct say.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::extract::Head;
use super::visits::record_id;
use super::{App, Problem};
use crate::conduct::view::ConductView;
use crate::conduct::{Moment, builtin};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    moment: String,
}

/// The answers of one record.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Head(Path(id)): Head<Path<String>>,
    Head(Query(asked)): Head<Query<Asked>>,
) -> Result<Json<ConductView>, Problem> {
    let moment = match asked.moment.as_str() {
        "" => None,
        word => Some(Moment::parse(word).ok_or(Problem::parameter("moment"))?),
    };
    Ok(Json(app.office.conduct(record_id(&id)?, moment).await?))
}

/// The lender's own layers, packed as phones take them.
pub(super) async fn layers(State(app): State<Arc<App>>) -> Response {
    let packed = builtin::pack(&app.office.policy().own());
    ([(header::CONTENT_TYPE, "application/cbor")], packed).into_response()
}
