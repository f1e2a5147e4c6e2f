//! Checks writes against the field table of `schema`: who may write a path, and when.

use super::schema::{FieldSpec, Mutability, WriteWindow, Writers, field_spec};
use super::terms::{Role, Stage};

/// The user who writes, with the stage of the record that decides their rights.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// Sign-in name.
    pub user: &'a str,
    /// Role.
    pub role: Role,
    /// The record's stage as the user saw it.
    pub stage: Stage,
    /// The record's stage where the write arrives: the current one at the office, the same as
    /// `stage` on a device. A change with old dependencies must not reopen a sealed record
    /// (rule M9).
    pub current: Stage,
    /// A supervisor approved the write: role and stage are not checked (rule M4).
    pub approved: bool,
}

/// What a write does to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOp {
    /// Writes a key that has no value, or a field of an entry created in the same change.
    Create,
    /// Replaces a value.
    Update,
    /// Deletes a value or an entry.
    Delete,
}

/// Why a write is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The path is not in the schema.
    #[error("no such field in a visit record")]
    UnknownPath,
    /// The path is set only when the record is created.
    #[error("this is set once, when the record is created")]
    Fixed,
    /// The user's role may not write the path.
    #[error("this role may not write this field")]
    Role,
    /// The record is sealed.
    #[error("the record is sealed")]
    Sealed,
    /// The path may be written only while the record is sealed.
    #[error("this may be written only after the seal")]
    NotSealed,
    /// The entry exists already, and entries never change.
    #[error("an entry is written once and never changed")]
    Once,
    /// The key belongs to another user.
    #[error("this belongs to another user")]
    NotOwn,
}

impl Denied {
    /// Stable code for programs and translations.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownPath => "unknown_path",
            Self::Fixed => "fixed",
            Self::Role | Self::NotOwn => "not_allowed",
            Self::Sealed => "sealed",
            Self::NotSealed => "not_sealed",
            Self::Once => "written_once",
        }
    }
}

/// Checks one write to one path and returns the path's row of the field table.
///
/// Approved work (rule M4) skips the checks of role and stage only. The checks that keep a record
/// well-formed apply to everyone: known path, not fixed, written once, own key.
pub fn authorize(
    path: &[&str],
    act: WriteOp,
    writer: Principal<'_>,
) -> Result<&'static FieldSpec, Denied> {
    let row = field_spec(path).ok_or(Denied::UnknownPath)?;
    if row.writers == Writers::Creation {
        return Err(Denied::Fixed);
    }
    if !writer.approved {
        has_authority(row, writer)?;
    }
    let collector = writer.role == Role::Collector;
    match row.mutability {
        Mutability::Once if act != WriteOp::Create => Err(Denied::Once),
        Mutability::OwnOnce if collector && act != WriteOp::Create => Err(Denied::Once),
        Mutability::OwnOnce | Mutability::Own if collector && !own(path, writer.user) => {
            Err(Denied::NotOwn)
        }
        Mutability::Free | Mutability::Once | Mutability::OwnOnce | Mutability::Own => Ok(row),
    }
}

/// Checks role and stage.
fn has_authority(row: &FieldSpec, writer: Principal<'_>) -> Result<(), Denied> {
    let office = writer.role.writes_as_office();
    let collector = writer.role == Role::Collector;
    match row.writers {
        Writers::Creation => return Err(Denied::Fixed),
        Writers::Office if !office => return Err(Denied::Role),
        Writers::Collector if !collector => return Err(Denied::Role),
        Writers::Both if !office && !collector => return Err(Denied::Role),
        Writers::Office | Writers::Collector | Writers::Both => {}
    }
    let sealed = writer.stage.is_sealed();
    match row.write_window {
        WriteWindow::BeforeSeal if collector && (sealed || writer.current.is_sealed()) => {
            Err(Denied::Sealed)
        }
        WriteWindow::AfterSeal if !sealed => Err(Denied::NotSealed),
        WriteWindow::BeforeSeal | WriteWindow::Always | WriteWindow::AfterSeal => Ok(()),
    }
}

/// Whether the key of `case.flags.<flag>.<user>` or `checks.<item>.<user>` is the user's own.
fn own(path: &[&str], user: &str) -> bool {
    match path {
        ["case", "flags", _, key, ..] | ["checks", _, key, ..] => *key == user,
        _ => true,
    }
}
