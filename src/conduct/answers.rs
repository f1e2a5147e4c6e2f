//! The compact encoding of answers in a record.
//!
//! `!CN-04 ?CN-06 ~!IN-01V`: failed, unknown, failed in shadow. Rules not named passed or were not
//! applicable; evaluating the same state with the same policy tells which.

use super::terms::Answer;
use super::view::RuleAnswer;

/// Encodes answers for the record.
pub fn encode(answers: &[RuleAnswer]) -> String {
    let word = |answer: &RuleAnswer| {
        let mark = match answer.answer {
            Answer::Fail => "!",
            Answer::Unknown => "?",
            Answer::Pass | Answer::NotApplicable => return None,
        };
        let shadow = if answer.shadow { "~" } else { "" };
        Some(format!("{shadow}{mark}{}", answer.rule))
    };
    answers.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

/// One decoded answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer<'t> {
    /// The rule.
    pub rule: &'t str,
    /// `fail` or `unknown`.
    pub answer: Answer,
    /// In shadow.
    pub shadow: bool,
}

/// Decodes answers; unknown forms are skipped.
pub fn decode(text: &str) -> Vec<RecordedAnswer<'_>> {
    let kept = |word: &'_ str| -> Option<(usize, Answer, bool)> {
        let (rest, shadow) = word.strip_prefix('~').map_or((word, false), |rest| (rest, true));
        let answer = match rest.chars().next()? {
            '!' => Answer::Fail,
            '?' => Answer::Unknown,
            _ => return None,
        };
        Some((word.len() - rest.len() + 1, answer, shadow))
    };
    text.split_whitespace()
        .filter_map(|word| {
            let (at, answer, shadow) = kept(word)?;
            Some(RecordedAnswer { rule: word.get(at..)?, answer, shadow })
        })
        .collect()
}
