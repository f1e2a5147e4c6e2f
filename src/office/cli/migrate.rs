//! `doorstep migrate`.

use std::io::IsTerminal;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;

use super::args::Migrate;
use super::failure::Failure;
use super::{now, print, print_json};
use crate::office::blobs::BlobStore;
use crate::office::database::without_password;
use crate::office::{MigrationStep, Office};

pub(super) fn run(asked: &Migrate) -> Result<(), Failure> {
    let blob_store = asked.attachments.blobs.as_deref().map(BlobStore::existing).transpose();
    let blob_store = blob_store.map_err(|error| Failure::failed(format!("--blobs: {error}")))?;
    let runtime = Runtime::new()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} rows, {eta}") {
        bar.set_style(style);
    }
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let progress = |step, done, of| {
        bar.set_length(of);
        bar.set_message(match step {
            MigrationStep::Copy => "copying",
            MigrationStep::Compare => "comparing",
        });
        bar.set_position(done);
    };
    let migrating = Office::migrate(&asked.from, &asked.to, blob_store, Arc::new(now), &progress);
    let migrated = runtime.block_on(migrating);
    bar.finish_and_clear();
    let migrated = migrated.map_err(|error| Failure::failed(format!("cannot migrate: {error}")))?;
    if asked.output.json {
        print_json(&migrated)?;
    } else {
        let problems = migrated.verified.problems.iter();
        let mut lines: Vec<String> =
            problems.map(|problem| format!("{}: {}", problem.record, problem.what)).collect();
        let (to, from) = (without_password(&asked.to), &asked.from);
        lines.push(match migrated.verified.ok {
            true => format!(
                "{to} holds the {} rows of {from}, verified. Serve it, and do not serve {from} again.",
                migrated.rows
            ),
            false => format!("{to} was not released, because {from} has the problems above."),
        });
        print(lines.join("\n"))?;
    }
    if migrated.verified.ok { Ok(()) } else { Err(Failure::reported()) }
}
