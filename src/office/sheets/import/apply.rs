//! Applies a case list: creates records for new cases and updates those of known ones.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use chrono_tz::Tz;
use tokio::task::JoinSet;

use super::columns::Columns;
use super::reader::{Row, Sheet, SheetError};
use super::reason::Reason;
use super::report::{ImportReport, RowOutcome};
use super::row::{CaseRow, InvalidRow, RowReader, Rules};
use crate::ids::RecordId;
use crate::office::auth::{Accounts, AuthError, canonical_name};
use crate::office::intake::edit::Edit;
use crate::office::{Created, NewVisit, Office, OfficeError};
use crate::record::CommandError;
use crate::record::command::{AssignmentPatch, CasePatch, Command};
use crate::record::terms::Role;
use crate::record::view::VisitView;

/// Rows that are looked up and created together.
pub const BATCH: usize = 1_000;

/// Concurrent updates: enough that they share commits.
const MAX_CONCURRENT: usize = 32;

/// Options of an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Collector of rows that name none.
    pub assign_to: Option<String>,
    /// Time zone of borrowers of rows that name none.
    pub zone: Option<Tz>,
    /// Only report what would happen.
    pub dry_run: bool,
}

/// Why an import failed, or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is not a case list.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The collector for unassigned rows does not exist.
    #[error("{0} is not a known collector: see `doorstep user list`, or add one")]
    NoCollector(String),
    /// The office failed. Earlier rows have been imported, and the import can be repeated.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// The users could not be read.
    #[error(transparent)]
    Accounts(#[from] AuthError),
}

/// Imports a file. `progress` is called with the number of rows that are done, and of all rows.
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
    // A panic in a reader of foreign formats means a file that it cannot read.
    let sheet = read.unwrap_or(Err(SheetError::Damaged))?;
    let (columns, notes) = Columns::read(&sheet.heading)?;
    let rules = Rules { collectors, assign_to, zone: options.zone };
    let by = (by.0.to_owned(), by.1);
    let mut importer = Importer::new(office.clone(), columns, rules, by, options.dry_run);
    let mut report = ImportReport { dry_run: options.dry_run, notes, ..ImportReport::default() };
    for (batch, rows) in (0..).zip(sheet.rows.chunks(BATCH)) {
        report.add(importer.batch(rows).await?);
        progress(batch * BATCH + rows.len(), sheet.rows.len());
    }
    report.sort();
    Ok(report)
}

/// Imports the rows of one file, batch by batch.
pub struct Importer {
    office: Office,
    reader: RowReader,
    by: (String, Role),
    dry_run: bool,
    /// Of the current batch.
    report: ImportReport,
}

impl Importer {
    /// An importer for a file with these columns; `by` is who imports it.
    pub fn new(
        office: Office,
        columns: Columns,
        rules: Rules,
        by: (String, Role),
        dry_run: bool,
    ) -> Self {
        let (reader, report) = (RowReader::new(columns, rules), ImportReport::default());
        Self { office, reader, by, dry_run, report }
    }

    /// Passes rows that were imported before; their case numbers count as used.
    pub fn skip(&mut self, rows: &[Row]) {
        for row in rows {
            // It was reported when it was imported.
            drop(self.reader.read(row));
        }
    }

    /// Imports the next rows; reports every one of them, in order. May be repeated after a failure by
    /// an importer that has skipped the rows before.
    pub async fn batch(&mut self, rows: &[Row]) -> Result<ImportReport, ImportError> {
        let mut good = Vec::new();
        for row in rows {
            match self.reader.read(row) {
                Ok(row) => good.push(row),
                Err(refusal) => self.report.refuse(refusal),
            }
        }
        self.apply(good).await?;
        let mut report = std::mem::take(&mut self.report);
        report.sort();
        Ok(report)
    }

