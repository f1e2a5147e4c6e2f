//! Asks every rule of the layers, and works out when a visit would be lawful.

use super::duty;
use super::entry;
use super::finding::{Finding, Next};
use super::limits;
use super::policy::{Layer, Rule};
use super::scene::{self, Question, Scene};
use super::select::Selected;
use super::terms::{Answer, LegalStatus, Moment, Scope, Severity, Verdict};
use super::view::{ConductView, RuleAnswer};
use crate::record::command::NewEvaluation;
use crate::record::terms::ConductKind;
use crate::record::view::VisitView;

/// How often the earliest lawful time is put off before none is said to be known. Every turn
/// passes at least one opening, day or hold, and all of them together are far fewer.
const TURNS: usize = 500;

/// What the layers say of a record.
pub fn evaluate(selected: &Selected<'_>, question: &Question<'_>) -> ConductView {
    let skew = question.known.skew_ms.or_else(|| skew_kept(question.view));
    let now = question.at.saturating_sub(skew.unwrap_or(0));
    let planned = scene::planned_at(question.view, now);
    let asker = Asker { selected, question, skew, max_age: selected.max_age() };
    let answers = asker.answers(now, planned);
    let needs_reason = needs_reason(&answers);
    let (verdict, next_lawful_at) = match question.moment {
        Moment::Before => asker.verdict(now, planned, &answers),
        Moment::Arrival | Moment::After => (Verdict::Go, None),
    };
    ConductView {
        moment: question.moment,
        verdict,
        at: question.at,
        corrected_at: skew.map(|_| now),
        planned_at: planned,
        next_lawful_at,
        policy: selected.name(),
        unknown_layers: selected.unknown.clone(),
        needs_reason,
        answers,
        limits: limits::limits(selected, question.zone.and_then(|zone| zone.day(planned))),
    }
}

impl ConductView {
    /// The rules that stop a departure now, in order.
    pub fn stopping(&self) -> impl Iterator<Item = &RuleAnswer> {
        self.answers.iter().filter(|answer| answer.stops)
    }

    /// As it is kept in a record; `None` where the same is the last thing kept of this moment.
    pub fn to_keep(&self, view: &VisitView, skew: Option<i64>) -> Option<NewEvaluation> {
        let answers = entry::write(&self.answers);
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

/// The skew that the phone kept with its last evaluation.
fn skew_kept(view: &VisitView) -> Option<i64> {
    view.conduct.iter().rev().find_map(|entry| entry.skew)
}

fn needs_reason(answers: &[RuleAnswer]) -> Vec<String> {
    let waits = |answer: &&RuleAnswer| {
        answer.stops && answer.severity == Severity::Warn && answer.overridden.is_empty()
    };
    answers.iter().filter(waits).map(|answer| answer.rule.clone()).collect()
}

struct Asker<'a> {
    selected: &'a Selected<'a>,
    question: &'a Question<'a>,
    skew: Option<i64>,
    max_age: Option<i64>,
}

impl<'a> Asker<'a> {
    fn rules(&self) -> impl Iterator<Item = (&'a Layer, &'a Rule)> {
        let layers = self.selected.layers.iter().copied();
        layers.flat_map(|layer| layer.rules.iter().map(move |rule| (layer, rule)))
    }

    fn scene(&self, layer: &'a Layer, rule: &'a Rule, now: i64, planned: i64) -> Scene<'a> {
        Scene {
            view: self.question.view,
            moment: self.question.moment,
            zone: self.question.zone.filter(|zone| !zone.spans.is_empty()),
            known: self.question.known,
            calendar: self.selected.calendar(layer),
            rule,
            shift: self.skew.unwrap_or(0),
            now,
            planned,
            max_age: self.max_age,
        }
    }

    fn answers(&self, now: i64, planned: i64) -> Vec<RuleAnswer> {
        let answer = |(layer, rule): (&'a Layer, &'a Rule)| {
            let corrected = self.scene(layer, rule, now, planned);
            let found = self.sure(&corrected);
            self.answer(layer, &corrected, found)
        };
        self.rules().map(answer).collect()
    }

