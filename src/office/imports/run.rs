//! Checks and imports in the background. A process claims an import for a short time and renews the
//! claim with each batch; one whose claim has passed to another process stops. Importing rows twice
//! changes nothing, so a batch may be repeated.

use std::time::Duration;

use super::state::columns_of;
use super::{ImportPhase, ImportRefusal, ImportState, collectors, encode};
use super::{import, read_sheet, stored};
use crate::office::sheets::import::reader::Row;
use crate::office::sheets::import::{
    BATCH, ImportError, ImportReport, Importer, RowOutcome, RowReport, Rules,
};
use crate::office::store::{ImportRow, StoreError, Writes};
use crate::office::{Office, OfficeError, random};
use crate::record::terms::Role;

/// How long a claim lasts, ms: several times what a batch takes.
const CLAIM_MS: i64 = 20_000;

/// Between two looks for imports that another process has left.
const LOOK: Duration = Duration::from_secs(10);

/// Claims without progress after which an import fails.
const MAX_ATTEMPTS: u32 = 10;

/// An import that this process works on.
struct Claimed {
    id: [u8; 16],
    claim: [u8; 16],
    user: String,
    state: ImportState,
    /// Another process has begun it.
    resumed: bool,
    file: Vec<u8>,
    collectors: std::collections::BTreeSet<String>,
}

impl Office {
    /// Continues imports that other processes have left, now and from time to time.
    pub async fn keep_importing(&self) {
        loop {
            self.run_imports().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs all unclaimed imports, one after the other. A failure leaves an import to the
    /// next call.
    pub async fn run_imports(&self) {
        // One at a time, since a file takes much memory.
        let _running = self.importing.lock().await;
        loop {
            let done = match self.claim_import().await {
                Ok(None) => return,
                Ok(Some(Ok(claimed))) => self.import_claimed(claimed).await,
                Ok(Some(Err(()))) => Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "imports could not be continued");
                    return;
                }
            };
            if let Err(error) = done {
                tracing::warn!(%error, "an import was interrupted");
            }
        }
    }

    /// Claims the oldest unclaimed import; `Err` if it has failed too often.
    async fn claim_import(&self) -> Result<Option<Result<Claimed, ()>>, OfficeError> {
        let claim = random(self.random.as_ref())?;
        let now = self.now();
        let claimed = self.store.write(move |tx| {
            let Some(id) = tx.abandoned_imports(now)?.into_iter().next() else { return Ok(None) };
            let Some(before) = tx.import(id)? else { return Ok(None) };
            let user = before.user.clone();
            let mut import = import(before)?;
            let state = &mut import.state;
            let resumed = state.done > 0 || state.attempts > 0;
            state.attempts += 1;
            state.claim = claim;
            let disabled = tx.user(&user)?.is_none_or(|user| user.disabled_at.is_some());
            if state.attempts > MAX_ATTEMPTS || disabled {
                let reason =
                    if disabled { "the account was disabled" } else { "it failed too often" };
                fail(state, reason);
                tx.update_import(&stored(&import, &user, None)?)?;
                return Ok(Some(Err(())));
            }
            tx.update_import(&stored(&import, &user, Some(now + CLAIM_MS))?)?;
            let file = tx.import_file(id)?.unwrap_or_default();
            let (collectors, state) = (collectors(tx)?, import.state);
            Ok(Some(Ok(Claimed { id, claim, user, state, resumed, file, collectors })))
        });
        Ok(claimed.await?)
    }

