//! Case lists into the real store: what is created, updated, left alone and refused.

use std::sync::Mutex;

use crate::support::http_office::{CASES, CASES_ZH, HttpOffice};
use doorstep::office::sheets::import::{
    ImportError, ImportReport, Options, RowOutcome, SheetError, import,
};
use doorstep::record::command::{AssignmentPatch, Command};
use doorstep::record::terms::Role;
use doorstep::record::view::VisitView;

const HEAD: &str = "case_no,borrower_name,overdue_amount,currency,due_date,address,assigned_to";

#[tokio::test]
async fn a_clean_list_becomes_records_and_again_changes_nothing() {
    let http = HttpOffice::open().await;
    assert_eq!(counts(&bring(&http, CASES).await), [500, 0, 0, 0]);
    let view = case(&http, "NB2026000000").await;
    assert_eq!(view.case.borrower_name, "孙华曦");
    assert_eq!(view.case.phones, ["19000003045", "19000011209"]);
    assert_eq!((view.case.principal, view.case.overdue), (Some(7_300_000), 1_578_307));
    assert_eq!(view.case.zone, "Asia/Shanghai");
    assert_eq!(view.assignment.collectors, ["zhao.lei"]);
    assert_eq!(counts(&bring(&http, CASES).await), [0, 0, 500, 0]);
    let verified = http.office.verify().await.unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!((verified.records, verified.changes), (500, 500), "nothing was written again");
}

#[tokio::test]
async fn a_loan_system_s_list_is_imported_but_for_its_bad_rows() {
    let http = HttpOffice::open().await;
    let report = bring(&http, CASES_ZH).await;
    assert_eq!(counts(&report), [60, 0, 0, 8]);
    let json = serde_json::to_string(&report.rows[2]).unwrap();
    insta::assert_snapshot!(
        json,
        @r#"{"row":63,"sheet_row":64,"outcome":"refused","case_no":"NB2026020002","field":"due_date","reason":"\"2026-02-30\" is not a date such as 2026-11-03","reason_zh":"“2026-02-30”不是日期（例如 2026-11-03）"}"#
    );
    let view = case(&http, "NB2026010003").await;
    assert_eq!(view.case.note, "第一行:需先电话\n第二行:注意\"隐私\"");
    http.office.assert_sound().await;
}

#[tokio::test]
async fn facts_that_changed_are_updated_and_the_office_s_own_stay() {
    let http = HttpOffice::open().await;
    let list = |overdue: &str, address: &str| {
        format!(
            "{HEAD}\nA,陈,{overdue},CNY,2026-11-03,{address},chen.jie\nB,吴,1,CNY,2026-11-03,,\n"
        )
    };
    assert_eq!(counts(&bring(&http, list("10.50", "中山东路1号").as_bytes()).await), [2, 0, 0, 0]);
    // The office reassigns the case; the list still names the first collector.
    let id = http.office.find_by_case_no("A").await.unwrap().unwrap();
    let collectors = Some(vec!["wu.min".to_owned()]);
    let assign = Command::Assign(AssignmentPatch { collectors, ..AssignmentPatch::default() });
    http.office.command(id, assign, "lin.yue", Role::Supervisor).await.unwrap();

    let options = Options { dry_run: true, ..Options::default() };
    let tried = bring_with(&http, list("12", "").as_bytes(), options).await.unwrap();
    assert_eq!(counts(&tried), [0, 1, 1, 0]);
    assert_eq!(tried.rows[0].outcome, RowOutcome::Updated);
    assert_eq!(tried.rows[0].changed, ["address", "overdue_amount"]);
    assert_eq!(case(&http, "A").await.case.overdue, 1_050, "a dry run writes nothing");

    assert_eq!(counts(&bring(&http, list("12", "").as_bytes()).await), [0, 1, 1, 0]);
    let view = case(&http, "A").await;
    assert_eq!((view.case.overdue, view.case.address.as_str()), (1_200, ""));
    assert_eq!(view.assignment.collectors, ["wu.min"]);
    // An unassigned case gets the list's collector.
    let options = Options { assign_to: Some("He.Tao".to_owned()), ..Options::default() };
    let report = bring_with(&http, list("12", "").as_bytes(), options).await.unwrap();
    assert_eq!(counts(&report), [0, 1, 1, 0]);
    assert_eq!(case(&http, "B").await.assignment.collectors, ["he.tao"]);
    http.office.assert_sound().await;
}

