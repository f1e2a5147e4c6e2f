//! Money as offices write it, exactly: currencies of ISO 4217, amounts between text in major
//! units and integers in minor units. No fraction ever passes through a float.

/// A currency of ISO 4217 and how many decimals its amounts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    exponent: u32,
}

/// Why a text is no amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAmount {
    /// Not a number as people write one.
    #[error("not an amount")]
    NotANumber,
    /// A fraction that the currency doesn't have.
    #[error("more decimals than the currency has")]
    TooManyDecimals,
    /// Beyond what an amount can be.
    #[error("the amount is too large")]
    TooLarge,
}

/// The largest amount that a record holds: past any debt, and exact in spreadsheets and in
/// JavaScript.
const MAX_MINOR: i64 = 1_000_000_000_000_000;

impl Currency {
    /// The currency with this code, upper-case as ISO 4217 writes it.
    pub fn parse(code: &str) -> Option<Self> {
        let at = CURRENCIES.binary_search_by_key(&code, |(known, _)| known).ok()?;
        CURRENCIES.get(at).map(|&(code, exponent)| Self { code, exponent })
    }

    /// The three letters.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// How many decimals an amount has.
    pub fn exponent(self) -> u32 {
        self.exponent
    }

    /// Minor units from text in major units, such as `9,492.26`.
    ///
    /// Thousands separators are commas and have to stand where they belong, so that `1,5` is
    /// refused instead of being read as fifteen.
    pub fn minor(self, text: &str) -> Result<i64, NoAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = ungroup(whole).ok_or(NoAmount::NotANumber)?;
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(&whole) || !all_digits(fraction) || digits.ends_with('.')
        {
            return Err(NoAmount::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        let places = usize::try_from(self.exponent).unwrap_or(usize::MAX);
        if fraction.len() > places {
            return Err(NoAmount::TooManyDecimals);
        }
        let minor: i64 =
            format!("{whole}{fraction:0<places$}").parse().map_err(|_| NoAmount::TooLarge)?;
        match minor {
            0..=MAX_MINOR if negative => Ok(-minor),
            0..=MAX_MINOR => Ok(minor),
            _ => Err(NoAmount::TooLarge),
        }
    }

    /// Text in major units, such as `9492.26`: always with the currency's decimals.
    pub fn major(self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        let places = usize::try_from(self.exponent).unwrap_or(0);
        if places == 0 {
            return minor.to_string();
        }
        let unit = 10_u64.pow(self.exponent);
        let minor = minor.unsigned_abs();
        format!("{sign}{}.{:0places$}", minor / unit, minor % unit)
    }

    /// The time zone of people who owe in this currency, where there is just one.
    pub fn zone(self) -> Option<&'static str> {
        let at = ZONES.binary_search_by_key(&self.code, |(code, _)| code).ok()?;
        ZONES.get(at).map(|(_, zone)| *zone)
    }
}

/// The digits of a whole number without its separators, or `None` where they stand wrong.
/// Groups have three digits; those before the last may have two, as in India.
fn ungroup(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let mut groups: Vec<&str> = text.split(',').collect();
    let last = groups.pop()?;
    let (first, middle) = groups.split_first()?;
    let width = middle.first().map_or(3, |group| group.len());
    let fits = (1..=3).contains(&first.len())
        && last.len() == 3
        && (2..=3).contains(&width)
        && first.len() <= width
        && middle.iter().all(|group| group.len() == width);
    fits.then(|| text.replace(',', ""))
}

