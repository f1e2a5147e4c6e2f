//! The fields that a return is about, as one text: a line each, `path note`. One scalar and not a
//! map, so that a review stays one value that is replaced as a whole.

use super::command::ReviewMark;
use super::schema::field_spec;

/// Maximum length of a note in characters.
const NOTE: usize = 400;

/// Whether the path is known and the note is a line of text.
pub(super) fn is_valid(mark: &ReviewMark) -> bool {
    let segments: Vec<&str> = mark.path.split('.').collect();
    let note = mark.note.trim();
    let has_space = mark.path.contains(char::is_whitespace);
    !note.is_empty()
        && note.chars().count() <= NOTE
        && !has_space
        && field_spec(&segments).is_some()
}

/// The text of valid marks.
pub(super) fn encode(marks: &[ReviewMark]) -> String {
    let line = |mark: &ReviewMark| {
        let words: Vec<&str> = mark.note.split_whitespace().collect();
        format!("{} {}", mark.path, words.join(" "))
    };
    marks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The marks in a text; lines of another form are skipped.
pub(super) fn decode(text: &str) -> Vec<ReviewMark> {
    let mark = |line: &str| {
        let (path, note) = line.split_once(' ')?;
        Some(ReviewMark { path: path.to_owned(), note: note.to_owned() })
    };
    text.lines().filter_map(mark).collect()
}
