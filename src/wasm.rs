//! The JavaScript classes over the workspace: conversions and named errors, no rules.
//!
//! Errors are thrown as plain objects `{code, path, message}` ([`CoreError`](convert::CoreError)).

pub mod convert;
pub mod keys;
pub mod records;
pub mod workspace;

use wasm_bindgen::prelude::*;

use crate::conduct::day_plan::{self, DayStop, PlannedStop};
use crate::ids::RecordId;
use crate::record::plan::{self, Plan};
use crate::vault::STORE_FORMAT;
use convert::{bytes, from_js, millis, thrown, to_js};

/// Version of the rows that this program writes.
#[wasm_bindgen(js_name = storeFormat)]
pub fn store_format() -> u8 {
    STORE_FORMAT
}

/// A new UUIDv7 from a time and ten random bytes.
#[wasm_bindgen(js_name = newId)]
pub fn new_id(now_ms: f64, random: &[u8]) -> Result<String, JsValue> {
    Ok(RecordId::v7(millis(now_ms), bytes(random)?).to_string())
}

/// The instalments of a repayment option; `amount` is in minor units.
#[wasm_bindgen(unchecked_return_type = "Plan")]
pub fn plan(amount: f64, instalments: f64, first_due: &str) -> Result<JsValue, JsValue> {
    let made = plan::plan(millis(amount), millis(instalments), first_due)
        .map_err(|error| thrown(error.code(), "", &error.to_string()))?;
    to_js::<Plan>(&made)
}

/// Orders the stops of a day at `now`, ms. `lat` and `lon` are where the collector is, if known.
#[wasm_bindgen(js_name = planDay, unchecked_return_type = "PlannedStop[]")]
pub fn plan_day(
    #[wasm_bindgen(unchecked_param_type = "DayStop[]")] stops: JsValue,
    now: f64,
    lat: Option<f64>,
    lon: Option<f64>,
) -> Result<JsValue, JsValue> {
    let stops: Vec<DayStop> = from_js(stops)?;
    to_js::<Vec<PlannedStop>>(&day_plan::plan(&stops, millis(now), lat.zip(lon)))
}
