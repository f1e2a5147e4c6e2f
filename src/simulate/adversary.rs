//! A collector with a cracked phone: enrolled, signed in, and writing what no phone of ours would
//! write (rules M9 and M10). Everything it sends is well formed; only what it means is not.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, AutomergeError, Change, ROOT, ReadDoc, ScalarValue};

use super::faults::Fault;
use super::oracle::{Step, Violation, violation};
use super::world::{World, failed};
use crate::ids::{DeviceId, RecordId, actor};
use crate::office::Session;
use crate::record::Record;
use crate::record::terms::{Disposition, Role};
use crate::sync::message::{Outcome, Packed, Push, Request};

/// The cracked phone's device id: no simulated device has it.
const DEVICE: DeviceId = DeviceId([0xee; 16]);

impl World<'_> {
    /// Now and then a cracked phone tries its luck with one of the records.
    pub(super) fn adversary(&mut self) -> Step {
        if self.inject(Fault::Backdated) {
            self.forge_backdated()?;
        }
        if self.inject(Fault::HalfSealed) {
            self.forge_half_seal()?;
        }
        Ok(())
    }

    /// Open-phase work on the state from before the seal must not move a record under its seal.
    fn forge_backdated(&mut self) -> Step {
        let Some((id, record)) = self.some_record(|record| record.stage().is_sealed())? else {
            return Ok(());
        };
        let Some(user) = self.some_collector(&record) else { return Ok(()) };
        let Some(before) = before_the_seal(&record) else { return Ok(()) };
        let word = self.mark("liar");
        let change = self.forged(before, &user, |tx| {
            let (_, talk) = tx.get(ROOT, "talk")?.ok_or(AutomergeError::Fail)?;
            tx.put(&talk, "disposition", Disposition::Rtp.as_str())?;
            let (_, notes) = tx.get(ROOT, "notes")?.ok_or(AutomergeError::Fail)?;
            tx.splice_text(&notes, 0, 0, &word)
        });
        self.log(format!("{user} backdates {word} into {id}"));
        self.push_forged(id, &user, change)?;
        let after = self.office_record(id)?;
        if after.heads() != record.heads() && after.stage().is_sealed() {
            return violation("M9", format!("{word} moved {id} under its seal"));
        }
        Ok(())
    }

    /// The time alone, beside a colleague's name, must not count as a seal.
    fn forge_half_seal(&mut self) -> Step {
        let other = |record: &Record, user: &str| {
            record.view().seal.is_some_and(|seal| !seal.by.is_empty() && seal.by != user)
        };
        let open = |record: &Record| !record.stage().is_sealed() && record.view().seal.is_some();
        let Some((id, record)) = self.some_record(open)? else { return Ok(()) };
        let Some(user) = self.some_collector(&record).filter(|user| other(&record, user)) else {
            return Ok(());
        };
        let at = self.moment();
        let change = self.forged(record.document().clone(), &user, |tx| {
            let (_, seal) = tx.get(ROOT, "seal")?.ok_or(AutomergeError::Fail)?;
            tx.put(&seal, "at", ScalarValue::Timestamp(at))
        });
        self.log(format!("{user} writes the time of a seal into {id}"));
        self.push_forged(id, &user, change)?;
        let after = self.office_record(id)?;
        if after.stage().is_sealed() && other(&after, &user) {
            return violation("M10", format!("{user} sealed {id} under a colleague's name"));
        }
        Ok(())
    }

    /// Pushes a forged change in a round of its own; the caller looks at the record.
    fn push_forged(&mut self, id: RecordId, user: &str, change: Vec<u8>) -> Step {
        let session = Session { user: user.to_owned(), role: Role::Collector, device: DEVICE };
        let push = vec![Push { record: id, changes: vec![Packed::plain(&change)] }];
        let request = Request { push, max_bytes: 16 * 1024, ..Request::default() };
        let at = self.some_endpoint();
        let office = self.endpoints[at].office.clone();
        let reply = self.fixture.runtime.block_on(office.handle_sync(&session, request));
        let reply = reply.map_err(|error| failed("M2", error))?;
        match reply.results.as_slice() {
            [Outcome::Refused { quarantine: 1.., .. } | Outcome::Merged { .. }] => Ok(()),
            other => violation("M4", format!("what was forged is not kept: {other:?}")),
        }
    }

    fn some_record(
        &mut self,
        fit: impl Fn(&Record) -> bool,
    ) -> Result<Option<(RecordId, Record)>, Violation> {
        let from = self.rng.usize(0..self.records.len());
        for at in 0..self.records.len() {
            let id = self.records[(from + at) % self.records.len()];
            let record = self.office_record(id)?;
            if fit(&record) {
                return Ok(Some((id, record)));
            }
        }
        Ok(None)
    }

    /// One of those who have the record in their feed.
    fn some_collector(&mut self, record: &Record) -> Option<String> {
        let id = record.id()?;
        let members = self.office().store().read_with(|reads| reads.collectors(id)).ok()?;
        (!members.is_empty()).then(|| members[self.rng.usize(0..members.len())].clone())
    }

    fn forged(
        &mut self,
        mut doc: Automerge,
        user: &str,
        write: impl FnOnce(&mut automerge::transaction::Transaction<'_>) -> Result<(), AutomergeError>,
    ) -> Vec<u8> {
        doc.set_actor(actor(DEVICE, self.rng.u64(1..1 << 52)));
        let options = CommitOptions::default()
            .with_message(user.to_owned())
            .with_time(self.now().div_euclid(1000));
        let done = doc.transact_with::<_, _, AutomergeError, _>(|()| options, write);
        let hash = done.ok().and_then(|done| done.hash);
        let change = hash.and_then(|hash| doc.get_change_by_hash(&hash));
        change.map_or_else(Vec::new, |change| change.raw_bytes().to_vec())
    }
}

/// The record as it was before the change that sealed it.
fn before_the_seal(record: &Record) -> Option<Automerge> {
    let doc = record.document();
    let (_, seal) = doc.get(ROOT, "seal").ok()??;
    let (_, at) = doc.get(&seal, "at").ok()??;
    let sealing = doc.hash_for_opid(&at)?;
    let mut older = Record::blank();
    let earlier: Vec<Change> =
        doc.get_changes(&[]).into_iter().take_while(|change| change.hash() != sealing).collect();
    older.apply_changes(earlier).ok()?;
    Some(older.document().clone())
}
