//! `/api/receipts`: verifies a receipt's code. Without a genuine code it reveals nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::extract::{ProblemParts, State};
use super::{App, Problem};
use crate::office::ReceiptCheck;
use crate::record::receipt::ReceiptCode;

/// Whose receipt it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ReceiptQuery {
    /// the case number on the receipt
    case_no: String,
}

pub(super) async fn verify(
    State(app): State<Arc<App>>,
    ProblemParts(Path(code)): ProblemParts<Path<String>>,
    ProblemParts(Query(asked)): ProblemParts<Query<ReceiptQuery>>,
) -> Result<Json<ReceiptCheck>, Problem> {
    let mistyped = || {
        let detail = "a character of the code was misread or mistyped";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "mistyped_code", detail).at("code")
    };
    let code = ReceiptCode::parse(&code).ok_or_else(mistyped)?;
    let unknown = || {
        let detail = "the office has no such payment or promise for this case";
        Problem::new(StatusCode::NOT_FOUND, "unknown_receipt", detail)
    };
    app.office.verify_receipt(&asked.case_no, code).await?.map(Json).ok_or_else(unknown)
}
