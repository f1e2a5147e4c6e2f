//! Evaluates every rule of the selected layers and computes when a visit would be lawful.

use super::answers;
use super::context::{self, EvalContext, EvalInput};
use super::finding::{Finding, NextLawful};
use super::limits;
use super::policy::{Layer, Rule};
use super::requirement;
use super::select::SelectedLayers;
use super::terms::{Answer, LegalStatus, Moment, Scope, Severity, Verdict};
use super::view::{ConductView, RuleAnswer};
use crate::record::command::NewEvaluation;
use crate::record::terms::ConductKind;
use crate::record::view::VisitView;

/// Bound on the search for the earliest lawful time. Each iteration passes at least one window,
/// day or hold, and there are far fewer of those.
const MAX_ITERATIONS: usize = 500;

/// Evaluates the rules on a record.
pub fn evaluate(selected: &SelectedLayers<'_>, input: &EvalInput<'_>) -> ConductView {
    let skew = input.facts.skew_ms.or_else(|| stored_skew(input.view));
    let now = input.at.saturating_sub(skew.unwrap_or(0));
    let planned = context::planned_at(input.view, now);
    let evaluator = Evaluator { selected, input, skew, max_age: selected.max_age() };
    let answers = evaluator.answers(now, planned);
    let needs_reason = needs_reason(&answers);
    let (verdict, next_lawful_at) = match input.moment {
        Moment::Before => evaluator.verdict(now, planned, &answers),
        Moment::Arrival | Moment::After => (Verdict::Go, None),
    };
    ConductView {
        moment: input.moment,
        verdict,
        at: input.at,
        corrected_at: skew.map(|_| now),
        planned_at: planned,
        next_lawful_at,
        policy: selected.name(),
        unknown_layers: selected.unknown.clone(),
        needs_reason,
        answers,
        limits: limits::limits(selected, input.zone.and_then(|zone| zone.day(planned))),
    }
}

impl ConductView {
    /// The rules that prevent departure now, in order.
    pub fn stopping(&self) -> impl Iterator<Item = &RuleAnswer> {
        self.answers.iter().filter(|answer| answer.stops)
    }

    /// The evaluation to store in the record; `None` if the last one of this moment is the same.
    pub fn new_evaluation(&self, view: &VisitView, skew: Option<i64>) -> Option<NewEvaluation> {
        let answers = answers::encode(&self.answers);
        let last = view.conduct.iter().rev().find(|entry| {
            entry.kind == ConductKind::Evaluation && entry.moment == Some(self.moment)
        });
        let same = last.is_some_and(|last| last.policy == self.policy && last.answers == answers);
        (!same).then(|| NewEvaluation {
            at: self.at,
            policy: self.policy.clone(),
            moment: self.moment,
            answers,
            skew,
        })
    }
}

/// The clock skew stored with the last evaluation of the phone.
fn stored_skew(view: &VisitView) -> Option<i64> {
    view.conduct.iter().rev().find_map(|entry| entry.skew)
}

fn needs_reason(answers: &[RuleAnswer]) -> Vec<String> {
    let waiting = |answer: &&RuleAnswer| {
        answer.stops && answer.severity == Severity::Warn && answer.overridden.is_empty()
    };
    answers.iter().filter(waiting).map(|answer| answer.rule.clone()).collect()
}

struct Evaluator<'a> {
    selected: &'a SelectedLayers<'a>,
    input: &'a EvalInput<'a>,
    skew: Option<i64>,
    max_age: Option<i64>,
}

impl<'a> Evaluator<'a> {
    fn rules(&self) -> impl Iterator<Item = (&'a Layer, &'a Rule)> {
        let layers = self.selected.layers.iter().copied();
        layers.flat_map(|layer| layer.rules.iter().map(move |rule| (layer, rule)))
    }

