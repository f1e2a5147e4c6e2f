//! The oracle: what must be true, independent of the engine.
//!
//! The oracle remembers each edit by what a person would look for: an entry by its id, a text by
//! a unique word, and by its change hash. It never relies on the engine's state; it reads documents
//! and heads.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use crate::ids::{Heads, RecordId};
use crate::record::Record;
use crate::record::view::VisitView;

/// A rule that does not hold.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) rule: &'static str,
    pub(super) what: String,
}

pub(super) type Step = Result<(), Violation>;

pub(super) fn violation(rule: &'static str, what: String) -> Step {
    Err(Violation { rule, what })
}

/// What a person would look for in a record that holds the edit, whatever came later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// An entry with this id: a contact, a payment, an option, an amendment, an attachment.
    Entry(String),
    /// A word in the notes or the feedback.
    Word(String),
    /// A field that others may overwrite: the edit is found in the history.
    History,
}

impl Effect {
    fn is_in(&self, view: &VisitView) -> bool {
        match self {
            Self::Entry(id) => {
                view.contacts.iter().any(|contact| &contact.id == id)
                    || view.payments.iter().any(|payment| &payment.id == id)
                    || view.talk.options.iter().any(|option| &option.id == id)
                    || view.amendments.iter().any(|amendment| &amendment.id == id)
                    || view.attachments.iter().any(|attachment| &attachment.sha256 == id)
            }
            Self::Word(word) => view.notes.contains(word) || view.feedback.contains(word),
            Self::History => true,
        }
    }
}

/// One edit.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) record: RecordId,
    /// What its author called it.
    pub(super) mark: String,
    pub(super) hash: ChangeHash,
    pub(super) effect: Effect,
    /// The office was once seen to have it.
    pub(super) arrived: bool,
}

impl Edit {
    /// Whether the edit is in a record's history.
    pub(super) fn is_held(&self, record: &Record) -> bool {
        record.document().get_change_meta_by_hash(&self.hash).is_some()
    }

    /// Whether a record holds the edit, and a person finds it.
    pub(super) fn is_in(&self, record: &Record, view: &VisitView) -> bool {
        self.is_held(record) && self.effect.is_in(view)
    }
}

#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// Edits that wait for their acknowledgement, with their tickets, by device.
    waiting: BTreeMap<usize, Vec<(u64, Edit)>>,
    /// Acknowledged to a person, by device.
    acknowledged: BTreeMap<usize, Vec<Edit>>,
    /// Made by the office.
    office: Vec<Edit>,
}

impl Oracle {
    pub(super) fn edited(&mut self, device: usize, ticket: u64, edit: Edit) {
        self.waiting.entry(device).or_default().push((ticket, edit));
    }

    /// Edits up to a ticket were acknowledged; gives how many.
    pub(super) fn saved(&mut self, device: usize, ticket: u64) -> u64 {
        let waiting = self.waiting.entry(device).or_default();
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(waiting).into_iter().partition(|(waits, _)| *waits <= ticket);
        *waiting = rest;
        let count = done.len() as u64;
        self.acknowledged.entry(device).or_default().extend(done.into_iter().map(|(_, edit)| edit));
        count
    }

    /// What was not acknowledged may be gone.
    pub(super) fn crashed(&mut self, device: usize) {
        self.waiting.remove(&device);
    }

    pub(super) fn office_edited(&mut self, edit: Edit) {
        self.office.push(edit);
    }

    /// Everything that was acknowledged on a device.
    pub(super) fn of_device(&self, device: usize) -> &[Edit] {
        self.acknowledged.get(&device).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_device_mut(&mut self, device: usize) -> &mut Vec<Edit> {
        self.acknowledged.entry(device).or_default()
    }

    /// Whether a record on a device has acknowledged work that the office was not seen to have.
    pub(super) fn is_only_copy(&self, device: usize, record: RecordId) -> bool {
        self.of_device(device).iter().any(|edit| edit.record == record && !edit.arrived)
    }

    /// Everything that was acknowledged anywhere, with its device.
    pub(super) fn all(&self) -> impl Iterator<Item = (Option<usize>, &Edit)> {
        let devices = self
            .acknowledged
            .iter()
            .flat_map(|(device, edits)| edits.iter().map(|edit| (Some(*device), edit)));
        devices.chain(self.office.iter().map(|edit| (None, edit)))
    }

    /// The office was seen to have these changes.
    pub(super) fn arrive(&mut self, changes: &BTreeSet<ChangeHash>) {
        let waiting = self.waiting.values_mut().flatten().map(|(_, edit)| edit);
        for edit in waiting.chain(self.acknowledged.values_mut().flatten()) {
            edit.arrived |= changes.contains(&edit.hash);
        }
    }

    /// Forgets edits that may be gone.
    pub(super) fn forget_lost(&mut self, mut gone: impl FnMut(Option<usize>, &Edit) -> bool) {
        for (device, edits) in &mut self.acknowledged {
            edits.retain(|edit| !gone(Some(*device), edit));
        }
        self.office.retain(|edit| !gone(None, edit));
    }
}

/// What the office held of a user's records when it answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Truth(pub(super) BTreeMap<RecordId, Heads>);