/// ISO 4217 list one, with minor units; codes without any (gold, test codes) are no money that
/// borrowers owe. Sorted by code.
#[rustfmt::skip]
const CURRENCIES: &[(&str, u32)] = &[
    ("AED", 2), ("AFN", 2), ("ALL", 2), ("AMD", 2), ("AOA", 2), ("ARS", 2),
    ("AUD", 2), ("AWG", 2), ("AZN", 2), ("BAM", 2), ("BBD", 2), ("BDT", 2),
    ("BGN", 2), ("BHD", 3), ("BIF", 0), ("BMD", 2), ("BND", 2), ("BOB", 2),
    ("BOV", 2), ("BRL", 2), ("BSD", 2), ("BTN", 2), ("BWP", 2), ("BYN", 2),
    ("BZD", 2), ("CAD", 2), ("CDF", 2), ("CHE", 2), ("CHF", 2), ("CHW", 2),
    ("CLF", 4), ("CLP", 0), ("CNY", 2), ("COP", 2), ("COU", 2), ("CRC", 2),
    ("CUP", 2), ("CVE", 2), ("CZK", 2), ("DJF", 0), ("DKK", 2), ("DOP", 2),
    ("DZD", 2), ("EGP", 2), ("ERN", 2), ("ETB", 2), ("EUR", 2), ("FJD", 2),
    ("FKP", 2), ("GBP", 2), ("GEL", 2), ("GHS", 2), ("GIP", 2), ("GMD", 2),
    ("GNF", 0), ("GTQ", 2), ("GYD", 2), ("HKD", 2), ("HNL", 2), ("HTG", 2),
    ("HUF", 2), ("IDR", 2), ("ILS", 2), ("INR", 2), ("IQD", 3), ("IRR", 2),
    ("ISK", 0), ("JMD", 2), ("JOD", 3), ("JPY", 0), ("KES", 2), ("KGS", 2),
    ("KHR", 2), ("KMF", 0), ("KPW", 2), ("KRW", 0), ("KWD", 3), ("KYD", 2),
    ("KZT", 2), ("LAK", 2), ("LBP", 2), ("LKR", 2), ("LRD", 2), ("LSL", 2),
    ("LYD", 3), ("MAD", 2), ("MDL", 2), ("MGA", 2), ("MKD", 2), ("MMK", 2),
    ("MNT", 2), ("MOP", 2), ("MRU", 2), ("MUR", 2), ("MVR", 2), ("MWK", 2),
    ("MXN", 2), ("MXV", 2), ("MYR", 2), ("MZN", 2), ("NAD", 2), ("NGN", 2),
    ("NIO", 2), ("NOK", 2), ("NPR", 2), ("NZD", 2), ("OMR", 3), ("PAB", 2),
    ("PEN", 2), ("PGK", 2), ("PHP", 2), ("PKR", 2), ("PLN", 2), ("PYG", 0),
    ("QAR", 2), ("RON", 2), ("RSD", 2), ("RUB", 2), ("RWF", 0), ("SAR", 2),
    ("SBD", 2), ("SCR", 2), ("SDG", 2), ("SEK", 2), ("SGD", 2), ("SHP", 2),
    ("SLE", 2), ("SOS", 2), ("SRD", 2), ("SSP", 2), ("STN", 2), ("SVC", 2),
    ("SYP", 2), ("SZL", 2), ("THB", 2), ("TJS", 2), ("TMT", 2), ("TND", 3),
    ("TOP", 2), ("TRY", 2), ("TTD", 2), ("TWD", 2), ("TZS", 2), ("UAH", 2),
    ("UGX", 0), ("USD", 2), ("USN", 2), ("UYI", 0), ("UYU", 2), ("UYW", 4),
    ("UZS", 2), ("VED", 2), ("VES", 2), ("VND", 0), ("VUV", 0), ("WST", 2),
    ("XAD", 2), ("XAF", 0), ("XCD", 2), ("XCG", 2), ("XOF", 0), ("XPF", 0),
    ("YER", 2), ("ZAR", 2), ("ZMW", 2), ("ZWG", 2),
];

