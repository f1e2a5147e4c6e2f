//! Records out of the real store: pages, filters, files.

use std::io::{self, Write};

use crate::support::http_office::{CASES, HttpOffice, NOW};
use doorstep::office::Office;
use doorstep::office::demo;
use doorstep::office::sheets::export::{
    ExportError, Format, Scope, Selection, write, write_folder,
};
use doorstep::office::sheets::import::{Options, import};
use doorstep::office::store::Listing;
use doorstep::record::Record;
use doorstep::record::terms::{ReviewStatus, Role, Stage};
use doorstep::record::view::VisitView;
use tokio::runtime::Handle;

#[tokio::test]
async fn an_export_turns_every_page_once() {
    let http = with_cases().await;
    let csv = export(&http, Listing::default(), Format::Csv).await;
    let mut reader = csv::Reader::from_reader(&csv[3..]);
    let at = reader.headers().unwrap().iter().position(|name| name == "case_no").unwrap();
    let case_nos: Vec<String> =
        reader.records().map(|record| record.unwrap()[at].to_owned()).collect();
    let expected: Vec<String> = (0..500).map(|n| format!("NB{}", 2_026_000_000 + n)).collect();
    assert_eq!(case_nos, expected);
}

#[tokio::test]
async fn importing_an_export_changes_nothing() {
    let http = with_cases().await;
    for format in [Format::Csv, Format::Xlsx] {
        let file = export(&http, Listing::default(), format).await;
        let by = ("lin.yue", Role::Supervisor);
        let options = Options::default();
        let report =
            import(&http.office, &http.accounts, file, options, by, &|_, _| {}).await.unwrap();
        assert_eq!((report.unchanged, report.refused), (500, 0), "{:?}", report.rows.first());
    }
}

#[tokio::test]
async fn filters_hold_for_every_format() {
    let http = HttpOffice::open().await;
    demo::fill(&http.office, &http.accounts).await.unwrap();
    let returned = Listing { review: Some(ReviewStatus::Returned), ..Listing::default() };
    let lines = export(&http, returned.clone(), Format::Jsonl).await;
    let views: Vec<VisitView> = String::from_utf8(lines)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(views.len(), 2);
    assert!(views.iter().all(|view| view.review.status == ReviewStatus::Returned));
    let zip = export(&http, returned.clone(), Format::Automerge).await;
    assert_eq!(zip::ZipArchive::new(io::Cursor::new(zip)).unwrap().len(), 2);
    let later = Listing { since: Some(NOW + 1), ..Listing::default() };
    assert!(export(&http, later, Format::Jsonl).await.is_empty());
    let stages = vec![Stage::Reviewed];
    let reviewed = Listing { stages, ..Listing::default() };
    assert_eq!(export(&http, reviewed, Format::Jsonl).await.split(|b| *b == b'\n').count(), 4);
}

#[tokio::test]
async fn a_folder_holds_one_document_for_each_record() {
    let http = with_cases().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("folder");
    let selection = select(&http, Listing { text: "NB20260000".to_owned(), ..Listing::default() });
    let at = path.clone();
    let written = tokio::task::spawn_blocking(move || write_folder(selection, &at));
    assert_eq!(written.await.unwrap().unwrap(), 100);
    let id = http.office.find_by_case_no("NB2026000042").await.unwrap().unwrap();
    let bytes = std::fs::read(path.join(format!("NB2026000042-{id}.automerge"))).unwrap();
    assert_eq!(Record::load(&bytes).unwrap().view(), http.office.visit(id).await.unwrap());
}

#[tokio::test]
async fn a_disk_that_is_full_breaks_the_export_off() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let http = with_cases().await;
    for format in [Format::Csv, Format::Xlsx, Format::Jsonl, Format::Automerge] {
        let selection = select(&http, Listing::default());
        let done =
            tokio::task::spawn_blocking(move || write(selection, format, Scope::Whole, &mut Full));
        assert!(matches!(done.await.unwrap(), Err(ExportError::Write(_))), "{format:?}");
    }
}

