//! Entries of `conduct`. They are written once and never change.

use std::collections::BTreeMap;

use automerge::ScalarValue;
use sha2::{Digest as _, Sha256};

use super::{RecordWriter, time, wrong};
use crate::ids::hex;
use crate::record::command::{NewConsent, NewEvaluation, NewWish};
use crate::record::error::CommandError;
use crate::record::terms::{ConductKind, Grade, NoticeAbout};

/// Bytes of an evaluation's id.
const NAME: usize = 8;

impl RecordWriter<'_, '_> {
    /// Stores an evaluation of the record as it was before this change.
    pub(in crate::record) fn evaluation(
        &mut self,
        evaluation: &NewEvaluation,
    ) -> Result<(), CommandError> {
        let heads = self.heads_before();
        let mut hasher = Sha256::new();
        // Unique: actors are not shared, and a session evaluates each state once per moment.
        hasher.update(self.author.actor.to_bytes());
        heads.as_slice().iter().for_each(|head| hasher.update(head.0));
        hasher.update(evaluation.moment.as_str());
        let id = hex(hasher.finalize().get(..NAME).unwrap_or_default());
        let mut fields = vec![
            ("policy", evaluation.policy.as_str().into()),
            ("moment", evaluation.moment.as_str().into()),
            ("heads", heads.to_hex().join(" ").into()),
            ("answers", evaluation.answers.as_str().into()),
        ];
        fields.extend(evaluation.skew.map(|skew| ("skew", skew.into())));
        self.conduct(&id, ConductKind::Evaluation, evaluation.at, fields)
    }

    /// A consent of the borrower.
    pub(super) fn consent(&mut self, consent: &NewConsent) -> Result<(), CommandError> {
        if consent.until <= consent.from {
            return Err(wrong(&["conduct", &consent.id, "until"], "ends before it begins"));
        }
        let fields = vec![
            ("rule", consent.rule.as_str().into()),
            ("from", time(consent.from)),
            ("until", time(consent.until)),
            ("grade", consent.grade.as_str().into()),
            ("note", consent.note.as_str().into()),
        ];
        self.conduct(&consent.id, ConductKind::Consent, consent.at, fields)
    }

    /// Withdraws a consent.
    pub(super) fn withdrawal(&mut self, id: &str, of: &str, at: i64) -> Result<(), CommandError> {
        let given = self.view_before().conduct;
        if !given.iter().any(|entry| entry.kind == ConductKind::Consent && entry.id == of) {
            return Err(CommandError::Missing { path: format!("conduct.{of}") });
        }
        self.conduct(id, ConductKind::Withdrawal, at, vec![("of", of.into())])
    }

    /// Stores the reason for continuing despite a warning.
    pub(super) fn override_warning(
        &mut self,
        id: &str,
        rule: &str,
        reason: &str,
        at: i64,
    ) -> Result<(), CommandError> {
        if reason.trim().is_empty() {
            return Err(wrong(&["conduct", id, "note"], "give a reason for continuing"));
        }
        let fields = vec![("rule", rule.into()), ("note", reason.into())];
        self.conduct(id, ConductKind::Override, at, fields)
    }

    /// Stores that the borrower was informed.
    pub(super) fn notice(
        &mut self,
        id: &str,
        about: NoticeAbout,
        at: i64,
        grade: Grade,
        note: &str,
    ) -> Result<(), CommandError> {
        let fields = vec![
            ("about", about.as_str().into()),
            ("grade", grade.as_str().into()),
            ("note", note.into()),
        ];
        self.conduct(id, ConductKind::Notice, at, fields)
    }

    /// Stores a time or place that the borrower objects to.
    pub(super) fn wish(&mut self, wish: &NewWish) -> Result<(), CommandError> {
        if wish.ends <= wish.starts {
            return Err(wrong(&["conduct", &wish.id, "ends"], "ends before it begins"));
        }
        let mut fields = vec![
            ("days", wish.days.into()),
            ("starts", wish.starts.into()),
            ("ends", wish.ends.into()),
            ("note", wish.note.as_str().into()),
        ];
        fields.extend(wish.place.map(|place| ("place", place.as_str().into())));
        self.conduct(&wish.id, ConductKind::Wish, wish.at, fields)
    }

    /// Updates the counts over the other records of the case. Only differences are written.
    pub(in crate::record) fn summarize(
        &mut self,
        as_of: i64,
        counts: &BTreeMap<String, i64>,
    ) -> Result<(), CommandError> {
        let at = "contact_summary";
        let held = self.view_before().case.contact_summary.unwrap_or_default();
        for gone in held.counts.iter().filter(|held| !counts.contains_key(&held.name)) {
            self.remove(&["case", at, &gone.name])?;
        }
        for (name, count) in counts {
            if !held.counts.iter().any(|held| held.name == *name && held.count == *count) {
                self.put(&["case", at, name], *count)?;
            }
        }
        self.put(&["case", at, "as_of"], time(as_of))
    }

    fn conduct(
        &mut self,
        id: &str,
        kind: ConductKind,
        at: i64,
        mut fields: Vec<(&str, ScalarValue)>,
    ) -> Result<(), CommandError> {
        fields.push(("kind", kind.as_str().into()));
        fields.push(("at", time(at)));
        fields.push(("by", self.author.user.as_str().into()));
        self.entry(&["conduct", id], &fields)
    }
}