/// Currencies that are used in one time zone only. Sorted by code.
const ZONES: &[(&str, &str)] = &[
    ("AED", "Asia/Dubai"),
    ("ARS", "America/Argentina/Buenos_Aires"),
    ("BDT", "Asia/Dhaka"),
    ("CHF", "Europe/Zurich"),
    ("CNY", "Asia/Shanghai"),
    ("COP", "America/Bogota"),
    ("CZK", "Europe/Prague"),
    ("DKK", "Europe/Copenhagen"),
    ("EGP", "Africa/Cairo"),
    ("GBP", "Europe/London"),
    ("GHS", "Africa/Accra"),
    ("HKD", "Asia/Hong_Kong"),
    ("HUF", "Europe/Budapest"),
    ("ILS", "Asia/Jerusalem"),
    ("INR", "Asia/Kolkata"),
    ("JPY", "Asia/Tokyo"),
    ("KES", "Africa/Nairobi"),
    ("KHR", "Asia/Phnom_Penh"),
    ("KRW", "Asia/Seoul"),
    ("LAK", "Asia/Vientiane"),
    ("LKR", "Asia/Colombo"),
    ("MMK", "Asia/Yangon"),
    ("MOP", "Asia/Macau"),
    ("MYR", "Asia/Kuala_Lumpur"),
    ("NGN", "Africa/Lagos"),
    ("NOK", "Europe/Oslo"),
    ("NPR", "Asia/Kathmandu"),
    ("PEN", "America/Lima"),
    ("PHP", "Asia/Manila"),
    ("PKR", "Asia/Karachi"),
    ("PLN", "Europe/Warsaw"),
    ("RON", "Europe/Bucharest"),
    ("SAR", "Asia/Riyadh"),
    ("SEK", "Europe/Stockholm"),
    ("SGD", "Asia/Singapore"),
    ("THB", "Asia/Bangkok"),
    ("TRY", "Europe/Istanbul"),
    ("TWD", "Asia/Taipei"),
    ("TZS", "Africa/Dar_es_Salaam"),
    ("UAH", "Europe/Kyiv"),
    ("UGX", "Africa/Kampala"),
    ("UZS", "Asia/Tashkent"),
    ("VND", "Asia/Ho_Chi_Minh"),
    ("ZAR", "Africa/Johannesburg"),
    ("ZMW", "Africa/Lusaka"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("CNY", "9,492.26", Ok(949_226))]
    #[case("CNY", "209,600", Ok(20_960_000))]
    #[case("CNY", "73000", Ok(7_300_000))]
    #[case("CNY", "0.1", Ok(10))]
    #[case("CNY", "1234567.80", Ok(123_456_780))]
    #[case("CNY", "1.2300", Ok(123))]
    #[case("CNY", "1.234", Err(NoAmount::TooManyDecimals))]
    #[case("CNY", "-5", Ok(-500))]
    #[case("JPY", "1,500", Ok(1_500))]
    #[case("JPY", "1500.00", Ok(1_500))]
    #[case("JPY", "1500.5", Err(NoAmount::TooManyDecimals))]
    #[case("KWD", "1.234", Ok(1_234))]
    #[case("CLF", "1.2345", Ok(12_345))]
    #[case("INR", "12,34,567.89", Ok(123_456_789))]
    #[case("CNY", "1,5", Err(NoAmount::NotANumber))]
    #[case("CNY", "1,2345", Err(NoAmount::NotANumber))]
    #[case("CNY", "1.5E+05", Err(NoAmount::NotANumber))]
    #[case("CNY", "若干", Err(NoAmount::NotANumber))]
    #[case("CNY", "", Err(NoAmount::NotANumber))]
    #[case("CNY", ".5", Err(NoAmount::NotANumber))]
    #[case("CNY", "--5", Err(NoAmount::NotANumber))]
    #[case("CNY", "99999999999999999999", Err(NoAmount::TooLarge))]
    #[case("CNY", "10,000,000,000,000.00", Ok(1_000_000_000_000_000))]
    #[case("CNY", "10,000,000,000,000.01", Err(NoAmount::TooLarge))]
    fn amounts(#[case] code: &str, #[case] text: &str, #[case] minor: Result<i64, NoAmount>) {
        assert_eq!(Currency::parse(code).unwrap().minor(text), minor);
    }

    #[rstest]
    #[case("CNY", 949_226, "9492.26")]
    #[case("CNY", 5, "0.05")]
    #[case("CNY", -5, "-0.05")]
    #[case("JPY", 1_500, "1500")]
    #[case("KWD", 1_234, "1.234")]
    fn written(#[case] code: &str, #[case] minor: i64, #[case] text: &str) {
        assert_eq!(Currency::parse(code).unwrap().major(minor), text);
    }

    #[test]
    fn tables_are_sorted_and_zones_exist() {
        assert!(CURRENCIES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ZONES.is_sorted_by(|a, b| a.0 < b.0));
        for (code, zone) in ZONES {
            assert!(Currency::parse(code).is_some(), "{code}");
            assert!(zone.parse::<chrono_tz::Tz>().is_ok(), "{zone}");
        }
        for unknown in ["RMB", "RMB元", "cny", "", "XAU", "XXX"] {
            assert_eq!(Currency::parse(unknown), None);
        }
    }
}
