//! The state of an import, and the settings it is checked with.

use serde::{Deserialize, Serialize};

use super::layout::ImportColumn;
use super::{ImportRefusal, ImportSettings};
use crate::office::sheets::import::columns::{Columns, Field};

/// What is done about an import.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ImportPhase {
    /// The file is stored; its columns are to be mapped.
    #[default]
    Uploaded,
    /// The outcome of each row is being determined; nothing is written.
    Checking,
    /// The outcome of each row is known.
    Checked,
    /// Rows are being imported.
    Importing,
    /// Every row is imported or refused.
    Done,
    /// It stopped; `failure` says why.
    Failed,
}

impl ImportPhase {
    /// Whether a process works on it, or is about to.
    pub(super) fn is_running(self) -> bool {
        matches!(self, Self::Checking | Self::Importing)
    }
}

/// The state of an import, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportState {
    /// Name of the file.
    pub name: String,
    /// What is done about it.
    pub phase: ImportPhase,
    /// The columns of the file and what they are mapped to.
    pub columns: Vec<ImportColumn>,
    /// Collector of rows that name none, or empty.
    pub assign_to: String,
    /// Rows of the file.
    pub total: u64,
    /// Rows that were checked or imported.
    pub done: u64,
    /// New cases.
    pub created: u64,
    /// Cases with changed facts.
    pub updated: u64,
    /// Cases without changes.
    pub unchanged: u64,
    /// Rows with errors.
    pub refused: u64,
    /// Notes on the file as a whole.
    pub notes: Vec<String>,
    /// Why it stopped.
    pub failure: String,
    /// Name of the role of its user.
    pub(super) role: String,
    /// Zone of borrowers where the file doesn't say; empty for the main one of the currency.
    pub(super) zone: String,
    /// Identifies the process that works on it.
    pub(super) claim: [u8; 16],
    /// Claims since the last progress.
    pub(super) attempts: u32,
}

pub(super) fn has_settings(state: &ImportState, settings: &ImportSettings) -> bool {
    state.assign_to == settings.assign_to
        && state.columns.iter().map(|column| &column.field).eq(&settings.columns)
}

/// Maps the columns as a user chose.
pub(super) fn choose(
    state: &mut ImportState,
    settings: &ImportSettings,
) -> Result<(), ImportRefusal> {
    if settings.columns.len() != state.columns.len() {
        return Err(ImportRefusal::Columns);
    }
    for (column, field) in state.columns.iter_mut().zip(&settings.columns) {
        column.field.clone_from(field);
    }
    state.assign_to.clone_from(&settings.assign_to);
    state.zone.clone_from(&settings.zone);
    columns_of(state).map(drop)
}

/// The columns as they are mapped, and notes on them.
pub(super) fn columns_of(state: &ImportState) -> Result<(Columns, Vec<String>), ImportRefusal> {
    let mut fields = Vec::with_capacity(state.columns.len());
    for column in &state.columns {
        let field = Some(column.field.as_str()).filter(|name| !name.is_empty());
        let field =
            field.map(|name| Field::named(name).ok_or(ImportRefusal::Columns)).transpose()?;
        if field.is_some() && fields.contains(&field) {
            return Err(ImportRefusal::Columns);
        }
        fields.push(field);
    }
    Ok(Columns::chosen(fields)?)
}

/// Begins a phase with the first row.
pub(super) fn restart(state: &mut ImportState, phase: ImportPhase) {
    state.phase = phase;
    (state.done, state.attempts) = (0, 0);
    (state.created, state.updated, state.unchanged, state.refused) = (0, 0, 0, 0);
    state.failure.clear();
}