    fn context(&self, layer: &'a Layer, rule: &'a Rule, now: i64, planned: i64) -> EvalContext<'a> {
        EvalContext {
            view: self.input.view,
            moment: self.input.moment,
            zone: self.input.zone.filter(|zone| !zone.spans.is_empty()),
            facts: self.input.facts,
            calendar: self.selected.calendar(layer),
            rule,
            clock_correction: self.skew.unwrap_or(0),
            now,
            planned,
            max_age: self.max_age,
        }
    }

    fn answers(&self, now: i64, planned: i64) -> Vec<RuleAnswer> {
        let answer = |(layer, rule): (&'a Layer, &'a Rule)| {
            let corrected = self.context(layer, rule, now, planned);
            let found = self.check_both_clocks(&corrected);
            self.answer(layer, &corrected, found)
        };
        self.rules().map(answer).collect()
    }

    /// Evaluates a rule by the device's and by the office's clock. If they disagree, the answer is
    /// unknown.
    fn check_both_clocks(&self, corrected: &EvalContext<'a>) -> Finding {
        let found = find(corrected);
        let Some(skew) = self.skew.filter(|skew| *skew != 0) else { return found };
        let at = self.input.at;
        let as_written = EvalContext {
            clock_correction: 0,
            now: at,
            planned: context::planned_at(self.input.view, at),
            ..*corrected
        };
        if find(&as_written).answer == found.answer {
            return found;
        }
        // A failure by the office's clock still prevents departure.
        let stops = found.answer == Answer::Fail;
        let mut unsure = found;
        unsure.answer = Answer::Unknown;
        unsure.reason = "clock_uncertain";
        unsure.next = if stops { unsure.next } else { NextLawful::DoesNotStop };
        unsure.with_param("skew_s", skew / 1000)
    }

    fn answer(&self, layer: &Layer, context: &EvalContext<'_>, found: Finding) -> RuleAnswer {
        let rule = context.rule;
        let shadow = rule.status == LegalStatus::Draft;
        let enforced = match rule.severity {
            Severity::Block | Severity::Warn => rule.scope != Scope::Call && !shadow,
            Severity::EvidenceGap => false,
        };
        let overridden = context
            .entries(ConductKind::Override)
            .filter(|entry| entry.rule == rule.id)
            .last()
            .map(|entry| entry.note.clone());
        RuleAnswer {
            rule: rule.id.clone(),
            layer: layer.id.clone(),
            title: rule.title.clone(),
            answer: found.answer,
            severity: rule.severity,
            scope: rule.scope,
            status: rule.status,
            confidence: rule.confidence,
            citation: rule.citation.clone(),
            shadow,
            stops: enforced && found.next != NextLawful::DoesNotStop,
            consent: rule.consent,
            overridden: overridden.unwrap_or_default(),
            grade: found.grade.filter(|_| known(found.answer)),
            reason_code: found.reason.to_owned(),
            params: found
                .params
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            evidence: found.evidence,
        }
    }

    /// Whether to depart, and the earliest lawful time: repeats the latest time that any preventing
    /// rule asks for, until none does.
    fn verdict(&self, now: i64, planned: i64, answers: &[RuleAnswer]) -> (Verdict, Option<i64>) {
        let stopped = answers.iter().any(|answer| {
            answer.stops && (answer.severity == Severity::Block || answer.overridden.is_empty())
        });
        if !stopped {
            return (Verdict::Go, Some(planned));
        }
        let mut at = planned;
        for _ in 0..MAX_ITERATIONS {
            match self.next_lawful(now, at) {
                NextLawful::DoesNotStop => return (Verdict::WaitUntil, Some(at)),
                NextLawful::NeedsEntry => return (Verdict::Dont, Some(at)),
                NextLawful::At(later) if later > at => at = later,
                NextLawful::At(_) | NextLawful::Never => return (Verdict::Dont, None),
            }
        }
        (Verdict::Dont, None)
    }

    /// The next lawful time for a visit planned at `at`, over all rules that prevent it.
    fn next_lawful(&self, now: i64, at: i64) -> NextLawful {
        let mut next = NextLawful::DoesNotStop;
        for (layer, rule) in self.rules() {
            let context = self.context(layer, rule, now, at);
            let found = find(&context);
            let wait = found.next;
            if !self.answer(layer, &context, found).stops || self.has_reason(rule) {
                continue;
            }
            next = next.and(wait);
        }
        next
    }

    fn has_reason(&self, rule: &Rule) -> bool {
        rule.severity == Severity::Warn
            && self
                .input
                .view
                .conduct
                .iter()
                .any(|entry| entry.kind == ConductKind::Override && entry.rule == rule.id)
    }
}

/// Checks all requirements of a rule.
fn find(context: &EvalContext<'_>) -> Finding {
    let day_of = context.visit_from().unwrap_or(context.now);
    // Calls are checked one by one: the rule may have been in force when they were made.
    if !context.in_force(day_of) && context.contacts().next().is_none() {
        return Finding::not_applicable("not_in_force");
    }
    let findings = context.rule.requirements.iter().map(|one| requirement::check(one, context));
    findings.reduce(Finding::and).unwrap_or_else(|| Finding::not_applicable("other_moment"))
}

fn known(answer: Answer) -> bool {
    match answer {
        Answer::Pass | Answer::Fail => true,
        Answer::Unknown | Answer::NotApplicable => false,
    }
}
