//! `/api/lender`: the lender's name and complaint channel.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;

/// Printed on every borrower's copy. Empty if the operator did not set it.
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
