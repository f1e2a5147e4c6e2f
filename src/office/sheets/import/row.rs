//! Validates one row of a case list and converts it to facts of a case.

use std::collections::{BTreeSet, HashSet};

use chrono_tz::Tz;

use super::cell::{self, Phones, narrow};
use super::columns::{Columns, Field};
use super::reader::Row;
use super::reason::Reason;
use crate::office::money::{Currency, NoAmount};
use crate::office::sheets::formula;
use crate::record::command::CasePatch;

/// Defaults and constraints for all rows.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Sign-in names of existing collectors.
    pub collectors: BTreeSet<String>,
    /// Collector of rows that name none.
    pub assign_to: Option<String>,
    /// Time zone of borrowers of rows that name none.
    pub zone: Option<Tz>,
}

/// A valid row.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// Its position in the file.
    pub position: RowPosition,
    /// The lender's case number.
    pub case_no: String,
    /// Facts of the case; fields without a column are absent.
    pub case: CasePatch,
    /// Assigned collectors.
    pub collectors: Vec<String>,
    /// Notes on ignored values.
    pub notes: Vec<Reason>,
}

/// Position of a row in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowPosition {
    /// Number of the row below the heading, from 1.
    pub row: usize,
    /// The row's number in the sheet, where the heading is row 1.
    pub sheet_row: usize,
}

/// An invalid row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRow {
    /// Its position in the file.
    pub position: RowPosition,
    /// The case number, if the row has one.
    pub case_no: Option<String>,
    /// The invalid field; `None` if the row as a whole is invalid.
    pub field: Option<&'static str>,
    /// The reason.
    pub reason: Reason,
}

/// Reads the rows of one sheet, in order.
#[derive(Debug)]
pub struct RowReader {
    columns: Columns,
    rules: Rules,
    seen: HashSet<String>,
}

/// An invalid field and the reason.
type Wrong = (Option<Field>, Reason);

/// The limits of records; longer texts suggest a missing quote.
const MAX_NOTE: usize = 4_000;
const MAX_LINE: usize = 400;
const MAX_CASE_NO: usize = 64;

impl RowReader {
    /// A reader for a sheet with these columns.
    pub fn new(columns: Columns, rules: Rules) -> Self {
        Self { columns, rules, seen: HashSet::new() }
    }

    /// Reads the next row.
    pub fn read(&mut self, row: &Row) -> Result<CaseRow, InvalidRow> {
        let position = RowPosition { row: row.number, sheet_row: row.sheet_row };
        let cells = Cells { columns: &self.columns, row };
        let case_no = narrow(cells.get(Field::CaseNo).unwrap_or_default());
        // Also the numbers of invalid rows: of two rows with one number never the second wins.
        let fresh = case_no.is_empty() || self.seen.insert(case_no.clone());
        self.parse(&cells, &case_no, fresh, position).map_err(|(field, reason)| InvalidRow {
            position,
            case_no: (!case_no.is_empty()).then(|| case_no.clone()),
            field: field.map(Field::as_str),
            reason,
        })
    }

    fn parse(
        &self,
        cells: &Cells<'_>,
        case_no: &str,
        fresh: bool,
        position: RowPosition,
    ) -> Result<CaseRow, Wrong> {
        cells.check_width()?;
        check_case_no(case_no, fresh)?;
        let borrower_name = cells.required(Field::BorrowerName)?;
        let currency = cells.currency()?;
        let overdue = cells.amount(Field::OverdueAmount, currency)?;
        let overdue = overdue.ok_or_else(|| missing(Field::OverdueAmount))?;
        let due_date = cells.date(Field::DueDate)?.filter(|date| !date.is_empty());
        let due_date = due_date.ok_or_else(|| missing(Field::DueDate))?;
        let mut notes = Vec::new();
        let case = CasePatch {
            borrower_name: Some(borrower_name),
            phones: cells.phones(&mut notes)?,
            address: cells.text(Field::Address)?,
            lat: cells.degrees(Field::Lat, 90)?,
            lon: cells.degrees(Field::Lon, 180)?,
            product: cells.text(Field::Product)?.map(|text| cell::product(&text)),
            principal: cells.amount(Field::Principal, currency)?,
            overdue: Some(overdue),
            currency: Some(currency.code().to_owned()),
            days_past_due: cells.days_past_due()?,
            due_date: Some(due_date),
            last_payment_date: cells.date(Field::LastPaymentDate)?,
            preferred_language: cells.language()?,
            zone: Some(self.zone(cells, currency, &mut notes)?),
            note: cells.text(Field::Note)?,
        };
        let collectors = self.collectors(cells)?;
        Ok(CaseRow { position, case_no: case_no.to_owned(), case, collectors, notes })
    }

