//! What a judgement depends on, and the state that it is made against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use automerge::ChangeHash;

use crate::ids::{DeviceId, Heads, RecordId};
use crate::office::Session;
use crate::office::change::ChangeMeta;
use crate::office::merge::StoredState;
use crate::office::store::{
    Proposal, QuarantineFilter, QuarantineState, QuarantinedWork, Reads, StoreError, StoredRecord,
};
use crate::record::{Record, genesis};
use crate::sync::chunk;
use crate::sync::message::{Revocation, Tables};
use crate::sync::packed::{self, Packed, Prefix, Unpackable};

/// Which facts a judgement depends on, besides the work itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::office) enum Scope<'s> {
    /// Work of the office: the record, and the proposal that it carries out.
    Office(Option<u64>),
    /// A device's own work: membership, keys and revocation too. The record's existence is hidden
    /// from users who never had it.
    Device(&'s Session),
    /// A state that the office attested to a user: as for `Device`, with nothing hidden.
    Attested(&'s Session),
    /// Quarantined work with this number: its decisions, and the keys of its device; and the
    /// proposal to accept it.
    Quarantined(u64, Option<u64>),
}

/// The facts themselves: while they stay the same, so does the judgement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::office) struct Basis {
    /// The heads of the office's copy; `None` where there is none, or it is hidden.
    pub(in crate::office) heads: Option<Heads>,
    /// How the sender is related to the record.
    pub(in crate::office) membership: Membership,
    /// The keys that the device has enrolled.
    pub(in crate::office) keys: Vec<[u8; 32]>,
    /// Why the sender may not work any more.
    pub(in crate::office) revocation: Option<Revocation>,
    /// The proposal that is carried out.
    pub(in crate::office) proposal: Option<Proposal>,
    /// The state of the quarantined work.
    quarantined: Option<QuarantineBasis>,
}

/// A user's relation to a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::office) struct Membership {
    /// The record is in the user's feed.
    pub(in crate::office) in_feed: bool,
    /// The user is one of its collectors; it may have expired from the feed (rule F5).
    pub(in crate::office) assigned: bool,
    /// It is or was in the user's feed.
    pub(in crate::office) ever_in_feed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct QuarantineBasis {
    state: QuarantineState,
    exported: Option<u64>,
    earlier: Option<u64>,
}

impl Basis {
    /// Announces the reads of [`read`](Self::read).
    pub(in crate::office) fn announce(reads: &mut dyn Reads, record: RecordId, scope: Scope<'_>) {
        if let Scope::Device(session) | Scope::Attested(session) = scope {
            drop(reads.collectors(record));
            drop(reads.assigned(record));
            drop(reads.entry_at(&session.user, record, u64::MAX));
            drop(reads.device_keys(session.device));
            drop(reads.device(session.device));
            drop(reads.user(&session.user));
        }
        drop(reads.heads(record));
    }

    /// Reads the facts, without the document.
    pub(in crate::office) fn read(
        reads: &mut dyn Reads,
        record: RecordId,
        scope: Scope<'_>,
    ) -> Result<Self, StoreError> {
        let mut basis = Self::default();
        match scope {
            Scope::Office(proposal) => basis.proposal = read_proposal(reads, proposal)?,
            Scope::Device(session) | Scope::Attested(session) => {
                basis.membership = Membership::read(reads, &session.user, record)?;
                basis.keys = reads.device_keys(session.device)?;
                basis.revocation = revocation(reads, &session.user, session.device)?;
            }
            Scope::Quarantined(number, proposal) => {
                basis.proposal = read_proposal(reads, proposal)?;
                let Some(work) = reads.quarantined(number)? else { return Ok(basis) };
                basis.keys = reads.device_keys(work.refused.device)?;
                let earlier = earlier_undecided(reads, &work)?;
                let QuarantinedWork { state, exported, .. } = work;
                basis.quarantined = Some(QuarantineBasis { state, exported, earlier });
            }
        }
        let hidden = matches!(scope, Scope::Device(_)) && !basis.membership.ever_in_feed;
        basis.heads = if hidden { None } else { reads.heads(record)? };
        Ok(basis)
    }

    /// The number of undecided work of the same device and record that the quarantined work builds
    /// on, if there is any.
    pub(in crate::office) fn earlier_undecided(&self) -> Option<u64> {
        self.quarantined.as_ref().and_then(|quarantined| quarantined.earlier)
    }
}

fn read_proposal(
    reads: &mut dyn Reads,
    number: Option<u64>,
) -> Result<Option<Proposal>, StoreError> {
    number.map_or(Ok(None), |number| reads.proposal(number))
}

