//! `/api/lender`: the lender's name, complaint channel and order of work.

use std::sync::Arc;

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::extract::State;
use crate::record::queue::OrderRule;

/// What the lender tells all phones. Texts are empty if the operator did not set them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lender {
    /// The lender's name.
    pub name: String,
    /// How to complain: a telephone number, an address, hours.
    pub complaints: String,
    /// How phones sort their lists, most important rule first. Empty for the default.
    pub queue_order: Vec<OrderRule>,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Lender> {
    Json(app.lender.clone())
}
