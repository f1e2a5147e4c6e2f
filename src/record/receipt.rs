//! Receipts: what a borrower is shown of a payment or a promise, with a code that the office
//! verifies.
//!
//! A code is 11 characters of a hash and a check character. The hash covers record, entry, amount
//! and date. It needs no key: the ids of records and payments are random, so a code cannot be
//! guessed, and the office accepts a code only for an entry that a record at the office has or had.
//! A phone computes the same code offline. It stays the same when refused work is accepted later,
//! unlike the hash of the change that wrote the entry.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::view::{FieldValue, HistoryEntry, VisitView};
use crate::types::{ApiType, TsType};

/// Begins the hashed text; it separates these hashes from all others.
const DOMAIN: &str = "doorstep receipt 1";
/// Crockford's base 32: no letters that are mistaken for digits or for each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 55 bits of the hash: no number of guesses that the office answers finds one.
const HASH_CHARS: usize = 11;
/// Characters in a group, as they are read over the phone.
const GROUP: usize = 4;
/// [`Receipt::entry`] of a promise, of which a record has one at a time.
const PROMISE: &str = "promise";

TsType! {
/// The receipt for an entry of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Id of the payment, or `promise`.
    pub entry: String,
    /// The code in groups, such as `7K2F-Q09X-HD3T`.
    pub code: String,
}
}

ApiType! {
/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A payment.
    Payment,
    /// A promise to pay.
    Promise,
}
}

/// A payment or a promise as one change wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenEntry {
    /// What it is.
    pub kind: ReceiptKind,
    /// Id of the payment, or `promise`.
    pub entry: String,
    /// Minor units.
    pub amount: i64,
    /// Time of the payment in ms, or the promised date `YYYY-MM-DD`.
    pub date: String,
    /// How it is paid.
    pub channel: String,
    /// Who wrote it.
    pub by: String,
    /// Hash of the change, hex.
    pub change: String,
}

/// A code as a person typed it, in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptCode(String);

impl ReceiptCode {
    /// Reads a code: groups, case, and O for 0 or I for 1 do not matter. `None` if it was misread
    /// or mistyped: the check character finds every single wrong character and every two that
    /// changed places.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = String::new();
        for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
            let letter = match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            value(letter)?;
            code.push(letter);
            if code.len() > HASH_CHARS + 1 {
                return None;
            }
        }
        let (hash, check) = code.split_at_checked(HASH_CHARS)?;
        check.starts_with(check_char(hash)).then_some(Self(code))
    }

    fn of(record: &str, entry: &str, amount: i64, date: &str) -> Self {
        let text =
            format!("{DOMAIN}\nrecord: {record}\nentry: {entry}\namount: {amount}\ndate: {date}");
        let digest = Sha256::digest(text.as_bytes());
        let bits = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut code: String = (0..HASH_CHARS).map(|n| letter(bits >> (59 - 5 * n))).collect();
        code.push(check_char(&code));
        Self(code)
    }
}

