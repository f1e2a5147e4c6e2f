//! What one duty finds.

use super::terms::Answer;
use super::view::Evidence;
use crate::record::terms::Grade;

/// When a planned visit would no longer fail a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextLawful {
    /// It does not stop the visit.
    DoesNotStop,
    /// Waiting does not help: it stops the visit until something is written down, at any time.
    NeedsEntry,
    /// From this time on, as far as this duty goes.
    At(i64),
    /// No time is known.
    Never,
}

/// What one duty finds.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) answer: Answer,
    pub(super) reason: &'static str,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) grade: Option<Grade>,
    pub(super) next: NextLawful,
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

    /// Both of two duties: the worse answer speaks, and the weaker evidence carries it.
    pub(super) fn and(mut self, other: Self) -> Self {
        let answer = self.answer.and(other.answer);
        let other_speaks =
            answer != self.answer || (self.answer == other.answer && self.reason.is_empty());
        let next = match (self.next, other.next) {
            (NextLawful::Never, _) | (_, NextLawful::Never) => NextLawful::Never,
            (NextLawful::At(one), NextLawful::At(two)) => NextLawful::At(one.max(two)),
            (NextLawful::At(at), _) | (_, NextLawful::At(at)) => NextLawful::At(at),
            (NextLawful::NeedsEntry, _) | (_, NextLawful::NeedsEntry) => NextLawful::NeedsEntry,
            (NextLawful::DoesNotStop, NextLawful::DoesNotStop) => NextLawful::DoesNotStop,
        };
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
        evidence.sort();
        evidence.dedup();
        let (reason, params) =
            if other_speaks { (other.reason, other.params) } else { (self.reason, self.params) };
        Self { answer, reason, params, evidence, grade, next }
    }
}
