//! Whether the archive of a workbook is safe to give to a reader of workbooks.
//!
//! The reader trusts what an archive says of itself: it loads some parts whole, and it makes room
//! for as many texts as an attribute promises, which a few bytes can make more than any machine
//! has. So every part is unpacked here first, for nothing but its size and that promise.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;

use super::SheetError;

/// What the sheets of a workbook may be once unpacked, which are read cell by cell: a sheet of
/// 200,000 rows takes half of it.
const MAX_SHEETS: u64 = 256 * 1024 * 1024;

/// What its other parts may be, such as the texts that cells share, which are loaded whole.
const MAX_OTHERS: u64 = 64 * 1024 * 1024;

/// What its styles may be: the name of a font is copied for each of the cell formats that use it.
const MAX_STYLES: usize = 4 * 1024 * 1024;

/// The longest tag in them: a number format of 255 characters, each written as an entity of four.
const MAX_TAG: usize = 1_100;

/// The part with the styles.
const STYLES: &str = "styles.xml";

/// The part with the texts that cells share.
const SHARED: &str = "sharedstrings.xml";

/// The attribute that says how many there are.
const PROMISE: &[u8] = b"uniqueCount";

/// Unpacks every part and keeps nothing of it.
pub(super) fn check(bytes: &[u8]) -> Result<(), SheetError> {
    check_within(MAX_SHEETS, MAX_OTHERS, bytes)
}

fn check_within(mut sheets: u64, mut others: u64, bytes: &[u8]) -> Result<(), SheetError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| SheetError::Damaged)?;
    for place in 0..archive.len() {
        let mut part = archive.by_index(place).map_err(|_| SheetError::Damaged)?;
        // A workbook may lie in any folder; its reader finds parts whatever their case.
        let name = part.name().map_err(|_| SheetError::Damaged)?;
        let name = name.to_ascii_lowercase().replace('\\', "/");
        let file = name.rsplit('/').next().unwrap_or_default();
        let loaded = matches!(file, SHARED | STYLES);
        let room = if name.contains("worksheets/") && !loaded { &mut sheets } else { &mut others };
        // What the archive says of its sizes is not asked.
        let mut part = part.by_ref().take(*room + 1);
        let unpacked = if loaded {
            let mut xml = Vec::new();
            part.read_to_end(&mut xml).map_err(|_| SheetError::Damaged)?;
            if file == SHARED && !keeps_its_promise(&xml) {
                return Err(SheetError::Damaged);
            }
            if file == STYLES && !are_styles(&xml) {
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

/// Whether styles are of a size that Excel writes, tag by tag.
fn are_styles(xml: &[u8]) -> bool {
    xml.len() <= MAX_STYLES && xml.split(|byte| *byte == b'>').all(|tag| tag.len() <= MAX_TAG)
}

/// Whether shared texts promise no more of themselves than could stand in so many bytes.
fn keeps_its_promise(xml: &[u8]) -> bool {
    // Not allowed in XML of one byte a letter; in others the promise would hide from us.
    let control = |byte: &u8| *byte < b' ' && !matches!(*byte, b'\t' | b'\n' | b'\r');
    if xml.iter().any(control) {
        return false;
    }
    let mut promises = xml.windows(PROMISE.len()).enumerate().filter(|(_, word)| *word == PROMISE);
    promises.all(|(at, _)| {
        let behind = xml.get(at + PROMISE.len()..).unwrap_or_default();
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
    fn promises(#[case] xml: &[u8], #[case] kept: bool) {
        assert_eq!(keeps_its_promise(xml), kept);
    }

    /// An archive with one part of a megabyte, whatever its directory says of that.
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
        assert!(are_styles(font(31).as_bytes()));
        assert!(!are_styles(font(4_000).as_bytes()));
        assert!(!are_styles("<xf/>".repeat(1_000_000).as_bytes()));
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
