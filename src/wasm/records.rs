//! What is computed from an open record: its place in the day, receipts, plausibility.

use wasm_bindgen::prelude::*;

use super::convert::{from_js, id, millis, refusal, to_js};
use super::workspace::JsWorkspace;
use crate::conduct::day_plan::DayStop;
use crate::record::command::Position;
use crate::record::position::{self, PositionCheck};
use crate::record::receipt::{self, Receipt};

#[wasm_bindgen(js_class = Workspace)]
impl JsWorkspace {
    /// An open record as a stop of the day of `at`, ms.
    #[wasm_bindgen(js_name = dayStop, unchecked_return_type = "DayStop")]
    pub fn day_stop(&self, record: &str, at: f64) -> Result<JsValue, JsValue> {
        to_js::<DayStop>(&self.inner.day_stop(id(record)?, millis(at)).map_err(refusal)?)
    }

    /// The receipts for the payments and the promise of an open record.
    #[wasm_bindgen(unchecked_return_type = "Receipt[]")]
    pub fn receipts(&self, record: &str) -> Result<JsValue, JsValue> {
        let view = self.inner.view(id(record)?).map_err(refusal)?;
        to_js::<Vec<Receipt>>(&receipt::receipts(&view))
    }

    /// How plausible the position of an open record is, compared with positions of other visits.
    #[wasm_bindgen(js_name = checkPosition, unchecked_return_type = "PositionCheck | null")]
    pub fn check_position(
        &self,
        record: &str,
        #[wasm_bindgen(unchecked_param_type = "Position[]")] others: JsValue,
    ) -> Result<JsValue, JsValue> {
        let view = self.inner.view(id(record)?).map_err(refusal)?;
        to_js::<Option<PositionCheck>>(&position::check(&view, &from_js::<Vec<Position>>(others)?))
    }
}
