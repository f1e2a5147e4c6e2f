//! Dates of the Gregorian calendar.

/// A date that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    /// 0 to 9999, as far as texts go.
    pub(crate) year: i32,
    /// From 1.
    pub(crate) month: i32,
    /// From 1.
    pub(crate) day: i32,
}

impl Date {
    /// From `YYYY-MM-DD`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i32>().ok())?
        };
        let date = Self { year: next(4)?, month: next(2)?, day: next(2)? };
        (1..=days_in_month(date.year, date.month)?).contains(&date.day).then_some(date)
    }

    /// The same day of a later month, or the last day of a shorter one.
    pub(crate) fn months_later(self, months: i32) -> Option<Self> {
        let total = (self.month - 1).checked_add(months)?;
        let year = self.year.checked_add(total.div_euclid(12))?;
        let month = total.rem_euclid(12) + 1;
        Some(Self { year, month, day: self.day.min(days_in_month(year, month)?) })
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The number of days of a month (1 to 12); `None` for other numbers.
pub(crate) fn days_in_month(year: i32, month: i32) -> Option<i32> {
    let divisible = |by| year.rem_euclid(by) == 0;
    let leap = divisible(4) && (!divisible(100) || divisible(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}
