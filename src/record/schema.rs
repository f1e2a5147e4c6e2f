//! Schema 1: every path of a visit record, its kind, and who may write it when.
//!
//! The table of [`FIELDS`] is the only definition. Commands are checked against it before they
//! write, and the office checks every operation of a phone against it.

mod fields;
mod groups;

use super::terms::{CheckItem, Flag};
pub use fields::FIELDS;
pub use groups::{FieldGroup, GROUPS, GroupRole, PROMISE, REVIEW, SEAL, WINDOW, group};

/// The schema that this code writes.
pub const SCHEMA: i64 = 1;

/// The kind of value at a path.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A container with string keys.
    Map,
    /// An ordered container.
    List,
    /// Text merged by character, up to this many characters.
    MergedText(usize),
    /// A string of up to this many characters.
    Text(usize),
    /// A string that the function accepts: a variant of an enum of `terms`.
    Enum(fn(&str) -> bool),
    /// An integer from minimum to maximum.
    Integer(i64, i64),
    /// A finite floating-point number from minimum to maximum.
    Float(i32, i32),
    /// A timestamp, ms.
    Time,
    /// `YYYY-MM-DD`, or empty.
    Date,
    /// A member of a set, stored as `true`.
    Member,
}

/// Who may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Nobody: set only when the record is created.
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
    /// Any number of times; may be deleted.
    Free,
    /// Once: created in one change, then immutable.
    Once,
    /// Once per collector, under the collector's own key. The office may change and delete it.
    OwnOnce,
    /// As `Free`, under the author's own key only.
    Own,
}

/// When a path may be written, relative to the seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteWindow {
    /// Before the seal, and again once the office has returned the record. For collectors only.
    BeforeSeal,
    /// Before and after the seal.
    Always,
    /// Only while the record is sealed.
    AfterSeal,
}

/// One row of the field table.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Path segments; `*` matches any key, `#` any index.
    pub path: &'static [&'static str],
    /// Its kind.
    pub kind: Kind,
    /// Who may write it.
    pub writers: Writers,
    /// How often it may be written.
    pub mutability: Mutability,
    /// When it may be written.
    pub write_window: WriteWindow,
}

/// Maximum amount of money: ten trillion major units. Exact in JavaScript (below 2^53).
pub(super) const MONEY: i64 = 1_000_000_000_000_000;

/// Maximum number of instalments: fifty years of months.
pub(super) const MOST_INSTALMENTS: i64 = 600;

/// Whether a key under `seal` belongs to a signature: those are UUIDs, fields are not.
pub(super) fn is_signature_key(key: &str) -> bool {
    key.len() == 36 && uuid::Uuid::try_parse(key).is_ok()
}

/// The row of a path; `None` if the path is not in the schema.
///
/// Keys under `*` that come from an enum (`case.flags`, `checks`) are checked as well.
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

/// Every container of the first change, parents before children.
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
