//! Checks that the archive of a workbook is safe for the library that reads workbooks.
//!
//! The library loads some parts completely and allocates memory for as many texts as an attribute
//! announces. A small archive can expand to, or announce, more than any machine has. So every part
//! is unpacked here first, only to check its size and that attribute.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;

use super::SheetError;

/// Unpacked bytes of all sheets, which are read cell by cell: a sheet of 200,000 rows takes half.
const MAX_SHEETS: u64 = 256 * 1024 * 1024;

/// Unpacked bytes of all other parts, such as shared texts, which are loaded completely.
const MAX_OTHER_PARTS: u64 = 64 * 1024 * 1024;

/// Unpacked bytes of the styles: a font name is copied for each cell format that uses it.
const MAX_STYLES: usize = 4 * 1024 * 1024;

/// The longest tag of the styles: a number format of 255 characters, each written as an entity of
/// four.
const MAX_TAG: usize = 1_100;

/// The part with the styles.
const STYLES: &str = "styles.xml";

/// The part with texts that cells share.
const SHARED: &str = "sharedstrings.xml";

/// The attribute that announces their number.
const COUNT_ATTRIBUTE: &[u8] = b"uniqueCount";

/// Unpacks every part without storing it.
pub(super) fn check(bytes: &[u8]) -> Result<(), SheetError> {
    check_within(MAX_SHEETS, MAX_OTHER_PARTS, bytes)
}

fn check_within(mut sheets: u64, mut others: u64, bytes: &[u8]) -> Result<(), SheetError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| SheetError::Damaged)?;
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).map_err(|_| SheetError::Damaged)?;
        // Parts may be in any folder; the library ignores case.
        let name = part.name().map_err(|_| SheetError::Damaged)?;
        let name = name.to_ascii_lowercase().replace('\\', "/");
        let file = name.rsplit('/').next().unwrap_or_default();
        let loaded = matches!(file, SHARED | STYLES);
        let room = if name.contains("worksheets/") && !loaded { &mut sheets } else { &mut others };
        // The sizes that the archive declares are not trusted.
        let mut part = part.by_ref().take(*room + 1);
        let unpacked = if loaded {
            let mut xml = Vec::new();
            part.read_to_end(&mut xml).map_err(|_| SheetError::Damaged)?;
            if file == SHARED && !has_plausible_count(&xml) {
                return Err(SheetError::Damaged);
            }
            if file == STYLES && !styles_within_limits(&xml) {
                return Err(SheetError::TooLarge);
            }
            xml.len() as u64
        } else {
            io::copy(&mut part, &mut io::sink()).map_err(|_| SheetError::Damaged)?
        };
        *room = room.checked_sub(unpacked).ok_or(SheetError::TooLarge)?;
    }
    Ok(())
}

/// Whether styles and their tags are no larger than Excel writes them.
fn styles_within_limits(xml: &[u8]) -> bool {
    xml.len() <= MAX_STYLES && xml.split(|byte| *byte == b'>').all(|tag| tag.len() <= MAX_TAG)
}

/// Whether the announced number of shared texts is possible for the size of the part.
fn has_plausible_count(xml: &[u8]) -> bool {
    // UTF-16 would hide the attribute; in encodings of one byte per character 0 is not allowed.
    let control = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\t' | b'\n' | b'\r');
    if xml.iter().any(control) {
        return false;
    }
    let mut counts =
        xml.windows(COUNT_ATTRIBUTE.len()).enumerate().filter(|(_, word)| *word == COUNT_ATTRIBUTE);
    counts.all(|(at, _)| {
        let behind = xml.get(at + COUNT_ATTRIBUTE.len()..).unwrap_or_default();
        let mut value = behind.iter().skip_while(|byte| b" \t\r\n=\"'".contains(byte)).peekable();
        let mut count = value.peek().filter(|byte| byte.is_ascii_digit()).map(|_| 0_usize);
        for digit in value.take_while(|byte| byte.is_ascii_digit()) {
            count = count
                .and_then(|count| count.checked_mul(10)?.checked_add(usize::from(digit - b'0')));
        }
        count.is_some_and(|count| count <= xml.len())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use rstest::rstest;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    #[rstest]
    #[case::kept(
        br#"<sst count="9" uniqueCount="2"><si><t>a</t></si><si><t>b</t></si></sst>"#,
        true
    )]
    #[case::none(b"<sst><si><t>a</t></si></sst>", true)]
    #[case::terabytes(br#"<sst uniqueCount="999999999999"><si><t>a</t></si></sst>"#, false)]
    #[case::past_counting(br#"<sst uniqueCount = '99999999999999999999999'></sst>"#, false)]
    #[case::no_number(br#"<sst uniqueCount="many"></sst>"#, false)]
    #[case::of_two_bytes_a_letter(b"<\0s\0s\0t\0", false)]
    fn counts(#[case] xml: &[u8], #[case] kept: bool) {
        assert_eq!(has_plausible_count(xml), kept);
    }

    /// An archive with one part of a megabyte; its directory declares another size.
    fn megabyte(name: &str, claimed: Option<u32>) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(&[b' '; 1 << 20]).unwrap();
        let mut bytes = archive.finish().unwrap().into_inner();
        if let Some(claimed) = claimed {
            let size = (1_u32 << 20).to_le_bytes();
            let places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&size));
            for at in places.collect::<Vec<_>>() {
                bytes[at..at + 4].copy_from_slice(&claimed.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn styles_have_short_tags() {
        let font = |name: usize| format!("<styleSheet><font name=\"{}\"/>", "x".repeat(name));
        assert!(styles_within_limits(font(31).as_bytes()));
        assert!(!styles_within_limits(font(4_000).as_bytes()));
        assert!(!styles_within_limits("<xf/>".repeat(1_000_000).as_bytes()));
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_too_large_whatever_it_says() {
        let check = |archive: &[u8]| check_within(2 << 20, 1000, archive);
        for name in ["xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/Styles.xml", "a.bin"] {
            assert_eq!(check(&megabyte(name, None)), Err(SheetError::TooLarge), "{name}");
        }
        assert_eq!(check(&megabyte("xl/worksheets/sheet1.xml", None)), Ok(()));
        let lying = check(&megabyte("xl/sharedStrings.xml", Some(100)));
        assert!(matches!(lying, Err(SheetError::TooLarge | SheetError::Damaged)), "{lying:?}");
    }
}
