//! The trace of a run: a hash over all lines, and the text of the last ones.

use std::collections::VecDeque;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::sync::message::{Outcome, RecordUpdate, Reply, Request, UpdateContent};

#[derive(Debug)]
pub(super) struct TraceLog {
    lines: VecDeque<String>,
    /// Maximum number of kept lines.
    most: usize,
    /// Over every line: equal runs have equal hashes.
    hasher: DefaultHasher,
}

impl TraceLog {
    pub(super) fn new(most: usize) -> Self {
        Self { lines: VecDeque::new(), most, hasher: DefaultHasher::new() }
    }

    pub(super) fn log(&mut self, ms: i64, line: &str) {
        line.hash(&mut self.hasher);
        ms.hash(&mut self.hasher);
        if self.lines.len() >= self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{:>9}.{:03} s  {line}", ms / 1000, ms % 1000));
    }

    pub(super) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// The last lines.
    pub(super) fn last_lines(&self) -> String {
        self.lines.iter().fold(String::new(), |mut told, line| {
            // Writing to a String cannot fail.
            let _ = writeln!(told, "{line}");
            told
        })
    }
}

/// Describes a request.
pub(super) fn asked(request: &Request) -> String {
    let Request { cursor, restore, push, want, ranges, .. } = request;
    let mut words = format!("cursor {}", cursor.seq);
    if !cursor.is_whole() {
        words += ", in a pass";
    }
    for push in push {
        words += &format!(", pushes {} of {}", push.changes.len(), push.record);
    }
    for restore in restore {
        words += &format!(", brings {} of {}", restore.changes.len(), restore.record);
    }
    for want in want {
        words += &format!(", wants {} after {} heads", want.record, want.have.as_slice().len());
    }
    if !ranges.is_empty() {
        words += &format!(", compares {} ranges", ranges.len());
    }
    words
}

/// Describes a reply.
pub(super) fn in_words(reply: &Reply) -> String {
    let outcomes: Vec<String> =
        reply.restored.iter().chain(&reply.results).map(outcome_word).collect();
    let entries: Vec<String> = reply.entries.iter().map(entry).collect();
    let differing: Vec<String> =
        reply.differing.states.iter().map(|state| state.record.to_string()).collect();
    format!(
        "cursor {}, {} remain, results [{}], entries [{}], differing [{}]",
        reply.cursor.seq,
        reply.remaining,
        outcomes.join(" "),
        entries.join(", "),
        differing.join(" ")
    )
}

fn entry(entry: &RecordUpdate) -> String {
    let record = entry.record;
    match &entry.content {
        UpdateContent::Changes { changes, .. } => format!("{} of {record}", changes.len()),
        UpdateContent::Document { .. } => format!("all of {record}"),
        UpdateContent::Withdrawn => format!("{record} withdrawn"),
        UpdateContent::Unknown => format!("{record} unknown"),
    }
}

fn outcome_word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Merged { .. } => "merged".into(),
        Outcome::Duplicate { .. } => "duplicate".into(),
        Outcome::Missing { .. } => "missing".into(),
        Outcome::Refused { path, message, .. } => format!("refused {path}: {message}"),
        Outcome::Withdrawn => "withdrawn".into(),
    }
}