    async fn apply(&mut self, rows: Vec<CaseRow>) -> Result<(), ImportError> {
        let case_nos = rows.iter().map(|row| row.case_no.clone()).collect();
        let mut existing = self.office.find_by_case_nos(case_nos).await?;
        let (old, new): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| existing.contains_key(&row.case_no));
        for (id, row) in self.create(new).await? {
            // It was created in between.
            existing.insert(row.case_no.clone(), id);
            self.update(vec![row], &existing).await?;
        }
        self.update(old, &existing).await
    }

    /// Creates records; gives the rows whose case has one by now.
    async fn create(
        &mut self,
        rows: Vec<CaseRow>,
    ) -> Result<Vec<(RecordId, CaseRow)>, ImportError> {
        let mut known = Vec::new();
        if self.dry_run {
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
        existing: &BTreeMap<String, RecordId>,
    ) -> Result<(), ImportError> {
        let dry_run = self.dry_run;
        let jobs = rows.into_iter().filter_map(|row| {
            let id = *existing.get(&row.case_no)?;
            let (office, (user, role)) = (self.office.clone(), self.by.clone());
            Some(async move {
                let changed = match dry_run {
                    true => office.visit(id).await.map(|view| difference(&row, &view).changed),
                    false => office.update_from_row(id, row.clone(), &user, role).await,
                };
                (row, changed)
            })
        });
        for (row, done) in run_all(jobs.collect()).await? {
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

impl Office {
    /// Updates a record to what a row says; gives the names of the facts that changed. The row is
    /// compared with the record in the intake pipeline, so with the state that it is merged into.
    async fn update_from_row(
        &self,
        id: RecordId,
        row: CaseRow,
        user: &str,
        role: Role,
    ) -> Result<Vec<String>, OfficeError> {
        let edit = Edit::new(user, role, move |record, author| {
            let Difference { facts, assignment, changed } = difference(&row, &record.view());
            let mut changes = Vec::new();
            for command in facts.into_iter().chain(assignment) {
                changes.extend(record.apply(&command, author)?);
            }
            Ok((changes, changed))
        });
        Ok(self.intake_one(edit, id, ()).await?.1)
    }
}

/// What a row says otherwise than the record.
struct Difference {
    facts: Option<Command>,
    assignment: Option<Command>,
    /// Names of the facts, as in reports.
    changed: Vec<String>,
}

fn difference(row: &CaseRow, view: &VisitView) -> Difference {
    let (patch, mut changed) = changed_facts(&row.case, view);
    let facts = (!changed.is_empty()).then(|| Command::UpdateCase(Box::new(patch)));
    // An old list must not revert an assignment by the office.
    let assign = view.assignment.collectors.is_empty() && !row.collectors.is_empty();
    let assignment = assign.then(|| {
        changed.push("assigned_to".to_owned());
        let collectors = Some(row.collectors.clone());
        Command::Assign(AssignmentPatch { collectors, ..AssignmentPatch::default() })
    });
    Difference { facts, assignment, changed }
}

/// The facts that a row says otherwise than the record, and their names.
fn changed_facts(row: &CasePatch, view: &VisitView) -> (CasePatch, Vec<String>) {
    let case = &view.case;
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

/// The refusal of a value that passed the checks of rows but not those of the record.
fn refusal(row: &CaseRow, error: &CommandError) -> InvalidRow {
    let field = match error.path().strip_prefix("case.").unwrap_or(error.path()) {
        "overdue" => "overdue_amount",
        "phones" => "phone",
        "position.lat" => "lat",
        "position.lon" => "lon",
        path => super::columns::known_name(path).unwrap_or("case_no"),
    };
    InvalidRow {
        position: row.position,
        case_no: Some(row.case_no.clone()),
        field: Some(field),
        reason: Reason::Record(error.to_string()),
    }
}

/// Runs jobs, some at a time; gives their results in no particular order.
async fn run_all<T: Send + 'static>(
    jobs: Vec<impl Future<Output = T> + Send + 'static>,
) -> Result<Vec<T>, OfficeError> {
    let mut done = Vec::with_capacity(jobs.len());
    let mut running = JoinSet::new();
    for job in jobs {
        if running.len() >= MAX_CONCURRENT
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
