//! Cells that a spreadsheet would run as a formula, made harmless on the way out and read back on
//! the way in.
//!
//! An apostrophe in front turns a formula into text. A text that begins with apostrophes and then
//! looks like a formula gets one more, so that an import restores every text exactly.

/// Where formulas begin, in both widths: spreadsheets set to Chinese or Japanese take either.
const BEGINNINGS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet might run a text of a CSV file, or split it.
fn is_risky(text: &str) -> bool {
    // Programs differ in what they skip before they look.
    let skipped =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}');
    text.starts_with(['\t', '\r', '\n']) || text.trim_start_matches(skipped).starts_with(BEGINNINGS)
}

fn behind_apostrophes(text: &str) -> &str {
    text.trim_start_matches('\'')
}

/// A text for a format whose cells have no type, such as CSV.
pub(in crate::office) fn escape(text: String) -> String {
    if is_risky(behind_apostrophes(&text)) { format!("'{text}") } else { text }
}

/// A text for a format whose cells are typed: only what [`unescape`] would change is escaped.
pub(super) fn escape_typed(text: String) -> String {
    if text.starts_with('\'') { escape(text) } else { text }
}

/// The text of a cell that may have been escaped.
pub(in crate::office) fn unescape(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_risky(behind_apostrophes(rest)) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_might_run_is_made_harmless_and_comes_back() {
        let risky = [
            "=1",
            "+1",
            "-1",
            "@x",
            "\t=1",
            "\tx",
            "\rx",
            "\nx",
            " =1",
            "\u{feff}=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
        ];
        for text in risky {
            let escaped = escape(text.to_owned());
            assert_eq!(escaped, format!("'{text}"));
            assert_eq!(unescape(&escaped), text);
            // One that was escaped somewhere else is text of its own.
            let twice = escape(escaped.clone());
            assert_eq!(
                (unescape(&twice), unescape(&escape_typed(escaped.clone()))),
                (escaped.as_str(), escaped.as_str())
            );
            assert_eq!(escape_typed(text.to_owned()), text);
        }
        for text in ["", "plain", "'tis", "''", "a=b", "陈洁", "1-2"] {
            assert_eq!((escape(text.to_owned()).as_str(), unescape(text)), (text, text));
        }
    }
}
