//! Who may write what, and when: the table of `schema` applied.

use super::schema::{FieldSpec, Mutability, WriteWindow, Writers, field_spec};
use super::terms::{Role, Stage};

/// Whoever writes, as the record sees them at that moment.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// Sign-in name.
    pub user: &'a str,
    /// Role.
    pub role: Role,
    /// The record's stage as the writer saw it.
    pub stage: Stage,
    /// The record's stage where the write arrives: at the office its current one, on a device the
    /// same as `stage`. Old dependencies must not reopen what the office holds sealed (rule M9).
    pub current: Stage,
    /// A supervisor vouches for what is written: role and stage are not asked (rule M4).
    pub approved: bool,
}

/// What a writer does to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOp {
    /// Writes where nothing stood, or into an entry that the same change makes.
    Create,
    /// Writes over something.
    Update,
    /// Takes something away.
    Delete,
}

/// Why a path may not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The schema knows no such path.
    #[error("no such field in a visit record")]
    UnknownPath,
    /// Set when the record is made, then never.
    #[error("this is set once, when the record is made")]
    Fixed,
    /// Another role's.
    #[error("this is not this role's to write")]
    Role,
    /// The record is sealed.
    #[error("the record is sealed")]
    Sealed,
    /// Only while the record is sealed.
    #[error("this is written after the seal only")]
    NotSealed,
    /// Entries are written once.
    #[error("an entry is written once and never changed")]
    Once,
    /// Stands under another person's name.
    #[error("this stands under another person's name")]
    NotOwn,
}

impl Denied {
    /// Stable word for programs and translations.
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

/// Judges one act on one path; gives the path's row where it is allowed.
///
/// Role and stage are authority: somebody who has it may vouch for another's work. That a path is
/// known, is not fixed, is written once and under one's own name is what makes a record one, and
/// nobody is excused from it.
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

/// Whether the role may write the row at the stage.
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

/// Whether the author's key of `case.flags.<flag>.<user>` or `checks.<item>.<user>` is the user.
fn own(path: &[&str], user: &str) -> bool {
    match path {
        ["case", "flags", _, key, ..] | ["checks", _, key, ..] => *key == user,
        _ => true,
    }
}
