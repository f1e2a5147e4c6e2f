//! `doorstep verify`.

use super::failure::Failure;
use super::{Desk, Output, print, print_json};

pub(super) fn run(desk: &Desk, output: &Output) -> Result<(), Failure> {
    let found = desk.runtime.block_on(desk.office.verify())?;
    if output.json {
        print_json(&found)?;
    } else {
        let mut lines: Vec<String> = found
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.record, problem.what))
            .collect();
        let state = if found.ok { "all is well" } else { "something is wrong" };
        lines.push(format!(
            "{state}: {} records, {} changes, {} feeds, {} signatures",
            found.records, found.changes, found.feeds, found.signatures
        ));
        print(lines.join("\n"))?;
    }
    if found.ok { Ok(()) } else { Err(Failure::said()) }
}