#[tokio::test]
async fn a_demo_is_whole_sound_and_only_made_once() {
    let http = HttpOffice::open().await;
    demo::fill(&http.office, &http.accounts).await.unwrap();
    let count = async |listing: Listing| http.office.list(listing).await.unwrap().total;
    let all = Listing { limit: 1, ..Listing::default() };
    assert_eq!(count(all.clone()).await, 60);
    for stage in Stage::ALL {
        let stages = vec![*stage];
        assert!(count(Listing { stages, ..all.clone() }).await > 0, "{stage}");
    }
    assert_eq!(count(Listing { conflicts: true, ..all.clone() }).await, 2);
    assert_eq!(count(Listing { unassigned: true, ..all.clone() }).await, 6);
    http.office.assert_sound().await;
    let changes = http.office.verify().await.unwrap().changes;
    demo::fill(&http.office, &http.accounts).await.unwrap();
    assert_eq!(http.office.verify().await.unwrap().changes, changes);
    let name = "real.user";
    http.add_user(name, Role::Collector).await;
    let refused = demo::fill(&http.office, &http.accounts).await.unwrap_err();
    assert!(refused.to_string().contains(name), "{refused}");
}

async fn with_cases() -> HttpOffice {
    let http = HttpOffice::open().await;
    let by = ("lin.yue", Role::Supervisor);
    let options = Options::default();
    import(&http.office, &http.accounts, CASES.to_vec(), options, by, &|_, _| {}).await.unwrap();
    http
}

fn select(http: &HttpOffice, listing: Listing) -> Selection {
    Selection::new(Office::clone(&http.office), listing, Handle::current())
}

async fn export(http: &HttpOffice, listing: Listing, format: Format) -> Vec<u8> {
    let selection = select(http, listing);
    let done = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        write(selection, format, Scope::Whole, &mut out).map(|_| out)
    });
    done.await.unwrap().unwrap()
}

/// Texts that a spreadsheet might run, or that look as if an export had made them harmless.
const RISKY: [&str; 10] = [
    "=1+1",
    "'=1+1",
    "''=1+1",
    "+86 19000003045",
    "-5",
    "@SUM(A1)",
    "＝1+1",
    "'＠x",
    "'tis plain",
    "say \"hi\", = too",
];

#[tokio::test]
async fn texts_that_look_like_formulas_are_quoted_harmless_and_come_back_as_they_were() {
    let http = HttpOffice::open().await;
    for (n, text) in RISKY.iter().enumerate() {
        let id = http.visit(&format!("R-{n}"), &["chen.jie"]).await;
        let case = doorstep::record::command::CasePatch {
            borrower_name: Some((*text).to_owned()),
            note: Some((*text).to_owned()),
            ..Default::default()
        };
        let command = doorstep::record::command::Command::UpdateCase(Box::new(case));
        http.office.command(id, command, "lin.yue", Role::Supervisor).await.unwrap();
    }
    let csv = export(&http, Listing::default(), Format::Csv).await;
    let text = String::from_utf8(csv.clone()).unwrap();
    for line in text.trim_start_matches('\u{feff}').lines() {
        assert!(line.starts_with('"') && line.ends_with('"'), "{line}");
    }
    let mut reader = csv::Reader::from_reader(&csv[3..]);
    let at = reader.headers().unwrap().iter().position(|name| name == "borrower_name").unwrap();
    for row in reader.records() {
        let cell = row.unwrap()[at].to_owned();
        assert!(!cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell}");
    }
    for format in [Format::Csv, Format::Xlsx] {
        let file = export(&http, Listing::default(), format).await;
        let by = ("lin.yue", Role::Supervisor);
        let options = Options::default();
        let report =
            import(&http.office, &http.accounts, file, options, by, &|_, _| {}).await.unwrap();
        let changed: Vec<_> = report.rows.iter().map(|row| (&row.case_no, &row.reason)).collect();
        assert_eq!(report.unchanged, RISKY.len(), "{format:?}: {changed:?}");
    }
}