impl std::fmt::Display for ReceiptCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, letter) in self.0.chars().enumerate() {
            if n > 0 && n % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

/// The receipts for the payments and the promise that a record shows.
pub fn receipts(view: &VisitView) -> Vec<Receipt> {
    let receipt = |entry: &str, amount: i64, date: &str| Receipt {
        entry: entry.to_owned(),
        code: ReceiptCode::of(&view.id, entry, amount, date).to_string(),
    };
    let payments = view.payments.iter();
    let payments = payments.map(|paid| receipt(&paid.id, paid.amount, &paid.at.to_string()));
    let promise = view.talk.promise.iter();
    payments.chain(promise.map(|it| receipt(PROMISE, it.amount, &it.due_date))).collect()
}

/// Finds the entry that a code is for among all that a record ever had; of equal ones the first.
pub fn find(record: &str, history: &[HistoryEntry], code: &ReceiptCode) -> Option<WrittenEntry> {
    written(history)
        .into_iter()
        .find(|it| ReceiptCode::of(record, &it.entry, it.amount, &it.date) == *code)
}

/// Whether a record still shows an entry.
pub fn is_current(view: &VisitView, entry: &WrittenEntry) -> bool {
    match entry.kind {
        ReceiptKind::Payment => view.payments.iter().any(|paid| paid.id == entry.entry),
        ReceiptKind::Promise => view.talk.promise.as_ref().is_some_and(|promise| {
            promise.amount == entry.amount && promise.due_date == entry.date
        }),
    }
}

/// Every payment and promise that was ever written, oldest first.
fn written(history: &[HistoryEntry]) -> Vec<WrittenEntry> {
    let mut found: Vec<WrittenEntry> = Vec::new();
    for field in history {
        let path: Vec<&str> = field.path.split('.').collect();
        let (kind, entry, name) = match path.as_slice() {
            ["payments", id, name] => (ReceiptKind::Payment, *id, *name),
            ["talk", "promise", name] => (ReceiptKind::Promise, PROMISE, *name),
            _ => continue,
        };
        let same = |it: &WrittenEntry| it.change == field.change && it.entry == entry;
        let at = found.iter().position(same).unwrap_or_else(|| {
            found.push(WrittenEntry {
                kind,
                entry: entry.to_owned(),
                amount: 0,
                date: String::new(),
                channel: String::new(),
                by: field.by.clone(),
                change: field.change.clone(),
            });
            found.len() - 1
        });
        let Some(it) = found.get_mut(at) else { continue };
        match (name, &field.to) {
            ("amount", FieldValue::Number(amount)) => it.amount = *amount,
            ("at", FieldValue::Time(at)) => it.date = at.to_string(),
            ("due_date", FieldValue::Text(date)) => it.date.clone_from(date),
            ("channel", FieldValue::Text(channel)) => it.channel.clone_from(channel),
            _ => {}
        }
    }
    // A removed promise has no amount.
    found.retain(|it| it.amount > 0 && !it.date.is_empty());
    found
}

fn letter(bits: u64) -> char {
    ALPHABET.get((bits & 31) as usize).copied().map_or('0', char::from)
}

fn value(letter: char) -> Option<u8> {
    ALPHABET.iter().zip(0..).find(|(known, _)| char::from(**known) == letter).map(|(_, n)| n)
}

/// Each character is weighted by another power of 2 in the field of 32 elements (x⁵ + x² + 1).
fn check_char(hash: &str) -> char {
    let sum = hash.chars().filter_map(value).fold(0_u8, |sum, digit| {
        let doubled = (sum ^ digit) << 1;
        if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
    });
    letter(u64::from(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "01990000-0000-7000-8000-000000000001";

    fn printed() -> ReceiptCode {
        ReceiptCode::of(RECORD, "promise", 33_333, "2027-01-31")
    }

    #[test]
    fn a_code_stays_the_same() {
        // Printed receipts must verify with every later version.
        assert_eq!(printed().to_string(), "GPPJ-VHDR-3F5F");
    }

    #[test]
    fn a_code_is_bound_to_record_entry_amount_and_date() {
        let others = [
            ReceiptCode::of(
                "01990000-0000-7000-8000-000000000002",
                "promise",
                33_333,
                "2027-01-31",
            ),
            ReceiptCode::of(RECORD, "01990000-0000-7000-8000-00000000000a", 33_333, "2027-01-31"),
            ReceiptCode::of(RECORD, "promise", 33_334, "2027-01-31"),
            ReceiptCode::of(RECORD, "promise", 33_333, "2027-02-01"),
        ];
        for other in others {
            assert_ne!(other, printed());
        }
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let shown = printed().to_string();
        let typed =
            [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), format!(" {shown} ")];
        for text in typed {
            assert_eq!(ReceiptCode::parse(&text), Some(printed()), "{text}");
        }
        let zeros = ReceiptCode::parse("OOOO-oooo-0000");
        assert_eq!(zeros.map(|code| code.to_string()), Some("0000-0000-0000".to_owned()));
    }

    #[test]
    fn every_misread_or_swapped_character_is_noticed() {
        let right: Vec<char> = printed().0.chars().collect();
        for at in 0..right.len() {
            for wrong in ALPHABET.iter().map(|byte| char::from(*byte)) {
                let mut text = right.clone();
                text[at] = wrong;
                let text: String = text.into_iter().collect();
                assert_eq!(ReceiptCode::parse(&text).is_some(), wrong == right[at], "{text}");
            }
            for other in at + 1..right.len() {
                let mut text = right.clone();
                text.swap(at, other);
                let same = right[at] == right[other];
                let text: String = text.into_iter().collect();
                assert_eq!(ReceiptCode::parse(&text).is_some(), same, "{text}");
            }
        }
        for text in ["", "7K2F", "7K2F-Q09X-HD3T-0", "7K2F-Q09X-HD3U", "中文中文中文中文中文中文"]
        {
            assert_eq!(ReceiptCode::parse(text), None, "{text}");
        }
    }
}
