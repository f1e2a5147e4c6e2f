//! How an evaluation is written into a record: short, since it travels.
//!
//! `!CN-04 ?CN-06 ~!IN-01V`: failed, unknown, failed in shadow. What is not named passed, or had
//! nothing to say; which of the two follows from the record's state and the policy's version.

use super::terms::Answer;
use super::view::RuleAnswer;

/// Answers as they are kept.
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

/// One kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer<'t> {
    /// The rule.
    pub rule: &'t str,
    /// `fail` or `unknown`.
    pub answer: Answer,
    /// In shadow.
    pub shadow: bool,
}

/// Answers that were kept; words of a form that is not known are left out.
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
