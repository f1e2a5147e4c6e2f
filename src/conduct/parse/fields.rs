//! Reads the fields of a TOML table and collects errors.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::conduct::time::{Day, parse_day};

/// Errors: byte offset and message.
pub(super) type Found = Vec<(usize, String)>;

/// The fields of one table. Fields that were never read are unknown.
pub(super) struct Fields<'t> {
    pub(super) table: &'t DeTable<'t>,
    pub(super) span: Range<usize>,
    pub(super) name: String,
    pub(super) used: Vec<String>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, span: Range<usize>, name: &str) -> Self {
        Self { table, span, name: name.to_owned(), used: Vec::new() }
    }

    pub(super) fn get(&mut self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.used.push(key.to_owned());
        self.table.get(key)
    }

    pub(super) fn wrong(&self, what: &str, found: &mut Found) {
        found.push((self.span.start, format!("{}: {what}", self.name)));
    }

    pub(super) fn mistyped(
        &self,
        key: &str,
        want: &str,
        at: &Spanned<DeValue<'_>>,
        found: &mut Found,
    ) {
        found.push((at.span().start, format!("{}: `{key}` is {want}", self.name)));
    }

    pub(super) fn need<T>(
        &mut self,
        key: &str,
        read: impl Fn(&mut Self, &str, &mut Found) -> Option<T>,
        found: &mut Found,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            self.used.push(key.to_owned());
            self.wrong(&format!("`{key}` is missing"), found);
            return None;
        }
        read(self, key, found)
    }

    pub(super) fn text(&mut self, key: &str, found: &mut Found) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.mistyped(key, "a text that is not empty", value, found);
        }
        text.map(str::to_owned)
    }

    pub(super) fn truth(&mut self, key: &str, found: &mut Found) -> Option<bool> {
        let value = self.get(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.mistyped(key, "true or false", value, found);
        }
        truth
    }

    pub(super) fn number(
        &mut self,
        key: &str,
        bounds: std::ops::RangeInclusive<i64>,
        found: &mut Found,
    ) -> Option<i64> {
        let value = self.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            let want = format!("a whole number from {} to {}", bounds.start(), bounds.end());
            self.mistyped(key, &want, value, found);
        }
        number
    }

    pub(super) fn needed(
        &mut self,
        key: &str,
        bounds: std::ops::RangeInclusive<i64>,
        found: &mut Found,
    ) -> Option<i64> {
        self.need(key, |fields, key, found| fields.number(key, bounds.clone(), found), found)
    }

    pub(super) fn day(&mut self, key: &str, found: &mut Found) -> Option<Day> {
        let value = self.get(key)?;
        let day = match value.get_ref() {
            DeValue::Datetime(date) => parse_day(&date.to_string()),
            other => other.as_str().and_then(parse_day),
        };
        if day.is_none() {
            self.mistyped(key, "a date such as 2026-01-30", value, found);
        }
        day
    }

    pub(super) fn minutes(&mut self, key: &str, found: &mut Found) -> Option<i64> {
        if !self.table.contains_key(key) {
            self.used.push(key.to_owned());
            self.wrong(&format!("`{key}` is missing"), found);
            return None;
        }
        let value = self.get(key)?;
        let minutes = value.get_ref().as_str().and_then(clock);
        if minutes.is_none() {
            self.mistyped(key, "a time of day in quotes, such as \"08:00\"", value, found);
        }
        minutes
    }

    pub(super) fn word<T: Copy + std::fmt::Display>(
        &mut self,
        key: &str,
        parse: fn(&str) -> Option<T>,
        all: &[T],
        found: &mut Found,
    ) -> Option<T> {
        let value = self.get(key)?;
        let word = value.get_ref().as_str().and_then(parse);
        if word.is_none() {
            self.mistyped(key, &format!("one of {}", words(all)), value, found);
        }
        word
    }

    pub(super) fn texts(&mut self, key: &str, found: &mut Found) -> Vec<(String, usize)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(key, "a list of texts", value, found);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            let text = match item.get_ref() {
                DeValue::Datetime(date) => Some(date.to_string()),
                other => other.as_str().map(str::to_owned),
            };
            match text {
                Some(text) => texts.push((text, item.span().start)),
                None => self.mistyped(key, "a list of texts", item, found),
            }
        }
        texts
    }

    pub(super) fn tables(&mut self, key: &str, found: &mut Found) -> Vec<Fields<'t>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(key, "a list of tables, in double brackets", value, found);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Fields::new(table, item.span(), &format!("a {key}"))),
                None => self.mistyped(key, "a list of tables", item, found),
            }
        }
        tables
    }

    /// Reports unknown fields: a mistyped name would silently disable a rule.
    pub(super) fn end(&self, found: &mut Found) {
        for key in self.table.keys() {
            if !self.used.iter().any(|used| used == key.get_ref()) {
                found.push((
                    key.span().start,
                    format!("{}: no field `{}`", self.name, key.get_ref()),
                ));
            }
        }
    }
}

/// Minutes of `HH:MM`, up to `24:00`.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2
        || minutes.len() != 2
        || !text.bytes().all(|b| b.is_ascii_digit() || b == b':')
    {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sum = hours * 60 + minutes;
    (minutes < 60 && sum <= 1440).then_some(sum)
}

pub(super) fn words<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
