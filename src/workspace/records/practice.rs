//! The practice workspace: invented records and no office.

use std::collections::BTreeSet;

use super::entry::RecordEntry;
use crate::ids::{DeviceId, RecordId, actor};
use crate::record::command::{AssignmentPatch, CasePatch};
use crate::record::terms::Role;
use crate::record::{Author, CommandError, Record};
use crate::vault::Vault;
use crate::workspace::output::{Row, Table};
use crate::workspace::storage::loading;
use crate::workspace::{Identity, LoadedRecord, StoreError, Workspace};

/// The device that wrote the invented records.
const PRACTICE_OFFICE: DeviceId = DeviceId([0; 16]);

impl Workspace {
    /// A workspace over a store of its own that never sends a request.
    ///
    /// # Errors
    /// The store was written by a newer program.
    pub fn for_practice(
        identity: Identity,
        vault: Vault,
        meta: &[Row],
        records: &[Row],
        outbox: &[Row],
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let mut workspace = Self::from_rows(identity, vault, meta, records, outbox)?;
        workspace.link.disable();
        workspace.advance(now_ms);
        workspace.read_records();
        Ok(workspace)
    }

    /// Adds an invented record.
    ///
    /// # Errors
    /// A value is out of its bounds.
    pub fn add_practice_record(
        &mut self,
        id: RecordId,
        case_no: &str,
        case: &CasePatch,
        assignment: &AssignmentPatch,
        now_ms: i64,
    ) -> Result<(), CommandError> {
        let author = Author {
            actor: actor(PRACTICE_OFFICE, 1),
            user: "practice".to_owned(),
            role: Role::Supervisor,
            now_ms,
            zone: case.zone.clone().unwrap_or_default(),
        };
        let record = Record::create(id, case_no, case, assignment, &author)?;
        let mut entry = RecordEntry::new(id);
        entry.update_from(&record, &self.identity.user);
        entry.confirmed = entry.heads.clone();
        self.journal.put(Table::Records, id.to_string(), entry.encode());
        let mut loaded = LoadedRecord { record, chunks: BTreeSet::new(), pins: 0, used: 0 };
        loading::compact(&mut self.journal, &self.vault, id, &mut loaded);
        self.records.insert(id, entry);
        self.loaded.insert(id, loaded);
        self.advance(now_ms);
        Ok(())
    }
}
