//! The record: an Automerge document that begins with the first change of a known schema.

use std::collections::BTreeMap;

use automerge::transaction::CommitOptions;
use automerge::{Automerge, Change, ChangeHash, LoadOptions, ReadDoc, TextEncoding};

use super::author::Author;
use super::authority::Principal;
use super::command::{AssignmentPatch, CasePatch, Command, NewEvaluation};
use super::error::{CommandError, Invalid, LoadError};
use super::history::WrittenField;
use super::reader::Reader;
use super::snapshot::Snapshot;
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

    /// As [`create`](Self::create) for the only record of its case: it gets an empty contact
    /// summary, since there are no other records to count.
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

    /// A record with the first change only.
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
        if doc.get_change_meta_by_hash(&genesis::hash()).is_none() {
            return Err(LoadError::NotARecord);
        }
        // Automerge queues changes with missing dependencies inside the document, unapplied.
        if !doc.get_missing_deps(&[]).is_empty() {
            return Err(LoadError::Incomplete);
        }
        Ok(Self { doc })
    }

    /// The document, for reads that this type does not offer.
    pub fn document(&self) -> &Automerge {
        &self.doc
    }

    /// The document's bytes for storage, with compressed columns.
    pub fn save(&self) -> Vec<u8> {
        self.doc.save()
    }

    /// The document's bytes for a message body that is compressed as a whole.
    pub fn save_uncompressed(&self) -> Vec<u8> {
        self.doc.save_nocompress()
    }

    /// The record's current heads.
    pub fn heads(&self) -> Heads {
        Heads::new(self.doc.get_heads())
    }

    /// Whether the record has a change.
    pub fn contains(&self, change: &ChangeHash) -> bool {
        self.doc.get_change_meta_by_hash(change).is_some()
    }

    /// Changes after the given heads in causal order, without the first change. Unknown heads are
    /// ignored.
    pub fn changes_after(&self, have: &Heads) -> Vec<Change> {
        let known = have.as_slice().iter().filter(|hash| self.contains(hash));
        let mut have: Vec<ChangeHash> = known.copied().collect();
        have.push(genesis::hash());
        self.doc.get_changes(&have)
    }

    /// The record's id; `None` before the office's change.
    pub fn id(&self) -> Option<RecordId> {
        Reader::new(&self.doc, None).text(&[], "id").parse().ok()
    }

    /// All content of the record as plain values.
    pub fn view(&self) -> VisitView {
        read::view(&Snapshot::new(&self.doc))
    }

    /// The summary that lists show.
    pub fn summary(&self) -> VisitSummary {
        self.view_and_summary().1
    }

    /// The summary of a view of a record.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn summary_of(view: &VisitView) -> VisitSummary {
        read::summary(view)
    }

    /// View and summary; the summary is computed from the view at almost no cost.
    pub fn view_and_summary(&self) -> (VisitView, VisitSummary) {
        let view = read::view(&Snapshot::new(&self.doc));
        let summary = read::summary(&view);
        (view, summary)
    }

    /// The derived stage.
    pub fn stage(&self) -> Stage {
        stage::of(&Reader::new(&self.doc, None))
    }

    /// When the office accepted the record, ms by the office's clock; `None` if it is not accepted.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn accepted_at(&self) -> Option<i64> {
        stage::accepted_at(&self.doc)
    }

    /// The stage as the author of a change with these dependencies saw it.
    pub fn stage_at(&self, deps: &[ChangeHash]) -> Stage {
        stage::of(&Reader::new(&self.doc, Some(deps)))
    }

    /// Fields with several concurrent values.
    pub fn conflicts(&self) -> Vec<Conflict> {
        conflict::conflicts(&Snapshot::new(&self.doc))
    }

    /// Every change of every field, oldest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        history::history(&self.doc)
    }

    /// Signatures of seals, oldest first, whose Automerge objects are wanted.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn signatures(
        &self,
        wanted: impl Fn(&automerge::ObjId) -> bool,
    ) -> Vec<SignatureView> {
        signature::entries(&self.doc, wanted)
    }

    /// Whether any field that a seal protects has changed since the given heads.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn content_changed(&self, since: &Heads) -> bool {
        signature::content_changed(&self.doc, since)
    }

    /// The bytes that a device signs for its user over a state of this record; `None` if the heads
    /// are unknown.
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

    /// Checks every path and value against the schema (rule M3).
    pub fn validate(&self) -> Result<(), Invalid> {
        validate::validate(&Snapshot::new(&self.doc))
    }

    /// The content of a record that [`validate`](Self::validate) accepts, read in the same pass.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn valid_view(&self) -> Result<VisitView, Invalid> {
        let snapshot = Snapshot::new(&self.doc);
        validate::validate(&snapshot)?;
        Ok(read::view(&snapshot))
    }

    /// Executes a command as one change; `None` if it changes nothing.
    ///
    /// # Errors
    /// The command is denied, a value is out of bounds, or something it names does not exist. The
    /// record is unchanged then.
    pub fn apply(
        &mut self,
        command: &Command,
        author: &Author,
    ) -> Result<Option<Change>, CommandError> {
        self.execute(Some(command), None, author)
    }

    /// As [`apply`](Self::apply); the same change stores the conduct evaluation of the record
    /// before the command.
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

    /// Stores a conduct evaluation of the current state.
    ///
    /// # Errors
    /// The author may not write it.
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

    /// Writes values of refused work again as one change; `None` if it changes nothing. With
    /// `on_behalf_of` the author approves that collector's work: entries keep the collector's
    /// name, and role and stage are not checked (rule M4).
    ///
    /// # Errors
    /// One of the values may not be written. The record is unchanged then.
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

    /// Merges changes of other devices. All of their dependencies must be present.
    ///
    /// # Errors
    /// A change cannot be applied. The record is unchanged then.
    pub fn apply_changes(&mut self, changes: Vec<Change>) -> Result<(), LoadError> {
        let mut next = self.doc.clone();
        apply(&mut next, changes)?;
        self.doc = next;
        Ok(())
    }

    /// As [`apply_changes`](Self::apply_changes) without its copy: after an error the record may
    /// have some of the changes, and is to be discarded.
    ///
    /// # Errors
    /// A change cannot be applied.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn apply_or_discard(&mut self, changes: Vec<Change>) -> Result<(), LoadError> {
        apply(&mut self.doc, changes)
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

/// Applies changes, all of whose dependencies must be present.
fn apply(doc: &mut Automerge, changes: Vec<Change>) -> Result<(), LoadError> {
    let hashes: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
    doc.apply_changes(changes).map_err(|error| LoadError::Unreadable(error.to_string()))?;
    // Automerge reports success for queued changes too: check that all are in the graph.
    let applied = hashes.iter().all(|hash| doc.get_change_meta_by_hash(hash).is_some());
    if applied { Ok(()) } else { Err(LoadError::Incomplete) }
}
