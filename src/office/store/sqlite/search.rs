//! The search index in SQLite: trigrams for texts of three characters and more, single characters
//! and pairs for shorter ones.

use std::collections::BTreeSet;

use super::{StoreError, Tx};
use crate::ids::RecordId;
use crate::record::view::VisitSummary;

/// How an index finds a text: its table and the expression that it takes.
pub(super) struct IndexQuery {
    pub(super) table: &'static str,
    pub(super) expression: String,
}

impl IndexQuery {
    /// For a text that is not empty.
    pub(super) fn of(text: &str) -> Self {
        // SQLite reads an expression up to the first NUL, and no field has one.
        let text = text.replace('\0', " ").to_lowercase();
        match text.chars().collect::<Vec<_>>().as_slice() {
            [one] => Self { table: "visit_grams", expression: single(*one) },
            [one, two] => Self { table: "visit_grams", expression: pair(*one, *two) },
            _ => {
                let quoted = format!("\"{}\"", text.replace('"', "\"\""));
                Self { table: "visit_trigrams", expression: quoted }
            }
        }
    }
}

/// What a search looks through, a line for each field.
pub(super) fn search_text(row: &VisitSummary) -> String {
    format!("{}\n{}\n{}", row.case_no, row.borrower_name, row.address)
}

/// Every character of a text, and every pair of neighbours, as words of letters and digits.
fn grams(text: &str) -> String {
    let characters: Vec<char> = text.to_lowercase().chars().collect();
    let singles = characters.iter().map(|c| single(*c));
    let pairs = characters.windows(2).filter_map(|window| match window {
        [one, two] => Some(pair(*one, *two)),
        _ => None,
    });
    let words: BTreeSet<String> = singles.chain(pairs).collect();
    Vec::from_iter(words).join(" ")
}

fn single(one: char) -> String {
    format!("s{:x}", u32::from(one))
}

fn pair(one: char, two: char) -> String {
    format!("p{:x}x{:x}", u32::from(one), u32::from(two))
}

impl Tx<'_> {
    /// Replaces what the index holds of a record. Its former text leaves at once.
    pub(super) fn write_search(&self, id: RecordId, row: &VisitSummary) -> Result<(), StoreError> {
        let text = search_text(row);
        let former: Option<(i64, String)> = self.query_optional(
            "SELECT id, text FROM visit_search WHERE record = ?1",
            [id.0],
            |row| row.try_into(),
        )?;
        let key = match former {
            Some((_, former)) if former == text => return Ok(()),
            Some((key, former)) => {
                self.write(
                    "INSERT INTO visit_trigrams (visit_trigrams, rowid, text)
                     VALUES ('delete', ?1, ?2)",
                    (key, &former),
                )?;
                self.write(
                    "INSERT INTO visit_grams (visit_grams, rowid, grams) VALUES ('delete', ?1, ?2)",
                    (key, grams(&former)),
                )?;
                self.write("UPDATE visit_search SET text = ?2 WHERE id = ?1", (key, &text))?;
                key
            }
            None => {
                self.write(
                    "INSERT INTO visit_search (record, text) VALUES (?1, ?2)",
                    (id.0, &text),
                )?;
                self.connection.last_insert_rowid()
            }
        };
        self.write("INSERT INTO visit_trigrams (rowid, text) VALUES (?1, ?2)", (key, &text))?;
        self.write("INSERT INTO visit_grams (rowid, grams) VALUES (?1, ?2)", (key, grams(&text)))?;
        Ok(())
    }
}