    async fn import_claimed(&self, mut claimed: Claimed) -> Result<(), OfficeError> {
        let file = std::mem::take(&mut claimed.file);
        let sheet = match read_sheet(file).await? {
            Ok((_, sheet)) => sheet,
            Err(error) => return self.give_up(&claimed, error.to_string()).await,
        };
        let (mut importer, notes) = match self.importer(&mut claimed) {
            Ok(made) => made,
            Err(refusal) => return self.give_up(&claimed, refusal.to_string()).await,
        };
        claimed.state.notes = notes;
        let done = usize::try_from(claimed.state.done).unwrap_or(usize::MAX).min(sheet.rows.len());
        let (before, rest) = sheet.rows.split_at(done);
        importer.skip(before);
        let batches = batches(rest);
        let last = batches.len().saturating_sub(1);
        for (at, rows) in batches.into_iter().enumerate() {
            let report = match importer.batch(rows).await {
                Ok(report) => report,
                Err(ImportError::Office(error)) => return Err(error),
                Err(error) => return self.give_up(&claimed, error.to_string()).await,
            };
            let resumed = claimed.resumed && at == 0;
            if !self.save_batch(&mut claimed, rows, report, resumed, at == last).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn importer(&self, claimed: &mut Claimed) -> Result<(Importer, Vec<String>), ImportRefusal> {
        let state = &claimed.state;
        let (columns, notes) = columns_of(state)?;
        let assign_to = Some(state.assign_to.clone()).filter(|name| !name.is_empty());
        if let Some(name) = assign_to.iter().find(|name| !claimed.collectors.contains(*name)) {
            return Err(ImportRefusal::NoCollector(name.clone()));
        }
        let collectors = std::mem::take(&mut claimed.collectors);
        let rules = Rules { collectors, assign_to, zone: state.zone.parse().ok() };
        let role = Role::parse(&state.role).unwrap_or(Role::Supervisor);
        let by = (claimed.user.clone(), role);
        let dry_run = state.phase == ImportPhase::Checking;
        Ok((Importer::new(self.clone(), columns, rules, by, dry_run), notes))
    }

    /// Saves the outcome of a batch and renews the claim; false if the claim has passed to another
    /// process, or the import is gone.
    async fn save_batch(
        &self,
        claimed: &mut Claimed,
        rows: &[Row],
        report: ImportReport,
        resumed: bool,
        last: bool,
    ) -> Result<bool, OfficeError> {
        let state = &mut claimed.state;
        state.done += rows.len() as u64;
        state.attempts = 0;
        let (id, claim, user) = (claimed.id, claimed.claim, claimed.user.clone());
        let bounds = rows.first().zip(rows.last());
        let (from, to) =
            bounds.map_or((0, 0), |(first, last)| (first.number as u64, last.number as u64));
        let (before, until) = (state.clone(), self.now() + CLAIM_MS);
        let saved = self.store.write(move |tx| {
            let Some(stored_before) = tx.import(id)? else { return Ok(None) };
            let mut current = import(stored_before)?;
            if current.state.claim != claim {
                return Ok(None);
            }
            let mut state = before.clone();
            let mut reports = report.rows.clone();
            if resumed && state.phase == ImportPhase::Importing {
                as_checked(tx, id, (from, to), &mut reports)?;
            }
            for row in &reports {
                *counter(&mut state, row.outcome) += 1;
            }
            let news = reports
                .iter()
                .filter(|row| row.outcome != RowOutcome::Unchanged || row.reason.is_some());
            let rows = news.map(stored_row).collect::<Result<Vec<_>, _>>()?;
            tx.replace_import_rows(id, from, to, &rows)?;
            if last {
                state.phase = match state.phase {
                    ImportPhase::Checking => ImportPhase::Checked,
                    ImportPhase::Importing => ImportPhase::Done,
                    phase @ (ImportPhase::Uploaded
                    | ImportPhase::Checked
                    | ImportPhase::Done
                    | ImportPhase::Failed) => phase,
                };
            }
            current.state = state.clone();
            let until = (!last).then_some(until);
            tx.update_import(&stored(&current, &user, until)?)?;
            Ok(Some(state))
        });
        match saved.await? {
            Some(state) => claimed.state = state,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Ends an import that cannot be continued.
    async fn give_up(&self, claimed: &Claimed, reason: String) -> Result<(), OfficeError> {
        let (id, claim, user) = (claimed.id, claimed.claim, claimed.user.clone());
        let given_up = self.store.write(move |tx| {
            let Some(before) = tx.import(id)? else { return Ok(()) };
            let mut import = import(before)?;
            if import.state.claim == claim {
                fail(&mut import.state, &reason);
                tx.update_import(&stored(&import, &user, None)?)?;
            }
            Ok(())
        });
        Ok(given_up.await?)
    }
}

/// A file without rows has one empty batch, which ends the import.
fn batches(rows: &[Row]) -> Vec<&[Row]> {
    match rows.is_empty() {
        true => vec![rows],
        false => rows.chunks(BATCH).collect(),
    }
}

fn fail(state: &mut ImportState, reason: &str) {
    state.phase = ImportPhase::Failed;
    reason.clone_into(&mut state.failure);
}

/// The process before may have imported the rows of this batch without saving that it did: a row that
/// has no changes any more counts as it was checked.
fn as_checked(
    tx: &mut dyn Writes,
    id: [u8; 16],
    (from, to): (u64, u64),
    rows: &mut [RowReport],
) -> Result<(), StoreError> {
    let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
    let checked = tx.import_rows(id, "", from.saturating_sub(1), limit)?;
    for row in checked.iter().filter(|row| row.row <= to) {
        let checked: RowReport = super::decode(&row.report)?;
        let unchanged = rows
            .iter_mut()
            .find(|row| row.row == checked.row && row.outcome == RowOutcome::Unchanged);
        match (unchanged, checked.outcome) {
            (Some(row), RowOutcome::Created | RowOutcome::Updated) => *row = checked,
            (Some(_), RowOutcome::Unchanged | RowOutcome::Refused) | (None, _) => {}
        }
    }
    Ok(())
}

fn counter(state: &mut ImportState, outcome: RowOutcome) -> &mut u64 {
    match outcome {
        RowOutcome::Created => &mut state.created,
        RowOutcome::Updated => &mut state.updated,
        RowOutcome::Unchanged => &mut state.unchanged,
        RowOutcome::Refused => &mut state.refused,
    }
}

fn stored_row(row: &RowReport) -> Result<ImportRow, StoreError> {
    let outcome = row.outcome.as_str().to_owned();
    Ok(ImportRow { row: row.row as u64, outcome, report: encode(row)? })
}
