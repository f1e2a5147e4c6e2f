//! A workspace to practise in: made-up records, and no office that anything could be sent to.

use std::collections::BTreeSet;

use super::held::Held;
use super::output::{Output, Row, Table};
use super::vault::Vault;
use super::{Identity, Loaded, StoreError, Workspace, loading};
use crate::ids::{DeviceId, RecordId, actor};
use crate::record::command::{AssignmentPatch, CasePatch};
use crate::record::terms::Role;
use crate::record::{Author, CommandError, Record};

/// The office that made the records up.
const NOBODY: DeviceId = DeviceId([0; 16]);

impl Workspace {
    /// A workspace over the rows of a store of its own that never asks for a request, whatever
    /// happens in it.
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
        workspace.link.cut();
        workspace.settle(now_ms);
        Ok(workspace)
    }

    /// Adds a made-up record.
    ///
    /// # Errors
    /// A value is out of its bounds.
    pub fn make_up(
        &mut self,
        id: RecordId,
        case_no: &str,
        case: &CasePatch,
        assignment: &AssignmentPatch,
        now_ms: i64,
    ) -> Result<(), CommandError> {
        let author = Author {
            actor: actor(NOBODY, 1),
            user: "practice".to_owned(),
            role: Role::Supervisor,
            now_ms,
            zone: case.zone.clone().unwrap_or_default(),
        };
        let record = Record::create(id, case_no, case, assignment, &author)?;
        let mut held = Held::new(id);
        held.describe(&record, &self.identity.user);
        held.confirmed = held.heads.clone();
        self.journal.put(Table::Records, id.to_string(), held.encode());
        let mut loaded = Loaded { record, chunks: BTreeSet::new(), pins: 0, used: 0 };
        loading::rewrite(&mut self.journal, &self.vault, id, &mut loaded);
        self.held.insert(id, held);
        self.loaded.insert(id, loaded);
        self.outputs.push_back(Output::ListChanged);
        self.settle(now_ms);
        Ok(())
    }
}
