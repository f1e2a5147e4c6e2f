//! `/api/views`: saved views of the list.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::{App, Problem};
use crate::ids::RecordId;
use crate::office::store::SavedView;
use crate::office::views::ViewRefusal;

/// A view to be saved.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ViewRequest {
    /// its name
    name: String,
    /// filters and order, as in the address of the list
    search: String,
    /// all users of the console see it
    shared: bool,
}

/// A saved view.
#[derive(Serialize, JsonSchema)]
pub(super) struct ViewLine {
    /// Its id.
    id: String,
    /// Who saved it.
    owner: String,
    /// Its name.
    name: String,
    /// Filters and order, as in the address of the list.
    search: String,
    /// All users of the console see it.
    shared: bool,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<ViewLine>>, Problem> {
    let views = app.office.saved_views(&caller.identity.session.user).await?;
    Ok(Json(views.into_iter().map(line).collect()))
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
    ProblemBody(Json(asked)): ProblemBody<Json<ViewRequest>>,
) -> Result<Json<ViewLine>, Problem> {
    let owner = caller.identity.session.user;
    let ViewRequest { name, search, shared } = asked;
    let view = SavedView { id: view_id(&id)?, owner, name, search, shared };
    Ok(Json(line(app.office.save_view(view).await??)))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<StatusCode, Problem> {
    let session = &caller.identity.session;
    app.office.delete_view(view_id(&id)?, (&session.user, session.role)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// A UUID in the same form as a record's.
fn view_id(text: &str) -> Result<[u8; 16], Problem> {
    text.parse::<RecordId>().map(|id| id.0).map_err(|_| Problem::not_found())
}

fn line(view: SavedView) -> ViewLine {
    let SavedView { id, owner, name, search, shared } = view;
    ViewLine { id: RecordId(id).to_string(), owner, name, search, shared }
}

impl From<ViewRefusal> for Problem {
    fn from(refusal: ViewRefusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            ViewRefusal::Unknown => Self::not_found(),
            ViewRefusal::Invalid => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at("name")
            }
            ViewRefusal::TooMany => Self::new(StatusCode::CONFLICT, "too_many_views", detail),
        }
    }
}
