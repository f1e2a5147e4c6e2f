//! Compares a case list with what the office holds, and brings the office up to it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use chrono_tz::Tz;
use tokio::task::JoinSet;

use super::columns::Columns;
use super::reader::{Sheet, SheetError};
use super::report::{ImportReport, RowOutcome};
use super::row::{CaseRow, Refusal, RowReader, Rules};
use crate::ids::RecordId;
use crate::office::auth::{Accounts, AuthError, canonical_name};
use crate::office::{Created, NewVisit, Office, OfficeError};
use crate::record::CommandError;
use crate::record::command::{AssignmentPatch, CasePatch, Command};
use crate::record::terms::Role;
use crate::record::view::VisitView;

/// Rows that are looked up and written together.
const BATCH: usize = 1_000;

/// Records read or edited at a time: enough that edits share commits.
const AT_ONCE: usize = 32;

/// How a case list is imported.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who visits where a row doesn't say.
    pub assign_to: Option<String>,
    /// Zone of borrowers where a row doesn't say.
    pub zone: Option<Tz>,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// Why nothing, or nothing more, was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is no case list.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// Cases were to be assigned to somebody who is no collector.
    #[error("{0} is not a known collector: see `doorstep user list`, or add one")]
    NoCollector(String),
    /// The office failed on the way; rows before stand, and the import can be repeated.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// The users could not be read.
    #[error(transparent)]
    Accounts(#[from] AuthError),
}

/// Imports a file. `progress` hears how many rows of how many are done.
pub async fn import(
    office: &Office,
    accounts: &Accounts,
    file: Vec<u8>,
    options: Options,
    by: (&str, Role),
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> Result<ImportReport, ImportError> {
    let collectors: BTreeSet<String> = accounts.collectors().await?.into_iter().collect();
    let assign_to = options.assign_to.as_deref().map(canonical_name);
    if let Some(name) = assign_to.iter().find(|name| !collectors.contains(*name)) {
        return Err(ImportError::NoCollector(name.clone()));
    }
    let read = tokio::task::spawn_blocking(move || Sheet::read(&file)).await;
    // A panic of a reader of foreign formats is a file that it can't read.
    let sheet = read.unwrap_or(Err(SheetError::Damaged))?;
    let (columns, notes) = Columns::read(&sheet.heading)?;
    let rules = Rules { collectors, assign_to, zone: options.zone };
    let mut reader = RowReader::new(columns, rules);
    let mut importer = Importer {
        office,
        by: (by.0.to_owned(), by.1),
        report: ImportReport { dry_run: options.dry_run, notes, ..ImportReport::default() },
    };
    for (batch, rows) in (0..).zip(sheet.rows.chunks(BATCH)) {
        let mut good = Vec::new();
        for row in rows {
            match reader.read(row) {
                Ok(row) => good.push(row),
                Err(refusal) => importer.report.refuse(refusal),
            }
        }
        importer.batch(good).await?;
        progress(batch * BATCH + rows.len(), sheet.rows.len());
    }
    importer.report.sort();
    Ok(importer.report)
}

struct Importer<'a> {
    office: &'a Office,
    by: (String, Role),
    report: ImportReport,
}