    fn zone(
        &self,
        cells: &Cells<'_>,
        currency: Currency,
        notes: &mut Vec<Reason>,
    ) -> Result<String, Wrong> {
        let named = cells.get(Field::Zone).map(narrow).unwrap_or_default();
        if !named.is_empty() {
            let zone = named.parse::<Tz>().map(|zone| zone.name().to_owned());
            return zone.map_err(|_| wrong(Field::Zone, Reason::Zone));
        }
        if let Some(zone) = self.rules.zone {
            return Ok(zone.name().to_owned());
        }
        Ok(currency.zone().map(str::to_owned).unwrap_or_else(|| {
            notes.push(Reason::ZoneOfCurrency(currency));
            "UTC".to_owned()
        }))
    }

    fn collectors(&self, cells: &Cells<'_>) -> Result<Vec<String>, Wrong> {
        let text = narrow(cells.get(Field::AssignedTo).unwrap_or_default()).to_lowercase();
        let mut names: BTreeSet<&str> =
            text.split([',', ';', '、', '/']).map(str::trim).filter(|n| !n.is_empty()).collect();
        if let Some(name) = names.iter().find(|name| !self.rules.collectors.contains(**name)) {
            return Err(wrong(Field::AssignedTo, Reason::Collector(excerpt(name))));
        }
        if names.is_empty() {
            names.extend(self.rules.assign_to.as_deref());
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

fn check_case_no(case_no: &str, fresh: bool) -> Result<(), Wrong> {
    if case_no.is_empty() {
        return Err(missing(Field::CaseNo));
    }
    if case_no.chars().count() > MAX_CASE_NO || case_no.contains(char::is_control) {
        return Err(wrong(Field::CaseNo, Reason::CaseNo(MAX_CASE_NO)));
    }
    if !fresh {
        return Err(wrong(Field::CaseNo, Reason::Repeated));
    }
    Ok(())
}

fn missing(field: Field) -> Wrong {
    wrong(field, Reason::Missing)
}

fn wrong(field: Field, reason: Reason) -> Wrong {
    (Some(field), reason)
}

/// The beginning of a cell, for messages.
fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The cells of one row by field.
struct Cells<'a> {
    columns: &'a Columns,
    row: &'a Row,
}

impl Cells<'_> {
    /// The raw cell; `None` if the sheet has no such column. Cells missing at the end of a row
    /// are empty.
    fn get(&self, field: Field) -> Option<&str> {
        let column = self.columns.position(field)?;
        Some(formula::unescape(self.row.cells.get(column).unwrap_or_default().trim()))
    }

    /// The cell, if there is one that is not empty.
    fn filled(&self, field: Field) -> Option<&str> {
        self.get(field).filter(|cell| !cell.is_empty())
    }

    /// An unquoted comma shifts all cells after it, so a row that is too wide is invalid.
    fn check_width(&self) -> Result<(), Wrong> {
        let mut beyond = self.row.cells.iter().skip(self.columns.count());
        if beyond.any(|cell| !cell.trim().is_empty()) {
            return Err((None, Reason::TooWide));
        }
        Ok(())
    }

    fn required(&self, field: Field) -> Result<String, Wrong> {
        self.text(field)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(field))
    }

