//! Maps the headings of a sheet to fields: English or Chinese, in any order.

use super::cell::narrow;
use super::reader::SheetError;

/// A field that a column of a case list can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The lender's case number.
    CaseNo,
    /// The borrower's name.
    BorrowerName,
    /// The first phone number.
    Phone,
    /// A further phone number.
    AltPhone,
    /// Postal address.
    Address,
    /// Degrees north.
    Lat,
    /// Degrees east.
    Lon,
    /// Product.
    Product,
    /// Principal, major units.
    Principal,
    /// Overdue amount, major units.
    OverdueAmount,
    /// ISO 4217 code.
    Currency,
    /// Days past due.
    DaysPastDue,
    /// Due date.
    DueDate,
    /// Date.
    LastPaymentDate,
    /// Sign-in name of a collector.
    AssignedTo,
    /// Language of the borrower.
    PreferredLanguage,
    /// The borrower's time zone.
    Zone,
    /// A note of the loan system.
    Note,
}

/// Every field, the name that reports use for it, and its headings: lower case, without spaces,
/// hyphens and underscores.
const HEADINGS: &[(Field, &str, &[&str])] = &[
    (
        Field::CaseNo,
        "case_no",
        &["caseno", "casenumber", "caseid", "case", "案件编号", "案件号", "案号", "案件编码"],
    ),
    (
        Field::BorrowerName,
        "borrower_name",
        &[
            "borrowername",
            "borrower",
            "name",
            "customername",
            "customer",
            "debtor",
            "debtorname",
            "借款人姓名",
            "借款人",
            "姓名",
            "客户姓名",
            "客户名称",
            "债务人姓名",
            "债务人",
        ],
    ),
    (
        Field::Phone,
        "phone",
        &[
            "phone",
            "phonenumber",
            "phoneno",
            "mobile",
            "mobilephone",
            "tel",
            "telephone",
            "phone1",
            "手机号",
            "手机号码",
            "手机",
            "电话",
            "联系电话",
            "本人电话",
            "电话号码",
        ],
    ),
    (
        Field::AltPhone,
        "alt_phone",
        &[
            "altphone",
            "alternatephone",
            "alternativephone",
            "secondphone",
            "otherphone",
            "phone2",
            "备用电话",
            "其他电话",
            "备用手机",
            "备用手机号",
            "第二电话",
        ],
    ),
    (
        Field::Address,
        "address",
        &[
            "address",
            "homeaddress",
            "addr",
            "地址",
            "住址",
            "联系地址",
            "家庭地址",
            "家庭住址",
            "居住地址",
            "现住址",
        ],
    ),
    (Field::Lat, "lat", &["lat", "latitude", "纬度"]),
    (Field::Lon, "lon", &["lon", "lng", "long", "longitude", "经度"]),
    (
        Field::Product,
        "product",
        &[
            "product",
            "productname",
            "loanproduct",
            "产品",
            "产品名称",
            "贷款产品",
            "产品类型",
            "业务品种",
        ],
    ),
    (
        Field::Principal,
        "principal",
        &["principal", "principalamount", "loanamount", "本金", "贷款本金", "本金余额", "贷款金额"],
    ),
    (
        Field::OverdueAmount,
        "overdue_amount",
        &[
            "overdueamount",
            "overdue",
            "amountoverdue",
            "pastdueamount",
            "amountdue",
            "逾期金额",
            "逾期总额",
            "欠款金额",
            "逾期总金额",
            "逾期应还金额",
        ],
    ),
    (Field::Currency, "currency", &["currency", "currencycode", "ccy", "币种", "货币", "币别"]),
    (
        Field::DaysPastDue,
        "days_past_due",
        &["dayspastdue", "dpd", "overduedays", "daysoverdue", "逾期天数", "逾期日数"],
    ),
    (
        Field::DueDate,
        "due_date",
        &["duedate", "duesince", "到期日", "到期日期", "应还日期", "应还款日", "还款日", "应还日"],
    ),
    (
        Field::LastPaymentDate,
        "last_payment_date",
        &[
            "lastpaymentdate",
            "lastpayment",
            "lastpaid",
            "最近还款日",
            "最近还款日期",
            "上次还款日",
            "上次还款日期",
            "末次还款日",
        ],
    ),
    (
        Field::AssignedTo,
        "assigned_to",
        &[
            "assignedto",
            "assignee",
            "collector",
            "agent",
            "催收员",
            "外访员",
            "负责人",
            "经办人",
            "分配给",
            "处理人",
        ],
    ),
    (
        Field::PreferredLanguage,
        "preferred_language",
        &["preferredlanguage", "language", "lang", "语言", "首选语言", "沟通语言"],
    ),
    (Field::Zone, "zone", &["zone", "timezone", "tz", "时区"]),
    (
        Field::Note,
        "note",
        &["note", "notes", "remark", "remarks", "comment", "comments", "备注", "说明", "附注"],
    ),
];

