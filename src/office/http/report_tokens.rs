//! `/api/report-tokens`: tokens of programs that read the records for reports.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::{App, Problem};
use crate::ids::{hex, unhex};
use crate::office::store::ReportToken;

/// A token to be made.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ReportTokenRequest {
    /// what it is for
    name: String,
}

/// A token, without its secret.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReportTokenLine {
    /// Its id, 32 hex digits.
    id: String,
    /// What it is for.
    name: String,
    /// When it was made, ms.
    created_at: i64,
    /// When it ends, ms.
    expires_at: i64,
    /// When it was last used, in steps of an hour, ms.
    used_at: Option<i64>,
}

/// A new token.
#[derive(Serialize, JsonSchema)]
pub(super) struct NewReportToken {
    /// The secret, which the office does not store.
    secret: String,
    /// The token.
    token: ReportTokenLine,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<ReportTokenLine>>, Problem> {
    let tokens = app.accounts.report_tokens(&caller.identity.session.user).await?;
    Ok(Json(tokens.into_iter().map(line).collect()))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemBody(Json(asked)): ProblemBody<Json<ReportTokenRequest>>,
) -> Result<Json<NewReportToken>, Problem> {
    let user = &caller.identity.session.user;
    let (token, secret) = app.accounts.add_report_token(user, &asked.name).await?;
    Ok(Json(NewReportToken { secret: secret.to_text(), token: line(token) }))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(id)): ProblemParts<Path<String>>,
) -> Result<StatusCode, Problem> {
    let known =
        unhex(&id).and_then(|bytes| bytes.try_into().ok()).ok_or_else(Problem::not_found)?;
    match app.accounts.revoke_report_token(known, &caller.identity.session.user).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found()),
    }
}

fn line(token: ReportToken) -> ReportTokenLine {
    let ReportToken { id, name, created_at, expires_at, used_at, .. } = token;
    ReportTokenLine { id: hex(&id), name, created_at, expires_at, used_at }
}
