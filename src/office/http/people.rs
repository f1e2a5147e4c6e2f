//! `/api/users`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::extract::Head;
use super::{App, Problem};
use crate::office::auth::UserLine;
use crate::record::terms::Role;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    role: String,
}

pub(super) async fn users(
    State(app): State<Arc<App>>,
    Head(Query(which)): Head<Query<Which>>,
) -> Result<Json<Vec<UserLine>>, Problem> {
    let role = match which.role.as_str() {
        "" => None,
        word => Some(Role::parse(word).ok_or(Problem::parameter("role"))?),
    };
    Ok(Json(app.accounts.users(role).await?))
}
