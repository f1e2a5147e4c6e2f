//! The columns of a file: their headings, examples of their cells, and the fields they are mapped to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::office::sheets::import::Sheet;
use crate::office::sheets::import::columns::{Field, heading_key};

/// Rows that examples are taken from.
const EXAMPLE_ROWS: usize = 3;

/// Longest heading and example, in characters.
const MAX_TEXT: usize = 60;

/// Headings remembered for a user; with more, the oldest ones are forgotten all at once.
const MAX_REMEMBERED: usize = 500;

/// A column of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ImportColumn {
    /// Its heading, shortened.
    pub heading: String,
    /// Its first cells, shortened.
    pub examples: Vec<String>,
    /// The field that it is mapped to, or empty where it is left out.
    pub field: String,
}

/// The columns of a sheet, not mapped yet.
pub(super) fn columns(sheet: &Sheet) -> Vec<ImportColumn> {
    let example = |row: usize, at: usize| sheet.rows.get(row)?.cells.get(at).map(shortened);
    let column = |(at, heading): (usize, &String)| ImportColumn {
        heading: shortened(heading),
        examples: (0..EXAMPLE_ROWS).filter_map(|row| example(row, at)).collect(),
        field: String::new(),
    };
    sheet.heading.iter().enumerate().map(column).collect()
}

fn shortened(text: &str) -> String {
    text.trim().chars().take(MAX_TEXT).collect()
}

/// Maps columns by what was remembered, the first memory first, and else by their headings. A field
/// has one column only.
pub(super) fn suggest(columns: &mut [ImportColumn], remembered: &[String]) {
    let remembered: Vec<BTreeMap<String, String>> =
        remembered.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let mut used = BTreeSet::new();
    for column in columns {
        let key = heading_key(&column.heading);
        let known = remembered.iter().find_map(|memory| memory.get(&key));
        let field = match known {
            Some(name) => Field::named(name),
            None => Field::parse(&column.heading),
        };
        column.field = field.filter(|field| used.insert(*field)).map_or("", Field::as_str).into();
    }
}

/// What is remembered of a mapping, added to what was remembered before.
pub(super) fn remember(columns: &[ImportColumn], before: Option<&String>) -> String {
    let headings = columns.iter().filter(|column| !column.heading.is_empty());
    let new: BTreeMap<String, &str> =
        headings.map(|column| (heading_key(&column.heading), column.field.as_str())).collect();
    let before: BTreeMap<String, String> =
        before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut all: BTreeMap<&str, &str> =
        before.iter().map(|(key, field)| (key.as_str(), field.as_str())).collect();
    all.extend(new.iter().map(|(key, field)| (key.as_str(), *field)));
    // Maps of texts always serialize.
    if all.len() > MAX_REMEMBERED {
        return serde_json::to_string(&new).unwrap_or_default();
    }
    serde_json::to_string(&all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(headings: &[&str], remembered: &[&str]) -> Vec<String> {
        let column =
            |heading: &&str| ImportColumn { heading: (*heading).into(), ..Default::default() };
        let mut columns: Vec<_> = headings.iter().map(column).collect();
        let remembered: Vec<_> = remembered.iter().map(|text| (*text).to_owned()).collect();
        suggest(&mut columns, &remembered);
        columns.into_iter().map(|column| column.field).collect()
    }

    #[test]
    fn memory_comes_before_headings_and_a_field_has_one_column() {
        assert_eq!(mapped(&["Case No", "案号", "colour"], &[]), ["case_no", "", ""]);
        let own = r#"{"caseno":"","内部代码":"case_no"}"#;
        let office = r#"{"内部代码":"note","客户":"borrower_name"}"#;
        assert_eq!(
            mapped(&["Case No", "内部代码", "客户"], &[own, office]),
            ["", "case_no", "borrower_name"]
        );
        // Of another version, or damaged.
        assert_eq!(mapped(&["Case No"], &[r#"{"caseno":"no such field"}"#, "{"]), [""]);
    }

    #[test]
    fn a_mapping_is_added_to_what_was_remembered_up_to_a_bound() {
        let column = |heading: String, field: &str| ImportColumn {
            heading,
            field: field.into(),
            ..Default::default()
        };
        let first = remember(&[column("A".into(), "case_no")], None);
        let second = remember(&[column("B".into(), ""), column("a".into(), "note")], Some(&first));
        assert_eq!(second, r#"{"a":"note","b":""}"#);
        let many: Vec<_> = (0..MAX_REMEMBERED).map(|n| column(format!("h{n}"), "")).collect();
        let third = remember(&many, Some(&second));
        let kept: BTreeMap<String, String> = serde_json::from_str(&third).unwrap();
        assert_eq!(kept.len(), MAX_REMEMBERED);
        assert!(!kept.contains_key("a"));
    }
}
