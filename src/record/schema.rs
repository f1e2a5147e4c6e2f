//! Schema 1: every path of a visit record, its type and who may write it.
//!
//! The table is the only place that says so. Commands are checked against it before they write,
//! and the office judges every operation of a phone by it.

mod fields;
mod groups;

use super::terms::{CheckItem, Flag};
pub use fields::FIELDS;
pub use groups::{FieldGroup, GROUPS, GroupRole, PROMISE, REVIEW, SEAL, WINDOW, group};

/// The schema that this code writes.
pub const SCHEMA: i64 = 1;

/// What may stand at a path.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A container of keys.
    Map,
    /// A container of positions.
    List,
    /// Text merged by character, with the most characters that it may grow to.
    MergedText(usize),
    /// A string of at most so many characters.
    Text(usize),
    /// A word of a vocabulary.
    Enum(fn(&str) -> bool),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A finite fraction within bounds.
    Float(i32, i32),
    /// A timestamp, ms.
    Time,
    /// `YYYY-MM-DD`, or empty.
    Date,
    /// A member of a set: always `true`.
    Member,
}

/// Who may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Set when the record is made, then nobody.
    Creation,
    /// The office.
    Office,
    /// A collector of the record.
    Collector,
    /// Both.
    Both,
}

/// How often a path may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Any number of times, and taken back.
    Free,
    /// Made whole in one change, then never touched.
    Once,
    /// Made by an author under their own name (and never touched again by a collector); the
    /// office may change it and take it away.
    OwnOnce,
    /// As `Free`, for the author's own name only.
    Own,
}

/// Until when a collector may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteWindow {
    /// Until the seal; again when the office returned the record.
    BeforeSeal,
    /// After the seal too.
    Always,
    /// Only while the seal stands.
    AfterSeal,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Segments; `*` stands for any key, `#` for any position.
    pub path: &'static [&'static str],
    /// What may stand there.
    pub kind: Kind,
    /// Who may write it.
    pub writers: Writers,
    /// How often.
    pub mutability: Mutability,
    /// Until when.
    pub write_window: WriteWindow,
}

/// Money up to ten trillion major units: past any debt, far below 2^53, which JavaScript counts to.
pub(super) const MONEY: i64 = 1_000_000_000_000_000;

/// The most instalments of an option: fifty years of months.
pub(super) const MOST_INSTALMENTS: i64 = 600;

/// Whether a key under `seal` is a signature's: a UUID, which no field of the seal is called.
pub(super) fn is_signature_key(key: &str) -> bool {
    key.len() == 36 && uuid::Uuid::try_parse(key).is_ok()
}

/// The row for a path, or `None` where the schema knows no such path.
///
/// Keys under `*` that only a vocabulary may hold (`case.flags`, `checks`) are checked too.
pub fn field_spec(path: &[&str]) -> Option<&'static FieldSpec> {
    let known = |row: &&FieldSpec| {
        row.path.len() == path.len()
            && row
                .path
                .iter()
                .zip(path)
                .all(|(want, have)| matches!(*want, "*" | "#") || want == have)
    };
    let row = FIELDS.iter().find(known)?;
    let in_vocabulary = match path {
        ["case", "flags", flag, ..] => Flag::parse(flag).is_some(),
        ["checks", item, ..] => CheckItem::parse(item).is_some(),
        ["seal", key, ..] if row.path.get(1) == Some(&"*") => is_signature_key(key),
        _ => true,
    };
    in_vocabulary.then_some(row)
}

/// Every container that the first change makes, parents before children.
pub(crate) fn first_containers() -> Vec<(Vec<&'static str>, Kind)> {
    let mut containers = Vec::new();
    for row in FIELDS {
        let made = match row.kind {
            Kind::Map | Kind::List => row.writers == Writers::Creation,
            Kind::MergedText(_) => true,
            Kind::Text(_)
            | Kind::Enum(_)
            | Kind::Integer(..)
            | Kind::Float(..)
            | Kind::Time
            | Kind::Date
            | Kind::Member => false,
        };
        if !made {
            continue;
        }
        match row.path {
            ["case", "flags", "*"] => containers.extend(
                Flag::ALL.iter().map(|flag| (vec!["case", "flags", flag.as_str()], row.kind)),
            ),
            ["checks", "*"] => containers.extend(
                CheckItem::ALL.iter().map(|item| (vec!["checks", item.as_str()], row.kind)),
            ),
            path => containers.push((path.to_vec(), row.kind)),
        }
    }
    containers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found_by_its_own_row() {
        for row in FIELDS {
            let path: Vec<&str> = row
                .path
                .iter()
                .enumerate()
                .map(|(depth, segment)| match (*segment, row.path[0], depth) {
                    ("*", "case", 2) if row.path[1] == "flags" => "dispute",
                    ("*", "checks", 1) => "id_shown",
                    ("*", "seal", 1) => "0193a5c8-7e55-7000-8000-000000000001",
                    ("*", ..) => "anything",
                    ("#", ..) => "0",
                    (segment, ..) => segment,
                })
                .collect();
            assert_eq!(field_spec(&path).map(|found| found.path), Some(row.path), "{path:?}");
        }
        assert!(field_spec(&["case", "flags", "unheard_of"]).is_none());
        assert!(field_spec(&["borrower"]).is_none());
        assert!(field_spec(&["seal", "chen.jie"]).is_none());
    }

    #[test]
    fn every_field_of_a_group_has_a_row_and_one_group() {
        for group in GROUPS {
            for (key, _) in group.fields {
                let path: Vec<&str> = group.path.iter().copied().chain([*key]).collect();
                assert!(field_spec(&path).is_some(), "{path:?}");
                assert_eq!(GROUPS.iter().filter(|other| other.contains(&path)).count(), 1);
            }
        }
    }
}
