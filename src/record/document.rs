//! The record itself: an Automerge document that is known to be one of ours.

use std::collections::BTreeMap;

use automerge::transaction::CommitOptions;
use automerge::{Automerge, Change, ChangeHash, LoadOptions, ReadDoc, TextEncoding};

use super::author::Author;
use super::authority::Principal;
use super::command::{AssignmentPatch, CasePatch, Command, NewEvaluation};
use super::error::{CommandError, Invalid, LoadError};
use super::history::WrittenField;
use super::reader::Reader;
use super::terms::{Role, Stage};
#[cfg(not(target_arch = "wasm32"))]
use super::view::SignatureView;
use super::view::{Conflict, HistoryEntry, VisitSummary, VisitView};
use super::{conflict, genesis, history, read, signature, stage, validate, write};
use crate::ids::{Heads, RecordId, device_of};

/// One visit record.
#[derive(Debug, Clone)]
pub struct Record {
    doc: Automerge,
}

impl Record {
    /// A new record: the first change and one by the office.
    pub fn create(
        id: RecordId,
        case_no: &str,
        case: &CasePatch,
        assignment: &AssignmentPatch,
        author: &Author,
    ) -> Result<Self, CommandError> {
        Self::init(id, case_no, case, assignment, author, false)
    }

    /// As [`create`](Self::create) for the only record of its case: the office says that there is
    /// nothing of others to count.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn create_with_empty_summary(
        id: RecordId,
        case_no: &str,
        case: &CasePatch,
        assignment: &AssignmentPatch,
        author: &Author,
    ) -> Result<Self, CommandError> {
        Self::init(id, case_no, case, assignment, author, true)
    }

    fn init(
        id: RecordId,
        case_no: &str,
        case: &CasePatch,
        assignment: &AssignmentPatch,
        author: &Author,
        alone: bool,
    ) -> Result<Self, CommandError> {
        let mut record = Self { doc: genesis::blank() };
        record.transact(author, author.as_principal(Stage::Assigned), |writer| {
            writer.init(id, case_no)?;
            writer.case(case)?;
            if alone {
                writer.summarize(author.now_ms, &BTreeMap::new())?;
            }
            writer.assignment(assignment)
        })?;
        Ok(record)
    }

    /// A record that holds the first change and nothing else.
    pub fn blank() -> Self {
        Self { doc: genesis::blank() }
    }

    /// A record from the bytes of [`save`](Self::save), of [`save_uncompressed`](Self::save_uncompressed) or of
    /// the same followed by change chunks.
    pub fn load(bytes: &[u8]) -> Result<Self, LoadError> {
        let options = LoadOptions::new()
            .text_encoding(TextEncoding::UnicodeCodePoint)
            .on_partial_load(automerge::OnPartialLoad::Error);
        let doc = Automerge::load_with_options(bytes, options)
            .map_err(|error| LoadError::Unreadable(error.to_string()))?;
        Self::from_document(doc)
    }

    fn from_document(doc: Automerge) -> Result<Self, LoadError> {
        if doc.get_change_by_hash(&genesis::hash()).is_none() {
            return Err(LoadError::NotARecord);
        }
        // Changes whose dependencies are missing wait in a queue inside the document, unseen.
        if !doc.get_missing_deps(&[]).is_empty() {
            return Err(LoadError::Incomplete);
        }
        Ok(Self { doc })
    }

    /// The document, for reads that this type does not offer.
    pub fn document(&self) -> &Automerge {
        &self.doc
    }

    /// Bytes to keep, columns deflated.
    pub fn save(&self) -> Vec<u8> {
        self.doc.save()
    }

    /// Bytes to send in a body that is deflated as a whole.
    pub fn save_uncompressed(&self) -> Vec<u8> {
        self.doc.save_nocompress()
    }

    /// The state that the record is in.
    pub fn heads(&self) -> Heads {
        Heads::new(self.doc.get_heads())
    }

    /// Changes after a state, as far as that is known here, without the first change; in causal
    /// order.
    pub fn changes_after(&self, have: &Heads) -> Vec<Change> {
        let known = |hash: &&ChangeHash| self.doc.get_change_meta_by_hash(hash).is_some();
        let mut have: Vec<ChangeHash> = have.as_slice().iter().filter(known).copied().collect();
        have.push(genesis::hash());
        self.doc.get_changes(&have)
    }

    /// The record's id; `None` before the office's change.
    pub fn id(&self) -> Option<RecordId> {
        Reader::new(&self.doc, None).text(&[], "id").parse().ok()
    }

    /// Everything that the record says.
    pub fn view(&self) -> VisitView {
        read::view(&self.doc)
    }

    /// What a list shows of it.
    pub fn summary(&self) -> VisitSummary {
        self.view_and_summary().1
    }

    /// Everything that the record says, and what a list shows of that: the second costs next to
    /// nothing once the first is read.
    pub fn view_and_summary(&self) -> (VisitView, VisitSummary) {
        let view = read::view(&self.doc);
        let summary = read::summary(&view);
        (view, summary)
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        stage::of(&self.doc, None)
    }

    /// When the office accepted it, ms by the office's clock; `None` where it is not accepted.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn accepted_at(&self) -> Option<i64> {
        stage::accepted_at(&self.doc)
    }

    /// How far it had come as the author of a change with these dependencies saw it.
    pub fn stage_at(&self, deps: &[ChangeHash]) -> Stage {
        stage::of(&self.doc, Some(deps))
    }

    /// Fields for which several values stand.
    pub fn conflicts(&self) -> Vec<Conflict> {
        conflict::conflicts(&self.doc)
    }

    /// Every change of every field, oldest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        history::history(&self.doc)
    }

    /// Signatures under seals, oldest first, with the object of each.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn signatures(&self) -> Vec<(automerge::ObjId, SignatureView)> {
        signature::entries(&self.doc)
    }

    /// Whether anything that a seal closes to collectors differs between a state of this record
    /// and now.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn content_changed(&self, since: &Heads) -> bool {
        signature::content_changed(&self.doc, since)
    }

    /// What a device signs to put its user's signature under a state of this record; `None`
    /// where the state is none of it.
    pub fn statement(
        &self,
        author: &Author,
        heads: &[String],
        at: i64,
        text: &str,
    ) -> Option<Vec<u8>> {
        let heads = signature::named(&self.doc, heads)?;
        let record = Reader::new(&self.doc, None).text(&[], "id");
        let device = device_of(&author.actor)?.to_string();
        let user = author.user.as_str();
        let statement = signature::Statement {
            record: &record,
            heads: &heads,
            device: &device,
            at,
            text,
            user,
        };
        Some(statement.to_bytes())
    }

    /// Whether every value is one that the schema knows (rule M3).
    pub fn validate(&self) -> Result<(), Invalid> {
        validate::validate(&self.doc)
    }

    /// Carries a command out as one change; `None` where it changes nothing.
    ///
    /// # Errors
    /// The command is not allowed, a value is out of bounds, or what it names is not there. The
    /// record is as before then.
    pub fn apply(
        &mut self,
        command: &Command,
        author: &Author,
    ) -> Result<Option<Change>, CommandError> {
        self.execute(Some(command), None, author)
    }

    /// As [`apply`](Self::apply), and keeps in the same change what the rules of conduct said of
    /// the record as it was before.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_with_evaluation(
        &mut self,
        command: &Command,
        evaluation: &NewEvaluation,
        author: &Author,
    ) -> Result<Option<Change>, CommandError> {
        self.execute(Some(command), Some(evaluation), author)
    }

    /// Keeps what the rules of conduct say of the record as it is.
    ///
    /// # Errors
    /// The author may not.
    pub fn record_evaluation(
        &mut self,
        evaluation: &NewEvaluation,
        author: &Author,
    ) -> Result<Option<Change>, CommandError> {
        self.execute(None, Some(evaluation), author)
    }

    fn execute(
        &mut self,
        command: Option<&Command>,
        evaluation: Option<&NewEvaluation>,
        author: &Author,
    ) -> Result<Option<Change>, CommandError> {
        let principal = author.as_principal(self.stage());
        let hash = self.transact(author, principal, |writer| {
            if let Some(command) = command {
                writer.command(command)?;
            }
            evaluation.map_or(Ok(()), |evaluation| writer.evaluation(evaluation))
        })?;
        Ok(hash.and_then(|hash| self.doc.get_change_by_hash(&hash)))
    }

    /// Writes values anew as one change; `None` where it changes nothing. With `on_behalf_of` the
    /// author vouches for what that collector had written: it stands under the collector's name,
    /// and role and stage are not asked (rule M4).
    ///
    /// # Errors
    /// One of the values may not be written. The record is as before then.
    pub(crate) fn reapply(
        &mut self,
        fields: &[WrittenField],
        author: &Author,
        on_behalf_of: Option<&str>,
    ) -> Result<Option<Change>, CommandError> {
        let own = author.as_principal(self.stage());
        let principal = match on_behalf_of {
            Some(user) => Principal { user, role: Role::Collector, approved: true, ..own },
            None => own,
        };
        let hash = self.transact(author, principal, |writer| writer.reapply(fields))?;
        Ok(hash.and_then(|hash| self.doc.get_change_by_hash(&hash)))
    }

    /// Takes in changes made elsewhere, which must all find their dependencies.
    ///
    /// # Errors
    /// The record is as before where a change cannot be applied.
    pub fn apply_changes(&mut self, changes: Vec<Change>) -> Result<(), LoadError> {
        let hashes: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
        let mut next = self.doc.clone();
        next.apply_changes(changes).map_err(|error| LoadError::Unreadable(error.to_string()))?;
        // Ok says little: success is that the changes are in the graph.
        if hashes.iter().all(|hash| next.get_change_meta_by_hash(hash).is_some()) {
            self.doc = next;
            Ok(())
        } else {
            Err(LoadError::Incomplete)
        }
    }

    fn transact(
        &mut self,
        author: &Author,
        principal: Principal<'_>,
        write: impl FnOnce(&mut write::RecordWriter<'_, '_>) -> Result<(), CommandError>,
    ) -> Result<Option<ChangeHash>, CommandError> {
        let before = self.doc.clone();
        self.doc.set_actor(author.actor.clone());
        let options = CommitOptions::default()
            .with_message(author.user.clone())
            .with_time(author.now_ms.div_euclid(1000));
        let done = self.doc.transact_with(
            |()| options,
            |tx| write(&mut write::RecordWriter::new(tx, &before, principal, author)),
        );
        match done {
            Ok(success) => Ok(success.hash),
            Err(failure) => Err(failure.error),
        }
    }
}