    /// Free text with uniform line breaks.
    fn text(&self, field: Field) -> Result<Option<String>, Wrong> {
        let text = self.get(field).map(|text| text.replace("\r\n", "\n").replace('\r', "\n"));
        let most = if field == Field::Note { MAX_NOTE } else { MAX_LINE };
        match text {
            Some(text) if text.chars().count() > most => Err(wrong(field, Reason::TooLong(most))),
            text => Ok(text),
        }
    }

    fn currency(&self) -> Result<Currency, Wrong> {
        let cell = self.filled(Field::Currency).ok_or_else(|| missing(Field::Currency))?;
        Currency::parse(&narrow(cell).to_ascii_uppercase())
            .ok_or_else(|| wrong(Field::Currency, Reason::Currency(excerpt(cell))))
    }

    fn amount(&self, field: Field, currency: Currency) -> Result<Option<i64>, Wrong> {
        let Some(cell) = self.filled(field) else { return Ok(None) };
        let text = narrow(cell);
        let text = text.strip_prefix(['¥', '￥']).unwrap_or(&text).replace(' ', "");
        match currency.minor(&text) {
            Ok(minor) if minor < 0 => Err(wrong(field, Reason::Negative)),
            Ok(minor) => Ok(Some(minor)),
            Err(NoAmount::NotANumber) => Err(wrong(field, Reason::Amount(excerpt(cell)))),
            Err(NoAmount::TooManyDecimals) => Err(wrong(field, Reason::Decimals(currency))),
            Err(NoAmount::TooLarge) => Err(wrong(field, Reason::TooLarge)),
        }
    }

    fn date(&self, field: Field) -> Result<Option<String>, Wrong> {
        let Some(cell) = self.get(field) else { return Ok(None) };
        if cell.is_empty() {
            return Ok(Some(String::new()));
        }
        let date = cell::date(cell).ok_or_else(|| wrong(field, Reason::Date(excerpt(cell))))?;
        Ok(Some(date))
    }

    fn days_past_due(&self) -> Result<Option<i64>, Wrong> {
        let field = Field::DaysPastDue;
        let Some(cell) = self.filled(field) else { return Ok(None) };
        match cell::whole_number(cell) {
            Some(days @ 0..=36_525) => Ok(Some(days)),
            Some(..0) => Err(wrong(field, Reason::Negative)),
            Some(_) => Err(wrong(field, Reason::Century)),
            None => Err(wrong(field, Reason::WholeNumber(excerpt(cell)))),
        }
    }

    fn degrees(&self, field: Field, limit: u32) -> Result<Option<f64>, Wrong> {
        let Some(cell) = self.filled(field) else { return Ok(None) };
        let degrees = cell::degrees(cell, f64::from(limit));
        degrees.map(Some).ok_or_else(|| wrong(field, Reason::Degrees(limit)))
    }

    fn language(&self) -> Result<Option<String>, Wrong> {
        let field = Field::PreferredLanguage;
        let Some(cell) = self.get(field) else { return Ok(None) };
        if cell.is_empty() {
            return Ok(Some(String::new()));
        }
        let language = cell::language(cell);
        language.map(Some).ok_or_else(|| wrong(field, Reason::Language))
    }

    /// Ignores invalid numbers, unless there are no others.
    fn phones(&self, notes: &mut Vec<Reason>) -> Result<Option<Vec<String>>, Wrong> {
        let columns = [Field::Phone, Field::AltPhone].map(|field| self.get(field));
        if columns.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut phones = Phones::default();
        for cell in columns.into_iter().flatten() {
            cell::phones(cell, &mut phones);
        }
        if phones.good.is_empty() && !phones.bad.is_empty() {
            return Err(wrong(Field::Phone, Reason::NoPhone));
        }
        notes.extend(phones.bad.iter().map(|bad| Reason::BadPhone(excerpt(bad))));
        Ok(Some(phones.good))
    }
}

#[cfg(test)]
mod tests;
