//! Why a row is refused, and notes on rows, in the languages of the console.

use std::fmt;

use crate::office::money::Currency;

/// An error in a row, or a note on it. Cells are quoted by their beginning. `Display` is English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A required cell is empty.
    Missing,
    /// The case number is too long or no text.
    CaseNo(usize),
    /// The case number is in the file twice.
    Repeated,
    /// A comma that is not quoted shifts the cells after it.
    TooWide,
    /// A text has more characters than this.
    TooLong(usize),
    /// Not a currency.
    Currency(String),
    /// Not an amount.
    Amount(String),
    /// An amount with more decimals than its currency has.
    Decimals(Currency),
    /// A number below zero.
    Negative,
    /// An amount beyond all amounts.
    TooLarge,
    /// Not a date.
    Date(String),
    /// Not a whole number.
    WholeNumber(String),
    /// Days of more than a hundred years.
    Century,
    /// Not degrees within this.
    Degrees(u32),
    /// Not a language tag.
    Language,
    /// Not a time zone.
    Zone,
    /// Not a collector whom the office knows.
    Collector(String),
    /// None of the phone numbers is one.
    NoPhone,
    /// Note: a phone number is left out.
    BadPhone(String),
    /// Note: the currency is used in several zones.
    ZoneOfCurrency(Currency),
    /// The record refuses the value; in English only.
    Record(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::CaseNo(most) => write!(f, "not a number of at most {most} characters"),
            Self::Repeated => f.write_str("the case number is in this file twice"),
            Self::TooWide => f.write_str("more cells than the heading: is a comma not quoted?"),
            Self::TooLong(most) => write!(f, "longer than {most} characters"),
            Self::Currency(cell) => write!(f, "\"{cell}\" is not an ISO 4217 code such as CNY"),
            Self::Amount(cell) => write!(f, "\"{cell}\" is not an amount"),
            Self::Decimals(currency) => {
                write!(f, "more than {} decimals in {}", currency.exponent(), currency.code())
            }
            Self::Negative => f.write_str("negative"),
            Self::TooLarge => f.write_str("too large"),
            Self::Date(cell) => write!(f, "\"{cell}\" is not a date such as 2026-11-03"),
            Self::WholeNumber(cell) => write!(f, "\"{cell}\" is not a whole number"),
            Self::Century => f.write_str("more than a hundred years"),
            Self::Degrees(limit) => write!(f, "not degrees within ±{limit}"),
            Self::Language => f.write_str("not a language tag such as zh-CN"),
            Self::Zone => f.write_str("not an IANA time zone"),
            Self::Collector(name) => write!(f, "\"{name}\" is not a known collector"),
            Self::NoPhone => f.write_str("no number that can be dialled"),
            Self::BadPhone(cell) => write!(f, "\"{cell}\" is no phone number"),
            Self::ZoneOfCurrency(currency) => write!(
                f,
                "{} is used in several time zones, UTC was taken; name one with --zone",
                currency.code()
            ),
            Self::Record(error) => f.write_str(error),
        }
    }
}

impl Reason {
    /// In Chinese, but for errors of records.
    pub fn chinese(&self) -> String {
        match self {
            Self::Missing => "缺失".to_owned(),
            Self::CaseNo(most) => format!("不是长度不超过 {most} 个字符的编号"),
            Self::Repeated => "该案件编号在文件中重复出现".to_owned(),
            Self::TooWide => "单元格多于表头：是否有逗号未加引号？".to_owned(),
            Self::TooLong(most) => format!("超过 {most} 个字符"),
            Self::Currency(cell) => format!("“{cell}”不是 ISO 4217 货币代码（例如 CNY）"),
            Self::Amount(cell) => format!("“{cell}”不是金额"),
            Self::Decimals(currency) => {
                format!("{} 的小数位数不能超过 {}", currency.code(), currency.exponent())
            }
            Self::Negative => "不能为负数".to_owned(),
            Self::TooLarge => "数值过大".to_owned(),
            Self::Date(cell) => format!("“{cell}”不是日期（例如 2026-11-03）"),
            Self::WholeNumber(cell) => format!("“{cell}”不是整数"),
            Self::Century => "超过一百年".to_owned(),
            Self::Degrees(limit) => format!("不是 ±{limit} 以内的度数"),
            Self::Language => "不是语言代码（例如 zh-CN）".to_owned(),
            Self::Zone => "不是 IANA 时区".to_owned(),
            Self::Collector(name) => format!("“{name}”不是已知的外访员"),
            Self::NoPhone => "没有可拨打的电话号码".to_owned(),
            Self::BadPhone(cell) => format!("“{cell}”不是电话号码"),
            Self::ZoneOfCurrency(currency) => {
                format!("{} 用于多个时区，已按 UTC 处理；可用 --zone 指定时区", currency.code())
            }
            Self::Record(error) => error.clone(),
        }
    }

    /// Several in one text.
    pub fn join(reasons: &[Self], chinese: bool) -> Option<String> {
        let text = |reason: &Self| if chinese { reason.chinese() } else { reason.to_string() };
        let texts: Vec<String> = reasons.iter().map(text).collect();
        (!texts.is_empty()).then(|| texts.join(if chinese { "；" } else { "; " }))
    }
}
