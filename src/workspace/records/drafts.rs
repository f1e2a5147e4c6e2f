//! Drafts: forms that are not submitted yet (rule D7).
//!
//! A draft is no part of the record and is never sent, but it must outlive the page. Each record
//! has one encrypted row of the table `meta` for its drafts, under a prefix of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::RecordId;
use crate::record::CommandError;
use crate::types::TsType;
use crate::vault::encode;
use crate::workspace::output::Table;
use crate::workspace::storage::journal::Journal;
use crate::workspace::{Workspace, WorkspaceError};

/// Most drafts of one record; a page has some ten forms.
const MAX_FORMS: usize = 64;

/// Most bytes of one draft: far more than the record would accept.
const MAX_TEXT: usize = 256 * 1024;

/// Key prefix of drafts; the record's id follows.
const PREFIX: &str = "draft/";

TsType! {
/// The draft of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The form's name, as pages know it.
    pub form: String,
    /// Its content, in the pages' own format.
    pub text: String,
}
}

/// All drafts, in memory as in the store: text by form by record.
#[derive(Debug, Default)]
pub(crate) struct Drafts(BTreeMap<RecordId, BTreeMap<String, String>>);

impl Drafts {
    /// Loads a decrypted row of `meta`; ignores rows that are no drafts.
    pub(crate) fn load_row(&mut self, key: &str, plain: &[u8]) {
        let id = key.strip_prefix(PREFIX).and_then(|id| id.parse::<RecordId>().ok());
        let (Some(id), Ok(forms)) = (id, minicbor::decode(plain)) else { return };
        self.0.insert(id, forms);
    }

    /// Whether a record has a draft.
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
    /// Drafts of a record, in order of form.
    pub fn drafts(&self, record: RecordId) -> Vec<Draft> {
        let forms = self.drafts.0.get(&record).into_iter().flatten();
        forms.map(|(form, text)| Draft { form: form.clone(), text: text.clone() }).collect()
    }

    /// Whether any record has a draft.
    pub fn has_drafts(&self) -> bool {
        !self.drafts.0.is_empty()
    }

    /// Saves the draft of a form, or removes it where `text` is `None`; gives the ticket that will
    /// be durable. Removing a draft directly after `apply` puts both into the same batch.
    ///
    /// # Errors
    /// The record is not on this device, or the draft is far larger than anybody types.
    pub fn save_draft(
        &mut self,
        record: RecordId,
        form: &str,
        text: Option<&str>,
        now_ms: i64,
    ) -> Result<u64, WorkspaceError> {
        if !self.records.contains_key(&record) {
            return Err(WorkspaceError::UnknownRecord);
        }
        let others = self
            .drafts
            .0
            .get(&record)
            .map_or(0, |forms| forms.keys().filter(|other| *other != form).count());
        let length = text.map_or(0, str::len);
        if length > MAX_TEXT || (length > 0 && others >= MAX_FORMS) {
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
        let ticket = self.issue_ticket();
        if self.drafts.has(record) != marked {
            self.records.touch(record);
        }
        self.advance(now_ms);
        Ok(ticket)
    }
}
