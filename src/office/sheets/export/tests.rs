use super::*;
use crate::ids::{DeviceId, RecordId, actor};
use crate::record::command::{
    AppointmentProposal, AssignmentPatch, CasePatch, Command, PromiseToPay, TalkPatch,
};
use crate::record::terms::{Disposition, ProposedBy, Role};
use crate::record::{Author, Record};

#[test]
fn csv_has_a_mark_exact_amounts_local_times_and_no_formulas() {
    let mut out = Vec::new();
    let written = csv::write(records().into_iter().map(Ok), Scope::Whole, &mut out).unwrap();
    assert_eq!(written, 2);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, heading: &str| {
        let at = headings.iter().position(|known| known == heading).unwrap();
        rows[row][at].to_owned()
    };
    assert_eq!(cell(0, "case_no"), "NB1");
    assert_eq!(cell(0, "stage"), "recorded");
    assert_eq!(cell(0, "returned"), "no");
    assert_eq!(cell(0, "borrower_name"), "'=HYPERLINK(\"http://example.org\")");
    assert_eq!(cell(0, "phone"), "'+8619000003045");
    assert_eq!(cell(0, "overdue_amount"), "15783.07");
    assert_eq!(cell(0, "promise_amount"), "0.05");
    assert_eq!(cell(0, "appointment_starts_at"), "2026-11-23T18:30:00+08:00");
    assert_eq!(cell(0, "updated_at"), "2026-11-23T18:00:00+08:00");
    assert_eq!(cell(0, "note"), "'@first line\nsecond");
    assert_eq!(cell(1, "overdue_amount"), "1500");
    assert_eq!(cell(1, "zone"), "Asia/Tokyo");
}

#[test]
fn what_was_exported_can_be_imported() {
    let mut out = Vec::new();
    csv::write(records().into_iter().map(Ok), Scope::Whole, &mut out).unwrap();
    let sheet = crate::office::sheets::import::reader::Sheet::read(&out).unwrap();
    let (columns, _) =
        crate::office::sheets::import::columns::Columns::read(&sheet.heading).unwrap();
    let rules = crate::office::sheets::import::Rules {
        collectors: ["wu.min".to_owned()].into(),
        ..Default::default()
    };
    let mut reader = crate::office::sheets::import::row::RowReader::new(columns, rules);
    for (row, record) in sheet.rows.iter().zip(records()) {
        let read = reader.read(row).unwrap();
        let case = record.view.case;
        assert_eq!(read.case_no, record.view.case_no);
        assert_eq!(read.case.borrower_name, Some(case.borrower_name));
        assert_eq!(read.case.phones, Some(case.phones));
        assert_eq!(read.case.overdue, Some(case.overdue));
        assert_eq!(read.case.note, Some(case.note));
        assert_eq!(read.case.zone, Some(case.zone));
        assert_eq!(read.collectors, record.view.assignment.collectors);
    }
}

#[test]
fn xlsx_opens_with_the_same_rows() {
    let mut out = Vec::new();
    xlsx::write(records().into_iter().map(Ok), Scope::Whole, &mut out).unwrap();
    let sheet = crate::office::sheets::import::reader::Sheet::read(&out).unwrap();
    let at = |heading: &str| sheet.heading.iter().position(|known| known == heading).unwrap();
    let row = &sheet.rows[0].cells;
    assert_eq!(&row[at("borrower_name")], "=HYPERLINK(\"http://example.org\")");
    assert_eq!(&row[at("overdue_amount")], "15783.07");
    assert_eq!(&row[at("promise_amount")], "0.05");
    // Dates and times are typed; the import reads the day of a time.
    assert_eq!(&row[at("appointment_starts_at")], "2026-11-23");
    assert_eq!(&row[at("due_date")], "2026-11-03");
}

