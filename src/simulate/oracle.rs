//! What must be true, known apart from the engine.
//!
//! The oracle remembers each edit by what a person would look for: a contact by its id, a note by
//! a word that nobody else writes. It never asks the engine what it believes; it reads documents.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{Heads, RecordId};
use crate::record::view::VisitView;

/// A rule that does not hold.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) rule: &'static str,
    pub(super) what: String,
}

/// One edit, as a person would look for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// A contact with this id.
    Contact(String),
    /// A word in the notes.
    Word(String),
}

impl Trace {
    pub(super) fn is_in(&self, view: &VisitView) -> bool {
        match self {
            Self::Contact(id) => view.contacts.iter().any(|contact| &contact.id == id),
            Self::Word(word) => view.notes.contains(word.as_str()),
        }
    }
}

/// An edit that waits for its acknowledgement.
#[derive(Debug, Clone)]
struct Waiting {
    ticket: u64,
    record: RecordId,
    trace: Trace,
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// By device.
    waiting: BTreeMap<usize, Vec<Waiting>>,
    /// Acknowledged to a person, by device and record.
    acknowledged: BTreeMap<(usize, RecordId), BTreeSet<Trace>>,
    /// Made by the office.
    office: BTreeMap<RecordId, BTreeSet<Trace>>,
}

impl Oracle {
    pub(super) fn edited(&mut self, device: usize, ticket: u64, record: RecordId, trace: Trace) {
        self.waiting.entry(device).or_default().push(Waiting { ticket, record, trace });
    }

    /// Edits up to a ticket were acknowledged; gives how many.
    pub(super) fn saved(&mut self, device: usize, ticket: u64) -> u64 {
        let waiting = self.waiting.entry(device).or_default();
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(waiting).into_iter().partition(|edit| edit.ticket <= ticket);
        *waiting = rest;
        let count = done.len() as u64;
        for edit in done {
            self.acknowledged.entry((device, edit.record)).or_default().insert(edit.trace);
        }
        count
    }

    /// What was not acknowledged may be gone.
    pub(super) fn crashed(&mut self, device: usize) {
        self.waiting.remove(&device);
    }

    pub(super) fn office_edited(&mut self, record: RecordId, trace: Trace) {
        self.office.entry(record).or_default().insert(trace);
    }

    /// Everything that was acknowledged on a device.
    pub(super) fn of_device(
        &self,
        device: usize,
    ) -> impl Iterator<Item = (RecordId, &BTreeSet<Trace>)> {
        self.acknowledged
            .iter()
            .filter(move |((of, _), _)| *of == device)
            .map(|((_, record), traces)| (*record, traces))
    }

    /// Everything that was acknowledged anywhere.
    pub(super) fn all(&self) -> impl Iterator<Item = (RecordId, &BTreeSet<Trace>)> {
        let devices = self.acknowledged.iter().map(|((_, record), traces)| (*record, traces));
        devices.chain(self.office.iter().map(|(record, traces)| (*record, traces)))
    }
}

/// What the office held of a user's records when it answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth(pub(super) BTreeMap<RecordId, Heads>);
