//! The result of checking one requirement.

use super::terms::Answer;
use super::view::Evidence;
use crate::record::terms::Grade;

/// When a planned visit would no longer fail a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextLawful {
    /// It does not prevent the visit.
    DoesNotStop,
    /// Waiting does not help: a missing entry prevents the visit at any time.
    NeedsEntry,
    /// From this time on, as far as this requirement goes.
    At(i64),
    /// No time is known.
    Never,
}

/// The result of checking one requirement.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) answer: Answer,
    pub(super) reason: &'static str,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) grade: Option<Grade>,
    pub(super) next: NextLawful,
}

impl NextLawful {
    /// When neither of two requirements fails any more.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::At(one), Self::At(two)) => Self::At(one.max(two)),
            (Self::At(at), _) | (_, Self::At(at)) => Self::At(at),
            (Self::NeedsEntry, _) | (_, Self::NeedsEntry) => Self::NeedsEntry,
            (Self::DoesNotStop, Self::DoesNotStop) => Self::DoesNotStop,
        }
    }
}

impl Finding {
    fn new(answer: Answer, reason: &'static str) -> Self {
        Self {
            answer,
            reason,
            params: Vec::new(),
            evidence: Vec::new(),
            grade: None,
            next: NextLawful::DoesNotStop,
        }
    }
    pub(super) fn pass(reason: &'static str) -> Self {
        Self::new(Answer::Pass, reason)
    }
    pub(super) fn fail(reason: &'static str) -> Self {
        Self::new(Answer::Fail, reason)
    }
    pub(super) fn unknown(reason: &'static str) -> Self {
        Self::new(Answer::Unknown, reason)
    }
    pub(super) fn not_applicable(reason: &'static str) -> Self {
        Self::new(Answer::NotApplicable, reason)
    }
    pub(super) fn with_param(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name, value.to_string()));
        self
    }
    pub(super) fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }
    pub(super) fn with_grade(mut self, grade: impl Into<Option<Grade>>) -> Self {
        self.grade = grade.into();
        self
    }
    pub(super) fn with_next(mut self, next: NextLawful) -> Self {
        self.next = next;
        self
    }

    /// Combines two findings: the worse answer with the weaker evidence grade.
    pub(super) fn and(mut self, other: Self) -> Self {
        let answer = self.answer.and(other.answer);
        let take_other =
            answer != self.answer || (self.answer == other.answer && self.reason.is_empty());
        let next = self.next.and(other.next);
        let grade = match (self.answer == answer, other.answer == answer) {
            (true, true) => match (self.grade, other.grade) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
            (true, false) => self.grade,
            (false, _) => other.grade,
        };
        let mut evidence = std::mem::take(&mut self.evidence);
        evidence.extend(other.evidence.iter().cloned());
        evidence.sort_unstable();
        evidence.dedup();
        let (reason, params) =
            if take_other { (other.reason, other.params) } else { (self.reason, self.params) };
        Self { answer, reason, params, evidence, grade, next }
    }
}
