//! Parses cells as people and loan systems write them.

use chrono::{Datelike, Days, NaiveDate};

/// Converts full-width characters to ASCII and trims: `１，２３４．５０` becomes `1,234.50`.
pub(super) fn narrow(text: &str) -> String {
    let narrowed: String = text
        .chars()
        .map(|c| match c {
            // The block repeats ASCII from `!` to `~` at a fixed distance.
            '\u{FF01}'..='\u{FF5E}' => {
                char::from_u32(u32::from(c) - 0xFF01 + u32::from('!')).unwrap_or(c)
            }
            '\u{3000}' | '\u{A0}' | '\u{202F}' => ' ',
            '\u{2212}' => '-',
            other => other,
        })
        .filter(|c| !matches!(c, '\u{FEFF}' | '\u{200B}'))
        .collect();
    narrowed.trim().to_owned()
}

/// A date as `YYYY-MM-DD` from `2026-11-03`, `2026/11/3`, `2026.11.03`, `20261103`, `2026年11月3日`
/// or Excel's serial number, optionally followed by a time. `None` if there is no such day, or
/// if the order of day and month is ambiguous.
pub(super) fn date(text: &str) -> Option<String> {
    let text = narrow(text);
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text.as_str(), None),
    };
    if time.is_some_and(|time| !time.bytes().all(|b| b.is_ascii_digit() || b":.Z+-".contains(&b))) {
        return None;
    }
    let date =
        if day.bytes().all(|b| b.is_ascii_digit()) { digits_date(day)? } else { parted_date(day)? };
    (1900..2200).contains(&date.year()).then(|| date.to_string())
}

fn parted_date(text: &str) -> Option<NaiveDate> {
    let plain = text.strip_suffix(['日', '号']).unwrap_or(text).replace(['年', '月'], "-");
    let separator = plain.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let mut parts = plain.split(separator).map(|part| {
        let fits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| (part.len(), part.parse::<u32>().ok()))
    });
    let (
        Some(Some((4, Some(year)))),
        Some(Some((_, Some(month)))),
        Some(Some((_, Some(day)))),
        None,
    ) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn digits_date(digits: &str) -> Option<NaiveDate> {
    match digits.len() {
        8 => NaiveDate::parse_from_str(digits, "%Y%m%d").ok(),
        // Serial 60 is the nonexistent 29 February 1900; from the day after, day 0 is 30 December
        // 1899.
        5 => {
            NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(digits.parse().ok()?))
        }
        _ => None,
    }
}

/// An integer, possibly followed by `.0` as spreadsheets write it.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let text = narrow(text);
    let digits = text.strip_suffix('天').unwrap_or(&text);
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    digits.parse().ok()
}

/// Degrees within ±`limit`.
pub(super) fn degrees(text: &str, limit: f64) -> Option<f64> {
    let degrees: f64 = narrow(text).parse().ok()?;
    (degrees.abs() <= limit).then_some(degrees)
}

/// Phone numbers of one cell, and texts that are not phone numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Phones {
    /// Digits, optionally after a plus.
    pub good: Vec<String>,
    /// As in the cell.
    pub bad: Vec<String>,
}

/// Reads the phone numbers of one cell, separated by `/`, `;`, `,` or `、`.
pub(super) fn phones(text: &str, into: &mut Phones) {
    for part in narrow(text).split(['/', ';', ',', '、', '\n']).map(str::trim) {
        let number: String =
            part.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        let fits = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if part.is_empty() || into.good.contains(&number) {
            continue;
        }
        if fits { into.good.push(number) } else { into.bad.push(part.to_owned()) }
    }
}

/// The code of a product that loan systems name in Chinese; others stay as they are.
pub(super) fn product(text: &str) -> String {
    let text = text.trim();
    let code = match text {
        "个人消费贷款" | "个人消费贷" | "消费贷款" => "personal_loan",
        "信用卡分期" | "信用卡分期付款" => "card_instalment",
        "购车贷款" | "汽车贷款" | "车贷" => "car_loan",
        other => other,
    };
    code.to_owned()
}

/// A BCP 47 language tag from a tag or a Chinese name.
pub(super) fn language(text: &str) -> Option<String> {
    let text = narrow(text);
    match text.as_str() {
        "中文" | "普通话" | "汉语" | "简体中文" => return Some("zh-CN".to_owned()),
        "英文" | "英语" => return Some("en".to_owned()),
        _ => {}
    }
    let mut parts = text.split('-');
    let primary = parts.next()?;
    let fits = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-11-03", Some("2026-11-03"))]
    #[case("2026/11/3", Some("2026-11-03"))]
    #[case("2026.11.03", Some("2026-11-03"))]
    #[case("2026年11月3日", Some("2026-11-03"))]
    #[case("２０２６／１１／０３", Some("2026-11-03"))]
    #[case("20261103", Some("2026-11-03"))]
    #[case("46329", Some("2026-11-03"))]
    #[case("2026-11-03 00:00:00", Some("2026-11-03"))]
    #[case("2026-11-03T08:30:00Z", Some("2026-11-03"))]
    #[case("2024-02-29", Some("2024-02-29"))]
    #[case("2026-02-30", None)]
    #[case("2026-13-01", None)]
    #[case("03/11/2026", None)]
    #[case("11-03", None)]
    #[case("2026-11-03-01", None)]
    #[case("0026-11-03", None)]
    #[case("2026-+1-03", None)]
    #[case("tomorrow", None)]
    #[case("2026-11-03 noon", None)]
    #[case("", None)]
    fn dates(#[case] text: &str, #[case] read: Option<&str>) {
        assert_eq!(date(text).as_deref(), read);
    }

    #[rstest]
    #[case("49", Some(49))]
    #[case("４９", Some(49))]
    #[case("49.0", Some(49))]
    #[case("49天", Some(49))]
    #[case("-5", Some(-5))]
    #[case("4.5", None)]
    #[case("many", None)]
    fn whole_numbers(#[case] text: &str, #[case] read: Option<i64>) {
        assert_eq!(whole_number(text), read);
    }

    #[test]
    fn phone_numbers() {
        let mut read = Phones::default();
        phones("１９００００１０８９７", &mut read);
        phones("+86 190-0000-3045 / 0574 8765 4321、190", &mut read);
        phones("19000010897", &mut read);
        assert_eq!(read.good, ["19000010897", "+8619000003045", "057487654321"]);
        assert_eq!(read.bad, ["190"]);
    }

    #[rstest]
    #[case("zh-CN", Some("zh-CN"))]
    #[case("普通话", Some("zh-CN"))]
    #[case("en", Some("en"))]
    #[case("the one from Ningbo", None)]
    fn languages(#[case] text: &str, #[case] read: Option<&str>) {
        assert_eq!(language(text).as_deref(), read);
    }

    #[test]
    fn degrees_stay_on_the_globe() {
        assert_eq!(degrees("29.717349", 90.0), Some(29.717_349));
        assert_eq!(degrees("121.5", 90.0), None);
        assert_eq!(degrees("NaN", 90.0), None);
    }
}