impl Importer<'_> {
    async fn batch(&mut self, rows: Vec<CaseRow>) -> Result<(), ImportError> {
        let case_nos = rows.iter().map(|row| row.case_no.clone()).collect();
        let mut held = self.office.find_by_case_nos(case_nos).await?;
        let (old, new): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| held.contains_key(&row.case_no));
        for (id, row) in self.create(new).await? {
            // Somebody made it in between.
            held.insert(row.case_no.clone(), id);
            self.update(vec![row], &held).await?;
        }
        self.update(old, &held).await
    }

    /// Makes records; gives back the rows whose case has one by now.
    async fn create(
        &mut self,
        rows: Vec<CaseRow>,
    ) -> Result<Vec<(RecordId, CaseRow)>, ImportError> {
        let mut known = Vec::new();
        if self.report.dry_run {
            rows.iter().for_each(|row| self.report.count(row, RowOutcome::Created, Vec::new()));
            return Ok(known);
        }
        let visits = rows.iter().map(new_visit).collect();
        let created = self.office.create_visits(visits, &self.by.0).await?;
        for (row, created) in rows.into_iter().zip(created) {
            match created {
                Created::New(_) => self.report.count(&row, RowOutcome::Created, Vec::new()),
                Created::Exists(id) => known.push((id, row)),
                Created::Invalid(error) => self.report.refuse(refusal(&row, &error)),
            }
        }
        Ok(known)
    }

    async fn update(
        &mut self,
        rows: Vec<CaseRow>,
        held: &BTreeMap<String, RecordId>,
    ) -> Result<(), ImportError> {
        let dry_run = self.report.dry_run;
        let jobs = rows.into_iter().filter_map(|row| {
            let id = *held.get(&row.case_no)?;
            let (office, by) = (self.office.clone(), self.by.clone());
            Some(async move {
                let done = bring_up(&office, id, &row, by, dry_run).await;
                (row, done)
            })
        });
        for (row, done) in all(jobs.collect()).await? {
            match done {
                Ok(changed) if changed.is_empty() => {
                    self.report.count(&row, RowOutcome::Unchanged, changed);
                }
                Ok(changed) => self.report.count(&row, RowOutcome::Updated, changed),
                Err(OfficeError::Command(error)) => self.report.refuse(refusal(&row, &error)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Writes what the row says otherwise than the record; gives the names of those facts.
async fn bring_up(
    office: &Office,
    id: RecordId,
    row: &CaseRow,
    by: (String, Role),
    dry_run: bool,
) -> Result<Vec<String>, OfficeError> {
    let held = office.visit(id).await?;
    let (patch, mut changed) = difference(&row.case, &held);
    let facts = !changed.is_empty();
    // Who visits is the office's to say once anybody does: an old list must not take it back.
    let assign = held.assignment.collectors.is_empty() && !row.collectors.is_empty();
    if assign {
        changed.push("assigned_to".to_owned());
    }
    if dry_run {
        return Ok(changed);
    }
    if facts {
        office.command(id, Command::UpdateCase(Box::new(patch)), &by.0, by.1).await?;
    }
    if assign {
        let collectors = Some(row.collectors.clone());
        let patch = AssignmentPatch { collectors, ..AssignmentPatch::default() };
        office.command(id, Command::Assign(patch), &by.0, by.1).await?;
    }
    Ok(changed)
}

/// The facts that a row says otherwise than the record, and their names.
fn difference(row: &CasePatch, held: &VisitView) -> (CasePatch, Vec<String>) {
    let case = &held.case;
    let mut changed = Vec::new();
    let mut patch = CasePatch::default();
    macro_rules! compare {
        ($($field:ident = $held:expr, $name:literal;)+) => {
            $(if row.$field.is_some() && row.$field != $held {
                patch.$field = row.$field.clone();
                changed.push($name.to_owned());
            })+
        };
    }
    compare! {
        borrower_name = Some(case.borrower_name.clone()), "borrower_name";
        phones = Some(case.phones.clone()), "phone";
        address = Some(case.address.clone()), "address";
        lat = case.lat, "lat";
        lon = case.lon, "lon";
        product = Some(case.product.clone()), "product";
        principal = case.principal, "principal";
        overdue = Some(case.overdue), "overdue_amount";
        currency = Some(case.currency.clone()), "currency";
        days_past_due = Some(case.days_past_due), "days_past_due";
        due_date = Some(case.due_date.clone()), "due_date";
        last_payment_date = Some(case.last_payment_date.clone()), "last_payment_date";
        preferred_language = Some(case.preferred_language.clone()), "preferred_language";
        zone = Some(case.zone.clone()), "zone";
        note = Some(case.note.clone()), "note";
    }
    (patch, changed)
}

fn new_visit(row: &CaseRow) -> NewVisit {
    let collectors = Some(row.collectors.clone());
    NewVisit {
        case_no: row.case_no.clone(),
        case: row.case.clone(),
        assignment: AssignmentPatch { collectors, ..AssignmentPatch::default() },
    }
}

/// A value that passed the sheet's checks but not the record's.
fn refusal(row: &CaseRow, error: &CommandError) -> Refusal {
    let field = match error.path().strip_prefix("case.").unwrap_or(error.path()) {
        "overdue" => "overdue_amount",
        "phones" => "phone",
        "position.lat" => "lat",
        "position.lon" => "lon",
        path => super::columns::known_name(path).unwrap_or("case_no"),
    };
    Refusal {
        place: row.place,
        case_no: Some(row.case_no.clone()),
        field: Some(field),
        reason: error.to_string(),
    }
}

/// Runs jobs, some at a time; gives their results in any order.
async fn all<T: Send + 'static>(
    jobs: Vec<impl Future<Output = T> + Send + 'static>,
) -> Result<Vec<T>, OfficeError> {
    let mut done = Vec::with_capacity(jobs.len());
    let mut running = JoinSet::new();
    for job in jobs {
        if running.len() >= AT_ONCE
            && let Some(result) = running.join_next().await
        {
            done.push(result.map_err(|_| OfficeError::Closing)?);
        }
        running.spawn(job);
    }
    while let Some(result) = running.join_next().await {
        done.push(result.map_err(|_| OfficeError::Closing)?);
    }
    Ok(done)
}
