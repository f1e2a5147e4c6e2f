//! Forms that a person has begun and not handed in (rule D7).
//!
//! What stands in them is no part of the record yet and goes nowhere; it must outlive the page all
//! the same. There is one sealed row of the table `meta` a record, under a prefix of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::RecordId;
use crate::record::CommandError;
use crate::types::TsType;
use crate::workspace::output::{Output, Table};
use crate::workspace::storage::encode;
use crate::workspace::storage::journal::Journal;
use crate::workspace::{Workspace, WorkspaceError};

/// Forms of one record at the most; a page has some ten.
const FORMS_AT_MOST: usize = 64;

/// Text of one form at the most, bytes: its fields are far longer than what a record would take.
const TEXT_AT_MOST: usize = 256 * 1024;

/// What keys of drafts begin with; the record's id follows.
const PREFIX: &str = "draft/";

TsType! {
/// A form that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The form's name, as pages know it.
    pub form: String,
    /// What stands in it, as pages wrote it.
    pub text: String,
}
}

/// All drafts, as memory and store have them; text by form.
#[derive(Debug, Default)]
pub(crate) struct Drafts(BTreeMap<RecordId, BTreeMap<String, String>>);

impl Drafts {
    /// Takes in a row of `meta`, opened; other rows than drafts are left alone.
    pub(crate) fn load_row(&mut self, key: &str, plain: &[u8]) {
        let id = key.strip_prefix(PREFIX).and_then(|id| id.parse::<RecordId>().ok());
        let (Some(id), Ok(forms)) = (id, minicbor::decode(plain)) else { return };
        self.0.insert(id, forms);
    }

    /// Whether anything is begun about a record.
    pub(crate) fn has(&self, id: RecordId) -> bool {
        self.0.contains_key(&id)
    }

    /// The record leaves this device.
    pub(crate) fn remove(&mut self, id: RecordId, journal: &mut Journal) {
        if self.0.remove(&id).is_some() {
            journal.delete(Table::Meta, key(id));
        }
    }

    /// The store is erased.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The key of a record's drafts.
pub(crate) fn key(id: RecordId) -> String {
    format!("{PREFIX}{id}")
}

impl Workspace {
    /// What is begun about a record, in order of form.
    pub fn drafts(&self, record: RecordId) -> Vec<Draft> {
        let forms = self.drafts.0.get(&record).into_iter().flatten();
        forms.map(|(form, text)| Draft { form: form.clone(), text: text.clone() }).collect()
    }

    /// Whether anything is begun about any record.
    pub fn has_drafts(&self) -> bool {
        !self.drafts.0.is_empty()
    }

    /// Has a text stand in a form, or nothing; gives the ticket that will be durable. A form whose
    /// command was carried out right before is emptied in the same batch as that.
    ///
    /// # Errors
    /// The device holds no such record, or more is begun than anybody types.
    pub fn save_draft(
        &mut self,
        record: RecordId,
        form: &str,
        text: Option<&str>,
        now_ms: i64,
    ) -> Result<u64, WorkspaceError> {
        if !self.holds(record) {
            return Err(WorkspaceError::UnknownRecord);
        }
        let others = self
            .drafts
            .0
            .get(&record)
            .map_or(0, |forms| forms.keys().filter(|other| *other != form).count());
        let length = text.map_or(0, str::len);
        if length > TEXT_AT_MOST || (length > 0 && others >= FORMS_AT_MOST) {
            let path = form.to_owned();
            return Err(CommandError::Invalid { path, reason: "too long to keep" }.into());
        }
        let marked = self.drafts.has(record);
        let forms = self.drafts.0.entry(record).or_default();
        match text {
            Some(text) => drop(forms.insert(form.to_owned(), text.to_owned())),
            None => drop(forms.remove(form)),
        }
        if forms.is_empty() {
            self.drafts.remove(record, &mut self.journal);
        } else {
            self.journal.put(Table::Meta, key(record), encode(&*forms));
        }
        self.next_ticket += 1;
        self.journal.ticket(self.next_ticket);
        self.journal.retry();
        if self.drafts.has(record) != marked {
            self.outputs.push_back(Output::ListChanged);
        }
        self.advance(now_ms);
        Ok(self.next_ticket)
    }
}
