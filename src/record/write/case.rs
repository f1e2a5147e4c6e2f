//! The case, its phone numbers and the assignment: written by the office.

use automerge::transaction::Transactable;
use automerge::{ROOT, ReadDoc, ScalarValue};

use super::{RecordWriter, check, container, wrong};
use crate::ids::RecordId;
use crate::record::CommandError;
use crate::record::authority::WriteOp;
use crate::record::command::{AssignmentPatch, CasePatch};

impl RecordWriter<'_, '_> {
    /// Writes the identity of a new record.
    pub(in crate::record) fn init(
        &mut self,
        id: RecordId,
        case_no: &str,
    ) -> Result<(), CommandError> {
        if case_no.trim().is_empty() || case_no.len() > 400 {
            return Err(wrong(&["case_no"], "a case number has 1 to 400 bytes"));
        }
        self.tx.put(ROOT, "id", id.to_string())?;
        self.tx.put(ROOT, "case_no", case_no)?;
        Ok(())
    }

    pub(in crate::record) fn case(&mut self, patch: &CasePatch) -> Result<(), CommandError> {
        let texts = [
            ("borrower_name", &patch.borrower_name),
            ("address", &patch.address),
            ("product", &patch.product),
            ("currency", &patch.currency),
            ("due_date", &patch.due_date),
            ("last_payment_date", &patch.last_payment_date),
            ("preferred_language", &patch.preferred_language),
            ("zone", &patch.zone),
            ("note", &patch.note),
        ];
        for (key, value) in texts {
            self.put_some(&["case", key], value.as_deref())?;
        }
        let numbers = [
            ("principal", patch.principal),
            ("overdue", patch.overdue),
            ("days_past_due", patch.days_past_due),
        ];
        for (key, value) in numbers {
            self.put_some(&["case", key], value)?;
        }
        self.put_some(&["case", "position", "lat"], patch.lat)?;
        self.put_some(&["case", "position", "lon"], patch.lon)?;
        patch.phones.as_ref().map_or(Ok(()), |phones| self.phones(phones))
    }

    pub(super) fn phones(&mut self, phones: &[String]) -> Result<(), CommandError> {
        let list = container(&["case", "phones"])?;
        let row = self.authorize(&["case", "phones", "#"], WriteOp::Update)?;
        let held: Vec<String> = self
            .tx
            .values(list)
            .filter_map(|(value, _)| value.as_str().map(str::to_owned))
            .collect();
        if held == phones {
            return Ok(());
        }
        for _ in &held {
            self.tx.delete(list, 0)?;
        }
        for (index, phone) in phones.iter().enumerate() {
            let value = ScalarValue::from(phone.as_str());
            check(row, &["case", "phones"], &value)?;
            self.tx.insert(list, index, value)?;
        }
        Ok(())
    }

    pub(in crate::record) fn assignment(
        &mut self,
        patch: &AssignmentPatch,
    ) -> Result<(), CommandError> {
        if let Some(collectors) = &patch.collectors {
            let held: Vec<String> =
                self.tx.keys(container(&["assignment", "collectors"])?).collect();
            for gone in held.iter().filter(|user| !collectors.contains(user)) {
                self.remove(&["assignment", "collectors", gone])?;
            }
            for user in collectors {
                self.put(&["assignment", "collectors", user], true)?;
            }
        }
        self.put_some(&["assignment", "due_by"], patch.due_by.as_deref())?;
        self.put_some(&["assignment", "priority"], patch.priority)?;
        self.put_some(&["assignment", "instructions"], patch.instructions.as_deref())?;
        self.put_some(&["assignment", "policy"], patch.policy.as_deref())
    }
}
