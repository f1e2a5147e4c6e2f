//! Conversions between JavaScript and Rust values, and named errors.

use js_sys::{Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::{Deserializer, Serializer};
use wasm_bindgen::prelude::*;

use crate::ids::RecordId;
use crate::record::command::{Command, NamedCommand};
use crate::types::TsType;
use crate::workspace::{Row, WorkspaceError};

TsType! {
/// A thrown error.
#[derive(Debug, Serialize, serde::Deserialize)]
pub struct CoreError {
    /// A stable word.
    pub code: String,
    /// The path of the field concerned; else empty.
    pub path: String,
    /// One sentence for logs.
    pub message: String,
}
}

TsType! {
/// The rows of a device's store from which a workspace is made; it asks for others later.
#[derive(Debug, Serialize, serde::Deserialize)]
pub struct StoredRows {
    /// Table `meta`.
    pub meta: Vec<Row>,
    /// Table `records`: the rows of records with unsent work.
    pub records: Vec<Row>,
    /// Table `outbox`.
    pub outbox: Vec<Row>,
}
}

/// Bytes of a fixed length.
pub(super) fn bytes<const N: usize>(given: &[u8]) -> Result<[u8; N], JsValue> {
    given.try_into().map_err(|_| thrown("malformed_value", "", "wrong number of bytes"))
}

pub(super) fn id(record: &str) -> Result<RecordId, JsValue> {
    record.parse().map_err(|_| thrown("unknown_record", "", "malformed record id"))
}

pub(super) fn refusal(error: WorkspaceError) -> JsValue {
    let message = error.to_string();
    match error {
        WorkspaceError::UnknownRecord => thrown("unknown_record", "", &message),
        WorkspaceError::NotOpen => thrown("not_open", "", &message),
        WorkspaceError::NotRefused => thrown("not_refused", "", &message),
        WorkspaceError::NotKept => thrown("not_kept", "", &message),
        WorkspaceError::Damaged => thrown("damaged", "", &message),
        WorkspaceError::Command(error) => thrown(error.code(), error.path(), &message),
        WorkspaceError::ZoneNeeded { zone } => thrown("zone_needed", &zone, &message),
        WorkspaceError::Stopped { rules, .. } => {
            thrown("conduct_stops", &rules.join(" "), &message)
        }
        WorkspaceError::ReasonNeeded { rules, .. } => {
            thrown("conduct_needs_reason", &rules.join(" "), &message)
        }
    }
}

pub(super) fn thrown(code: &str, path: &str, message: &str) -> JsValue {
    let error = CoreError { code: code.into(), path: path.into(), message: message.into() };
    to_js(&error).unwrap_or_else(|error| error)
}

pub(super) fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new().serialize_missing_as_null(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

/// For types with flattened fields, which serde serializes as maps.
pub(super) fn to_js_object<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new().serialize_missing_as_null(true);
    let serializer = serializer.serialize_maps_as_objects(true);
    value.serialize(&serializer).map_err(JsValue::from)
}

pub(super) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| malformed(&error))
}

/// A command is an object with its name in the field `do`.
pub(super) fn command_from_js(command: &JsValue) -> Result<Command, JsValue> {
    let named = Object::new();
    Reflect::get(command, &"do".into())
        .and_then(|name| Reflect::set(&named, &name, command))
        .map_err(serde_wasm_bindgen::Error::from)
        .and_then(|_| NamedCommand::deserialize(Deserializer::from(JsValue::from(named))))
        .map_err(|error| malformed(&error))
}

fn malformed(error: &serde_wasm_bindgen::Error) -> JsValue {
    thrown("malformed_value", "", &error.to_string())
}

/// Tickets count edits of one session: far below 2^53.
#[allow(clippy::cast_precision_loss)]
pub(super) fn ticket(number: u64) -> f64 {
    number as f64
}

/// Times and amounts from JavaScript are integers below 2^53.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn millis(number: f64) -> i64 {
    number as i64
}

/// Numbers of sessions, batches and rounds are below 2^53.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn count(number: f64) -> u64 {
    number as u64
}
