use super::super::reader::Sheet;
use super::*;
use rstest::rstest;

const CLEAN: &[u8] = include_bytes!("../../../../../tests/data/cases.csv");
const CHINESE: &[u8] = include_bytes!("../../../../../tests/data/cases_zh.csv");

#[test]
fn the_clean_list_reads_whole() {
    let (good, bad) = read(CLEAN, rules());
    assert_eq!((good.len(), bad), (500, vec![]));
    insta::assert_debug_snapshot!(good[2], @r#"
    CaseRow {
        position: RowPosition {
            row: 3,
            sheet_row: 4,
        },
        case_no: "NB2026000002",
        case: CasePatch {
            borrower_name: Some(
                "崔梓浩",
            ),
            phones: Some(
                [
                    "19000008931",
                ],
            ),
            address: Some(
                "浙江省宁波市北仑区天童南路646号31幢2902室",
            ),
            lat: Some(
                30.095551,
            ),
            lon: Some(
                121.949512,
            ),
            product: Some(
                "personal_loan",
            ),
            principal: Some(
                11170000,
            ),
            overdue: Some(
                552898,
            ),
            currency: Some(
                "CNY",
            ),
            days_past_due: Some(
                52,
            ),
            due_date: Some(
                "2026-10-02",
            ),
            last_payment_date: Some(
                "",
            ),
            preferred_language: Some(
                "zh-CN",
            ),
            zone: Some(
                "Asia/Shanghai",
            ),
            note: Some(
                "白天上班,晚上六点后在家",
            ),
        },
        collectors: [
            "chen.jie",
        ],
        notes: [],
    }
    "#);
}

#[test]
fn the_list_of_a_loan_system_reads_but_for_its_bad_rows() {
    let (good, bad) = read(CHINESE, rules());
    assert_eq!(good.len(), 60);
    let lines: Vec<String> = bad
        .iter()
        .map(|r| format!("{} {}: {}", r.position.row, r.field.unwrap_or("-"), r.reason))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    61 case_no: missing
    62 overdue_amount: "若干" is not an amount
    63 due_date: "2026-02-30" is not a date such as 2026-11-03
    64 days_past_due: negative
    65 borrower_name: missing
    66 assigned_to: "nobody.here" is not a known collector
    67 case_no: the case number is in this file twice
    68 currency: "RMB元" is not an ISO 4217 code such as CNY
    "#);
    // Row 1 has thousands separators, row 4 a quoted line break, row 6 full-width digits and row
    // 8 a date with slashes.
    assert_eq!(good[0].case.overdue, Some(949_226));
    assert_eq!(good[0].case.principal, Some(20_960_000));
    assert_eq!(good[0].case.product.as_deref(), Some("card_instalment"));
    assert_eq!(good[3].case.note.as_deref(), Some("第一行:需先电话\n第二行:注意\"隐私\""));
    let phone = &good[5].case.phones.as_ref().unwrap()[0];
    assert!(phone.starts_with("1900000") && phone.is_ascii(), "{phone}");
    assert_eq!(good[7].case.due_date.as_ref().unwrap().as_bytes()[4], b'-');
}

#[rstest]
#[case::no_currency("", "currency", "missing")]
#[case::lower_case("cny", "", "")]
#[case::gold("XAU", "currency", "\"XAU\" is not an ISO 4217 code such as CNY")]
fn currencies(#[case] currency: &str, #[case] field: &str, #[case] reason: &str) {
    let row = format!("A,Chen,10.50,{currency},2026-11-03");
    check(
        &format!("case_no,borrower_name,overdue_amount,currency,due_date\n{row}\n"),
        field,
        reason,
    );
}

#[rstest]
#[case("A,Chen,10.50,CNY,2026-11-03,x", "-", "more cells than the heading: is a comma not quoted?")]
#[case("A,Chen,10.501,CNY,2026-11-03", "overdue_amount", "more than 2 decimals in CNY")]
#[case("A,Chen,-10,CNY,2026-11-03", "overdue_amount", "negative")]
#[case("A,Chen,,CNY,2026-11-03", "overdue_amount", "missing")]
#[case("A,Chen,10,CNY", "due_date", "missing")]
#[case("A,Chen,10,CNY,2026-11-03,,", "", "")]
fn rows(#[case] row: &str, #[case] field: &str, #[case] reason: &str) {
    check(
        &format!("case_no,borrower_name,overdue_amount,currency,due_date\n{row}\n"),
        field,
        reason,
    );
}

#[rstest]
#[case::both_good("19000003045,19000011209", &["19000003045", "19000011209"], 0)]
#[case::one_bad("none,19000011209", &["19000011209"], 1)]
#[case::empty(",", &[], 0)]
fn phones_that_cannot_be_dialled_are_left_out(
    #[case] cells: &str,
    #[case] phones: &[&str],
    #[case] notes: usize,
) {
    let head = "case_no,borrower_name,overdue_amount,currency,due_date,phone,alt_phone";
    let (good, _) = read(format!("{head}\nA,Chen,1,CNY,2026-11-03,{cells}\n").as_bytes(), rules());
    assert_eq!(good[0].case.phones.as_ref().unwrap(), phones);
    assert_eq!(good[0].notes.len(), notes);
    check(
        &format!("{head}\nA,Chen,1,CNY,2026-11-03,home,\n"),
        "phone",
        "no number that can be dialled",
    );
}

#[test]
fn zones_come_from_the_row_the_office_or_the_currency() {
    let head = "case_no,borrower_name,overdue_amount,currency,due_date,zone";
    let rows =
        "A,Chen,1,CNY,2026-11-03,\nB,Chen,1,USD,2026-11-03,\nC,Chen,1,JPY,2026-11-03,Asia/Urumqi";
    let zones = |rules| {
        let (good, _) = read(format!("{head}\n{rows}\n").as_bytes(), rules);
        good.into_iter().map(|row| row.case.zone.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(zones(rules()), ["Asia/Shanghai", "UTC", "Asia/Urumqi"]);
    let named = Rules { zone: Some(chrono_tz::Asia::Tokyo), ..rules() };
    assert_eq!(zones(named), ["Asia/Tokyo", "Asia/Tokyo", "Asia/Urumqi"]);
    check(&format!("{head}\nA,Chen,1,CNY,2026-11-03,Ningbo\n"), "zone", "not an IANA time zone");
}

#[test]
fn rows_without_an_assignment_get_the_one_that_was_asked_for() {
    let head = "case_no,borrower_name,overdue_amount,currency,due_date,assigned_to";
    let rows = "A,Chen,1,CNY,2026-11-03,\nB,Chen,1,CNY,2026-11-03,wu.min;sun.yan";
    let rules = Rules { assign_to: Some("he.tao".to_owned()), ..rules() };
    let (good, _) = read(format!("{head}\n{rows}\n").as_bytes(), rules);
    assert_eq!(good[0].collectors, ["he.tao"]);
    assert_eq!(good[1].collectors, ["sun.yan", "wu.min"]);
}

fn check(csv: &str, field: &str, reason: &str) {
    let (good, bad) = read(csv.as_bytes(), rules());
    match bad.first() {
        None => assert_eq!((good.len(), field), (1, "")),
        Some(refusal) => {
            assert_eq!(
                (refusal.field.unwrap_or("-"), &*refusal.reason.to_string()),
                (field, reason)
            );
        }
    }
}

fn read(bytes: &[u8], rules: Rules) -> (Vec<CaseRow>, Vec<InvalidRow>) {
    let sheet = Sheet::read(bytes).unwrap();
    let (columns, _) = Columns::read(&sheet.heading).unwrap();
    let mut reader = RowReader::new(columns, rules);
    let (good, bad): (Vec<_>, Vec<_>) =
        sheet.rows.iter().map(|row| reader.read(row)).partition(Result::is_ok);
    (
        good.into_iter().filter_map(Result::ok).collect(),
        bad.into_iter().filter_map(Result::err).collect(),
    )
}

fn rules() -> Rules {
    let names = ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"];
    Rules { collectors: names.map(str::to_owned).into(), ..Rules::default() }
}