#[test]
fn a_minimal_export_names_no_borrower_in_any_format() {
    for format in [Format::Csv, Format::Xlsx, Format::Jsonl] {
        let mut out = Vec::new();
        let records = records().into_iter().map(Ok);
        let done = match format {
            Format::Csv => csv::write(records, Scope::Minimal, &mut out),
            Format::Xlsx => xlsx::write(records, Scope::Minimal, &mut out),
            Format::Jsonl | Format::Automerge => jsonl(records, Scope::Minimal, &mut out),
        };
        assert_eq!(done.unwrap(), 2);
        let text = match format {
            Format::Xlsx => {
                let sheet = crate::office::sheets::import::reader::Sheet::read(&out).unwrap();
                format!("{:?} {:?}", sheet.heading, sheet.rows)
            }
            Format::Csv | Format::Jsonl | Format::Automerge => String::from_utf8(out).unwrap(),
        };
        assert!(text.contains("15783.07") && text.contains("case_no"), "{text}");
        for personal in ["HYPERLINK", "陈洁", "19000003045", "first line", "borrower_name"] {
            assert!(!text.contains(personal), "{format:?}: {personal}");
        }
    }
}

#[test]
fn json_lines_are_views() {
    let mut out = Vec::new();
    jsonl(records().into_iter().map(Ok), Scope::Whole, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let views: Vec<VisitView> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<VisitView> = records().into_iter().map(|record| record.view).collect();
    assert_eq!(views, expected);
}

#[test]
fn the_zip_holds_documents_that_load() {
    let mut out = Vec::new();
    automerge::write_zip(records().into_iter().map(Ok), &mut out).unwrap();
    let mut zip = zip::ZipArchive::new(io::Cursor::new(out)).unwrap();
    let name = "NB1-00000000-03e8-7707-8707-070707070707.automerge";
    let mut document = Vec::new();
    io::Read::read_to_end(&mut zip.by_name(name).unwrap(), &mut document).unwrap();
    assert_eq!(Record::load(&document).unwrap().view(), records()[0].view);
    // A case number is no path.
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.iter().any(|name| name.starts_with("___NB_2-")), "{names:?}");
}

fn records() -> Vec<Exported> {
    vec![
        exported("NB1", "=HYPERLINK(\"http://example.org\")", "CNY", 1_578_307, "Asia/Shanghai"),
        exported("../NB/2", "陈洁", "JPY", 1_500, "Asia/Tokyo"),
    ]
}

fn exported(case_no: &str, name: &str, currency: &str, overdue: i64, zone: &str) -> Exported {
    let mut author = Author {
        actor: actor(DeviceId([1; 16]), 1),
        user: "lin.yue".to_owned(),
        role: Role::Supervisor,
        now_ms: 1_000,
        zone: "Etc/UTC".to_owned(),
    };
    let case = CasePatch {
        borrower_name: Some(name.to_owned()),
        phones: Some(vec!["+8619000003045".to_owned()]),
        overdue: Some(overdue),
        currency: Some(currency.to_owned()),
        due_date: Some("2026-11-03".to_owned()),
        zone: Some(zone.to_owned()),
        note: Some("@first line\nsecond".to_owned()),
        ..CasePatch::default()
    };
    let assignment =
        AssignmentPatch { collectors: Some(vec!["wu.min".to_owned()]), ..Default::default() };
    let id = RecordId::v7(1_000, [7; 10]);
    let mut record = Record::create(id, case_no, &case, &assignment, &author).unwrap();
    author.actor = actor(DeviceId([2; 16]), 1);
    author.user = "wu.min".to_owned();
    author.role = Role::Collector;
    // 18:30 in Shanghai.
    let starts_at = 1_795_429_800_000;
    let commands = [
        Command::ProposeAppointment(AppointmentProposal {
            starts_at,
            ends_at: starts_at + 3_600_000,
            place: "home".to_owned(),
            proposed_by: ProposedBy::Borrower,
            borrower_remark: String::new(),
        }),
        Command::EditTalk(TalkPatch {
            disposition: Some(Disposition::Ptp),
            ..TalkPatch::default()
        }),
        Command::Promise {
            promise: Some(PromiseToPay {
                amount: 5,
                due_date: "2026-12-01".to_owned(),
                channel: "transfer".to_owned(),
            }),
        },
    ];
    for command in commands {
        record.apply(&command, &author).unwrap();
    }
    Exported { view: record.view(), updated_at: starts_at - 1_800_000, document: record.save() }
}
