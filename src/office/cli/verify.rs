//! `doorstep verify`.

use super::args::Verify;
use super::failure::Failure;
use super::{Access, OfficeContext, print, print_json};

pub(super) fn run(context: &OfficeContext, asked: &Verify) -> Result<(), Failure> {
    let office = asked.attachments.of(context, Access::Read)?;
    let found = context.runtime.block_on(office.verify())?;
    if asked.output.json {
        print_json(&found)?;
    } else {
        let mut lines: Vec<String> = found
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.record, problem.what))
            .collect();
        lines.extend(
            found.pending.iter().map(|pending| format!("{}: {}", pending.record, pending.what)),
        );
        let state = if found.ok { "all is well" } else { "something is wrong" };
        lines.push(format!(
            "{state}: {} records, {} changes, {} feeds, {} signatures, {} attachments, {} to come, {} audit entries",
            found.records,
            found.changes,
            found.feeds,
            found.signatures,
            found.blobs,
            found.pending.len(),
            found.audited
        ));
        print(lines.join("\n"))?;
    }
    if found.ok { Ok(()) } else { Err(Failure::reported()) }
}