impl Membership {
    fn read(reads: &mut dyn Reads, user: &str, record: RecordId) -> Result<Self, StoreError> {
        let names = |names: Vec<String>| names.iter().any(|name| name == user);
        let in_feed = names(reads.collectors(record)?);
        let assigned = in_feed || names(reads.assigned(record)?);
        let ever_in_feed = in_feed || reads.entry_at(user, record, u64::MAX)?.is_some();
        Ok(Self { in_feed, assigned, ever_in_feed })
    }
}

/// Whether a device was revoked, or its user disabled (rule F4).
pub(in crate::office) fn revocation(
    reads: &mut dyn Reads,
    user: &str,
    device: DeviceId,
) -> Result<Option<Revocation>, StoreError> {
    if reads.device(device)?.is_some_and(|device| device.revoked_at.is_some()) {
        return Ok(Some(Revocation::DeviceRevoked));
    }
    let disabled = reads.user(user)?.is_some_and(|user| user.disabled_at.is_some());
    Ok(disabled.then_some(Revocation::UserDisabled))
}

fn earlier_undecided(
    reads: &mut dyn Reads,
    work: &QuarantinedWork,
) -> Result<Option<u64>, StoreError> {
    let filter = QuarantineFilter {
        state: Some(QuarantineState::Open),
        device: Some(work.refused.device),
        record: Some(work.refused.record),
        before: Some(work.id),
        limit: 1,
        ..QuarantineFilter::default()
    };
    Ok(reads.quarantine(&filter)?.0.first().map(|earlier| earlier.id))
}

/// The state that work on a record is judged against, read from one snapshot.
#[derive(Debug)]
pub(in crate::office) struct LoadedRecord {
    pub(in crate::office) record: RecordId,
    pub(in crate::office) basis: Basis,
    /// The office's copy; `None` where there is none, or it is hidden.
    pub(in crate::office) stored: Option<StoredRecord>,
    /// Its document, if it is in memory.
    pub(in crate::office) document: Option<Arc<Record>>,
    /// Its changes, in the order of acceptance.
    pub(in crate::office) changes: Vec<ChangeMeta>,
    /// The work itself, where the scope is quarantined work.
    pub(in crate::office) quarantined: Option<QuarantinedWork>,
}

impl LoadedRecord {
    pub(in crate::office) fn read(
        reads: &mut dyn Reads,
        record: RecordId,
        scope: Scope<'_>,
    ) -> Result<Self, StoreError> {
        reads.prefetch(&mut |reads| {
            Basis::announce(reads, record, scope);
            drop(reads.record(record));
            drop(reads.change_metas(record));
        });
        let basis = Basis::read(reads, record, scope)?;
        let quarantined = match scope {
            Scope::Quarantined(number, _) => reads.quarantined(number)?,
            Scope::Office(_) | Scope::Device(_) | Scope::Attested(_) => None,
        };
        let (stored, changes) = match basis.heads {
            Some(_) => (reads.record(record)?, reads.change_metas(record)?),
            None => (None, Vec::new()),
        };
        Ok(Self { record, basis, stored, document: None, changes, quarantined })
    }

    /// The office's copy, as the judge takes it.
    pub(in crate::office) fn state(&self) -> Option<StoredState<'_>> {
        let stored = self.stored.as_ref()?;
        let loaded = self.document.as_deref();
        Some(StoredState { changes: &self.changes, document: &stored.document, loaded })
    }

    /// Whether the office has every one of these chunks.
    pub(in crate::office) fn has_all(&self, chunks: &[Vec<u8>]) -> bool {
        let hashes: BTreeSet<ChangeHash> = self.changes.iter().map(|change| change.hash).collect();
        chunks.iter().all(|bytes| hashes.contains(&chunk::hash(bytes)))
    }

    /// Heads that the sender may be told: none once the record has left the sender's feed, since
    /// they would show that it changed.
    pub(in crate::office) fn visible_heads(&self) -> Heads {
        let heads = self.basis.heads.clone().filter(|_| self.basis.membership.in_feed);
        heads.unwrap_or_default()
    }

    /// An honest device builds on what it has. A former member that does not may be probing.
    pub(in crate::office) fn log_if_former_member(&self, session: &Session) {
        if self.basis.heads.is_some() && !self.basis.membership.in_feed {
            tracing::warn!(device = %session.device, "unknown dependency in a withdrawn record");
        }
    }

    /// Unpacks stripped changes; dependencies are resolved among the office's changes.
    pub(in crate::office) fn unpack(
        &self,
        changes: &[Packed],
        tables: &Tables,
    ) -> Result<Vec<Vec<u8>>, Unpackable> {
        let hashes = self.changes.iter().map(|change| change.hash).chain([genesis::hash()]);
        // Of two hashes with the same prefix the first is meant.
        let by_prefix: BTreeMap<Prefix, ChangeHash> =
            hashes.rev().map(|hash| (packed::prefix(&hash), hash)).collect();
        packed::unpack(changes, tables, |prefix| by_prefix.get(prefix).copied())
    }
}
