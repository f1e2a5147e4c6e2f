//! `/api/lender`: who the office works for, as borrowers are told.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;

/// What stands on every borrower's copy. Empty where the office's keeper has not said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lender {
    /// The lender's name.
    pub name: String,
    /// How to complain: a telephone number, an address, hours.
    pub complaints: String,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Lender> {
    Json(app.lender.clone())
}
