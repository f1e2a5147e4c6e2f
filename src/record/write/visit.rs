//! Facts of the visit that have one value each: appointment, visit, talk, promise.

use automerge::ScalarValue;

use super::{RecordWriter, wrong};
use crate::record::CommandError;
use crate::record::command::{AppointmentPatch, PromiseToPay, TalkPatch, VisitPatch};
use crate::record::schema::{PROMISE, WINDOW};

impl RecordWriter<'_, '_> {
    pub(super) fn appointment(&mut self, patch: &AppointmentPatch) -> Result<(), CommandError> {
        if let (Some(starts), Some(ends)) = (patch.starts_at, patch.ends_at)
            && ends <= starts
        {
            return Err(wrong(&["appointment", "ends_at"], "ends before it starts"));
        }
        let given = |ms: Option<i64>| ms.map(ScalarValue::Timestamp);
        if patch.starts_at.is_some() || patch.ends_at.is_some() {
            let zone = Some(self.author.zone.as_str().into());
            self.group(&WINDOW, &[given(patch.starts_at), given(patch.ends_at), zone])?;
        }
        self.put_some(&["appointment", "place"], patch.place.as_deref())?;
        let proposed_by = patch.proposed_by.map(|side| side.as_str());
        self.put_some(&["appointment", "proposed_by"], proposed_by)?;
        self.put_some(&["appointment", "borrower_remark"], patch.borrower_remark.as_deref())
    }

    pub(super) fn visit(&mut self, patch: &VisitPatch) -> Result<(), CommandError> {
        let times = [
            ("talk_from", patch.talk_from),
            ("talk_to", patch.talk_to),
            ("left_at", patch.left_at),
            ("asked_to_leave_at", patch.asked_to_leave_at),
        ];
        for (key, value) in times {
            self.put_some(&["visit", key], value.map(ScalarValue::Timestamp))?;
        }
        self.put_some(&["visit", "place_type"], patch.place_type.map(|place| place.as_str()))?;
        self.put_some(&["visit", "person_met"], patch.person_met.map(|person| person.as_str()))?;
        if let Some(user) = &patch.add_visitor {
            self.put(&["visit", "visitors", user], true)?;
        }
        patch
            .remove_visitor
            .as_ref()
            .map_or(Ok(()), |user| self.remove(&["visit", "visitors", user]))
    }

    pub(super) fn visit_zone(&mut self) -> Result<(), CommandError> {
        self.put(&["visit", "zone"], self.author.zone.as_str())
    }

    pub(super) fn talk(&mut self, patch: &TalkPatch) -> Result<(), CommandError> {
        let reason = patch.overdue_reason.map(|reason| reason.as_str());
        self.put_some(&["talk", "overdue_reason"], reason)?;
        self.put_some(&["talk", "overdue_reason_text"], patch.overdue_reason_text.as_deref())?;
        self.put_some(&["talk", "willingness"], patch.willingness.map(|word| word.as_str()))?;
        self.put_some(&["talk", "disposition"], patch.disposition.map(|word| word.as_str()))
    }

    /// Clears one field; entries have their own commands.
    pub(super) fn clear(&mut self, path: &str) -> Result<(), CommandError> {
        let segments: Vec<&str> = path.split('.').collect();
        match segments.as_slice() {
            ["appointment" | "visit" | "talk", _] | ["visit", "position", _] => {
                self.remove(&segments)
            }
            _ => Err(wrong(&segments, "this field cannot be cleared")),
        }
    }

    pub(super) fn promise(&mut self, promise: Option<&PromiseToPay>) -> Result<(), CommandError> {
        let Some(promise) = promise else {
            return ["amount", "due_date", "channel"]
                .iter()
                .try_for_each(|key| self.remove(&["talk", "promise", key]));
        };
        if promise.due_date.is_empty() {
            return Err(wrong(&["talk", "promise", "due_date"], "a promise has a date"));
        }
        let PromiseToPay { amount, due_date, channel } = promise;
        let values = [(*amount).into(), due_date.as_str().into(), channel.as_str().into()];
        self.group(&PROMISE, &values.map(Some))
    }
}