    /// What a rule finds whichever clock is right; where the clocks disagree, nobody knows.
    fn sure(&self, corrected: &Scene<'a>) -> Finding {
        let found = find(corrected);
        let Some(skew) = self.skew.filter(|skew| *skew != 0) else { return found };
        let at = self.question.at;
        let as_written = Scene {
            shift: 0,
            now: at,
            planned: scene::planned_at(self.question.view, at),
            ..*corrected
        };
        if find(&as_written).answer == found.answer {
            return found;
        }
        // What stops the visit by the better clock goes on stopping it.
        let stops = found.answer == Answer::Fail;
        let mut unsure = found;
        unsure.answer = Answer::Unknown;
        unsure.reason = "clock_uncertain";
        unsure.next = if stops { unsure.next } else { Next::Indifferent };
        unsure.with("skew_s", skew / 1000)
    }

    fn answer(&self, layer: &Layer, scene: &Scene<'_>, found: Finding) -> RuleAnswer {
        let rule = scene.rule;
        let shadow = rule.status == LegalStatus::Draft;
        let bites = match rule.severity {
            Severity::Block | Severity::Warn => rule.scope != Scope::Call && !shadow,
            Severity::EvidenceGap => false,
        };
        let overridden = scene
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
            stops: bites && found.next != Next::Indifferent,
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

    /// Whether to go, and when: the fixed point of what every stopping rule puts the visit off to.
    fn verdict(&self, now: i64, planned: i64, answers: &[RuleAnswer]) -> (Verdict, Option<i64>) {
        let stopped = answers.iter().any(|answer| {
            answer.stops && (answer.severity == Severity::Block || answer.overridden.is_empty())
        });
        if !stopped {
            return (Verdict::Go, Some(planned));
        }
        let mut at = planned;
        for _ in 0..TURNS {
            match self.put_off(now, at) {
                Next::Indifferent => return (Verdict::WaitUntil, Some(at)),
                Next::WrittenDown => return (Verdict::Dont, Some(at)),
                Next::At(later) if later > at => at = later,
                Next::At(_) | Next::Never => return (Verdict::Dont, None),
            }
        }
        (Verdict::Dont, None)
    }

    /// To when the stopping rules put off a visit at a time.
    fn put_off(&self, now: i64, at: i64) -> Next {
        let mut next = Next::Indifferent;
        for (layer, rule) in self.rules() {
            let scene = self.scene(layer, rule, now, at);
            let found = find(&scene);
            let wait = found.next;
            if !self.answer(layer, &scene, found).stops || self.has_reason(rule) {
                continue;
            }
            next = match (next, wait) {
                (Next::Never, _) | (_, Next::Never) => Next::Never,
                (Next::At(one), Next::At(two)) => Next::At(one.max(two)),
                (Next::At(at), _) | (_, Next::At(at)) => Next::At(at),
                (Next::WrittenDown, _) | (_, Next::WrittenDown) => Next::WrittenDown,
                (Next::Indifferent, Next::Indifferent) => Next::Indifferent,
            };
        }
        next
    }

    fn has_reason(&self, rule: &Rule) -> bool {
        rule.severity == Severity::Warn
            && self
                .question
                .view
                .conduct
                .iter()
                .any(|entry| entry.kind == ConductKind::Override && entry.rule == rule.id)
    }
}

/// All duties of a rule together.
fn find(scene: &Scene<'_>) -> Finding {
    let day_of = scene.visit_from().unwrap_or(scene.now);
    // Calls are looked at one by one: the rule may have held when they were made.
    if !scene.in_force(day_of) && scene.contacts().next().is_none() {
        return Finding::aside("not_in_force");
    }
    let duties = scene.rule.duties.iter().map(|asked| duty::ask(asked, scene));
    duties.reduce(Finding::and).unwrap_or_else(|| Finding::aside("other_moment"))
}

fn known(answer: Answer) -> bool {
    match answer {
        Answer::Pass | Answer::Fail => true,
        Answer::Unknown | Answer::NotApplicable => false,
    }
}