#[tokio::test]
async fn a_column_that_a_list_lacks_changes_nothing() {
    let http = HttpOffice::open().await;
    bring(&http, CASES).await;
    let list = "case_no,borrower_name,overdue_amount,currency,due_date,colour\n\
        NB2026000000,孙华曦,15783.07,CNY,2026-10-05,red\n";
    let report = bring(&http, list.as_bytes()).await;
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    assert_eq!(report.notes, ["column \"colour\" is not known and was left out"]);
}

#[tokio::test]
async fn a_workbook_is_a_list_too() {
    let http = HttpOffice::open().await;
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet
        .write_row(0, 0, ["案件编号", "借款人姓名", "逾期金额", "币种", "到期日", "催收员"])
        .unwrap();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    for (row, case_no) in [(1, "X1"), (2, "X2"), (4, "X3")] {
        sheet.write_row(row, 0, [case_no, "陈"]).unwrap();
        sheet.write(row, 2, 15_783.07).unwrap();
        sheet.write(row, 3, "CNY").unwrap();
        let due = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 11, 3).unwrap();
        sheet.write_with_format(row, 4, due, &date).unwrap();
        sheet.write(row, 5, if row == 4 { "unknown" } else { "chen.jie" }).unwrap();
    }
    let report = bring(&http, &workbook.save_to_buffer().unwrap()).await;
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    assert_eq!((report.rows[0].row, report.rows[0].sheet_row), (4, 5));
    let view = case(&http, "X1").await;
    assert_eq!((view.case.overdue, view.case.due_date.as_str()), (1_578_307, "2026-11-03"));
}

#[tokio::test]
async fn a_malformed_list_is_one_error_and_writes_nothing() {
    let http = HttpOffice::open().await;
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().write_row(0, 0, ["case_no"]).unwrap();
    let mut damaged = workbook.save_to_buffer().unwrap();
    damaged.truncate(damaged.len() / 2);
    for (file, error) in [
        (Vec::new(), SheetError::Empty),
        (b"\x7fELF\x02\x01\x01\0\0\0".to_vec(), SheetError::Binary),
        (b"colour,size\nred,4\n".to_vec(), SheetError::NoHeading),
        (damaged, SheetError::Damaged),
    ] {
        let refused = bring_with(&http, &file, Options::default()).await.unwrap_err();
        assert_eq!(refused, ImportError::Sheet(error));
    }
    let options = Options { assign_to: Some("gu.an".to_owned()), ..Options::default() };
    let refused = bring_with(&http, CASES, options).await.unwrap_err();
    assert_eq!(refused, ImportError::NoCollector("gu.an".to_owned()));
    assert_eq!(http.office.verify().await.unwrap().records, 0);
}

#[tokio::test]
async fn disabled_collectors_get_no_cases() {
    let http = HttpOffice::open().await;
    http.disable("zhao.lei").await;
    let report = bring(&http, CASES).await;
    assert_eq!(report.created + report.refused, 500);
    assert!(report.refused > 0);
    assert!(report.rows.iter().all(|row| row.field.as_deref() == Some("assigned_to")));
}

#[tokio::test]
async fn progress_is_told_to_the_end() {
    let http = HttpOffice::open().await;
    let told = Mutex::new(Vec::new());
    let progress = |done, of| told.lock().unwrap().push((done, of));
    let by = ("office", Role::Supervisor);
    let options = Options { dry_run: true, ..Options::default() };
    let rows: String = (0..2_500).map(|n| format!("C{n},陈,1,CNY,2026-11-03,,\n")).collect();
    let list = format!("{HEAD}\n{rows}").into_bytes();
    import(&http.office, &http.accounts, list, options, by, &progress).await.unwrap();
    assert_eq!(told.into_inner().unwrap(), [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]);
}

async fn bring(http: &HttpOffice, file: &[u8]) -> ImportReport {
    bring_with(http, file, Options::default()).await.unwrap()
}

async fn bring_with(
    http: &HttpOffice,
    file: &[u8],
    options: Options,
) -> Result<ImportReport, ImportError> {
    let by = ("lin.yue", Role::Supervisor);
    import(&http.office, &http.accounts, file.to_vec(), options, by, &|_, _| {}).await
}

async fn case(http: &HttpOffice, case_no: &str) -> VisitView {
    let id = http.office.find_by_case_no(case_no).await.unwrap().unwrap();
    http.office.visit(id).await.unwrap()
}

fn counts(report: &ImportReport) -> [usize; 4] {
    [report.created, report.updated, report.unchanged, report.refused]
}