/// Fields that every row must have.
pub const REQUIRED: [Field; 5] =
    [Field::CaseNo, Field::BorrowerName, Field::OverdueAmount, Field::Currency, Field::DueDate];

impl Field {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        HEADINGS.iter().find(|(field, ..)| *field == self).map_or("", |(_, name, _)| name)
    }

    /// Every field, in the order in which people are asked for them.
    pub fn all() -> impl Iterator<Item = Self> {
        HEADINGS.iter().map(|(field, ..)| *field)
    }

    /// The field of a name in reports.
    pub fn named(name: &str) -> Option<Self> {
        HEADINGS.iter().find(|(_, known, _)| *known == name).map(|(field, ..)| *field)
    }

    /// The field that a heading names.
    pub fn parse(heading: &str) -> Option<Self> {
        let key = heading_key(heading);
        let known = HEADINGS.iter().find(|(.., names)| names.contains(&key.as_str()));
        known.map(|(field, ..)| *field)
    }
}

/// A heading without differences of spelling: case, width, spaces and punctuation.
pub fn heading_key(heading: &str) -> String {
    narrow(heading)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*' | ':' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Heading of the reasons in a file of refused rows, which is imported again once it is corrected.
pub const REASON_HEADING: &str = "import_error";

/// The name of a field in reports, if there is such a field.
pub(super) fn known_name(name: &str) -> Option<&'static str> {
    Field::named(name).map(Field::as_str)
}

/// The fields of the columns of a sheet.
#[derive(Debug)]
pub struct Columns {
    /// The field of each column, in the order of the sheet.
    fields: Vec<Option<Field>>,
}

impl Columns {
    /// Reads a heading; gives also a note for each ignored or missing column.
    pub fn read(heading: &[String]) -> Result<(Self, Vec<String>), SheetError> {
        let mut fields: Vec<Option<Field>> = Vec::with_capacity(heading.len());
        let mut notes = Vec::new();
        for name in heading {
            let field = Field::parse(name);
            match field {
                None if name.trim().is_empty() || name.trim() == REASON_HEADING => {
                    fields.push(None);
                }
                None => {
                    notes.push(format!("column \"{}\" is not known and was left out", name.trim()));
                    fields.push(None);
                }
                Some(field) if fields.contains(&Some(field)) => {
                    notes.push(format!(
                        "column \"{}\" says {} a second time and was left out",
                        name.trim(),
                        field.as_str()
                    ));
                    fields.push(None);
                }
                Some(_) => fields.push(field),
            }
        }
        notes.extend(missing(&fields)?);
        Ok((Self { fields }, notes))
    }

    /// Columns whose fields a person chose; `None` leaves a column out. Gives also a note for each
    /// missing column.
    pub fn chosen(fields: Vec<Option<Field>>) -> Result<(Self, Vec<String>), SheetError> {
        let notes = missing(&fields)?;
        Ok((Self { fields }, notes))
    }

    /// The position of a field's column, if the sheet has one.
    pub fn position(&self, field: Field) -> Option<usize> {
        self.fields.iter().position(|known| *known == Some(field))
    }

    /// Number of columns.
    pub fn count(&self) -> usize {
        self.fields.len()
    }
}

/// A note for each column that is missing; without one for the case number there is no import.
fn missing(fields: &[Option<Field>]) -> Result<Vec<String>, SheetError> {
    if !fields.contains(&Some(Field::CaseNo)) {
        return Err(SheetError::NoHeading);
    }
    let missing = REQUIRED.iter().filter(|field| !fields.contains(&Some(**field)));
    Ok(missing.map(|field| format!("there is no column for {}", field.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headings_in_both_languages_and_any_order() {
        let names = heading(&["Due Date", "ＤＰＤ", "案件编号", "内部代码", "CASE_NO", ""]);
        let (columns, notes) = Columns::read(&names).unwrap();
        assert_eq!(columns.position(Field::CaseNo), Some(2));
        assert_eq!(columns.position(Field::DaysPastDue), Some(1));
        assert_eq!(columns.position(Field::DueDate), Some(0));
        assert_eq!(columns.position(Field::Note), None);
        insta::assert_snapshot!(notes.join("\n"), @r#"
        column "内部代码" is not known and was left out
        column "CASE_NO" says case_no a second time and was left out
        there is no column for borrower_name
        there is no column for overdue_amount
        there is no column for currency
        "#);
    }

    #[test]
    fn a_heading_without_a_case_number_is_none() {
        assert_eq!(
            Columns::read(&heading(&["colour", "size"])).unwrap_err(),
            SheetError::NoHeading
        );
    }

    #[test]
    fn no_heading_means_two_things() {
        let mut all: Vec<&str> =
            HEADINGS.iter().flat_map(|(.., names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
