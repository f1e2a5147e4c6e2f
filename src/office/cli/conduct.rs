//! `doorstep conduct` and `doorstep export conduct`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Conduct, ExportConduct};
use super::failure::Failure;
use super::{OfficeContext, print, print_json};
use crate::conduct::Policy;
use crate::conduct::parse::parse;
use crate::conduct::policy::Layer;
use crate::conduct::terms::Answer;
use crate::office::time;

/// Reads layers and adds them to the program's.
pub(super) fn policy(files: &[PathBuf]) -> Result<Policy, Failure> {
    let mut policy = Policy::default();
    for file in files {
        let layer = read(file)?;
        policy
            .add(layer)
            .map_err(|clash| Failure::failed(format!("{}: {clash}", file.display())))?;
    }
    Ok(policy)
}

fn read(file: &Path) -> Result<Layer, Failure> {
    let cannot = |what: String| Failure::failed(format!("{}: {what}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| cannot(error.to_string()))?;
    parse(&text).map_err(|wrong| {
        let all: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        cannot(all.join("; "))
    })
}

/// `doorstep conduct check FILE`: needs no store.
pub(super) fn check(file: &Path) -> Result<(), Failure> {
    let layer = read(file)?;
    let said = format!("{} {}: {} rules", layer.id, layer.version, layer.rules.len());
    Policy::default()
        .add(layer)
        .map_err(|clash| Failure::failed(format!("{}: {clash}", file.display())))?;
    print(said)
}

pub(super) fn run(context: &OfficeContext, command: Conduct) -> Result<(), Failure> {
    match command {
        Conduct::Check { file } => check(&file),
        Conduct::Evaluate { policy: files, output } => {
            let office = context.office.clone().with_policy(policy(&files)?);
            let bar = bar(context)?;
            let done =
                context.runtime.block_on(office.keep_conduct(|done| bar.set_position(done)))?;
            bar.finish_and_clear();
            if output.json {
                print_json(&serde_json::json!({ "evaluated": done }))
            } else {
                print(format!("{done} records evaluated"))
            }
        }
        Conduct::Replay { policy: files, output } => replay(context, &files, output.json),
    }
}

/// What other layers would have said of every record, beside what today's say.
fn replay(context: &OfficeContext, files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let (today, then) = (Policy::default(), policy(files)?);
    let bar = bar(context)?;
    let mut changes: BTreeMap<(String, &str, &str), u64> = BTreeMap::new();
    let mut records = 0;
    context.office.each_conduct(&[&today, &then], |_, views| {
        records += 1;
        bar.inc(1);
        let [before, after] = views else { return Ok(()) };
        let of = |rule: &str| before.answers.iter().find(|answer| answer.rule == rule);
        for answer in &after.answers {
            let was = of(&answer.rule).map_or("not_asked", |answer| answer.answer.as_str());
            let is = answer.answer.as_str();
            if was != is {
                *changes.entry((answer.rule.clone(), was, is)).or_default() += 1;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if json {
        let changes: Vec<_> = changes
            .iter()
            .map(|((rule, from, to), records)| {
                serde_json::json!({ "rule": rule, "from": from, "to": to, "records": records })
            })
            .collect();
        return print_json(&serde_json::json!({ "records": records, "changes": changes }));
    }
    let mut lines = vec![format!("{records} records")];
    lines.extend(changes.iter().map(|((rule, from, to), records)| {
        format!("{rule:>12}  {from:>14} -> {to:<14} {records:>8}")
    }));
    print(lines.join("\n"))
}

/// `doorstep export conduct`: a JSON line an answer, asked anew.
pub(super) fn export(context: &OfficeContext, asked: ExportConduct) -> Result<(), Failure> {
    let since = asked
        .since
        .as_deref()
        .map(|text| {
            time::parse(text).ok_or_else(|| {
                Failure::usage("--since is a date such as 2026-11-03 or a time in RFC 3339")
            })
        })
        .transpose()?;
    let policy = policy(&asked.policy)?;
    let bar = bar(context)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let done = context.office.each_conduct(&[&policy], |record, views| {
        bar.inc(1);
        if since.is_some_and(|since| record.updated_at < since) {
            return Ok(());
        }
        for view in views {
            for answer in &view.answers {
                let wanted = asked.rule.as_ref().is_none_or(|rule| *rule == answer.rule);
                if !wanted || answer.answer == Answer::NotApplicable {
                    continue;
                }
                let line = serde_json::json!({
                    "record": record.id,
                    "case_no": record.case_no,
                    "rule": answer.rule,
                    "layer": answer.layer,
                    "answer": answer.answer,
                    "severity": answer.severity,
                    "status": answer.status,
                    "shadow": answer.shadow,
                    "grade": answer.grade,
                    "reason": answer.reason_code,
                    "policy": view.policy,
                    "moment": view.moment,
                });
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    });
    bar.finish_and_clear();
    match done.and_then(|()| Ok(out.flush()?)) {
        // A closed pipe, as with `head`, is no failure.
        Err(crate::office::sheets::export::ExportError::Write(error))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            Ok(())
        }
        done => Ok(done?),
    }
}

/// A bar over all records, on a terminal only.
fn bar(context: &OfficeContext) -> Result<ProgressBar, Failure> {
    let records = context.runtime.block_on(context.office.count())?;
    let bar = ProgressBar::new(records);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    Ok(bar)
}
