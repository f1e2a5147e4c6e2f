//! Contacts with third parties.

use crate::conduct::context::{EvalContext, evidence, optional_evidence};
use crate::conduct::finding::Finding;
use crate::record::terms::{Channel, ContactOutcome, Flag, Grade, TargetRole};
use crate::record::view::ContactView;

/// Whether the borrower could be reached.
enum Reach {
    Unreachable,
    Reachable,
    /// Other records of the case may contain further calls.
    Unclear,
}

/// Third parties are contacted only if the borrower is unreachable or dead.
pub(super) fn third_party(context: &EvalContext<'_>, failures: i64) -> Finding {
    reached_first(context, failures, &Finding::pass("deceased").with_grade(Grade::Attested))
}

/// Third parties are contacted only after the failures that make the borrower unreachable.
pub(super) fn unreachable(context: &EvalContext<'_>, failures: i64) -> Finding {
    reached_first(context, failures, &Finding::not_applicable("deceased"))
}

/// A third party who refused is not contacted again.
pub(super) fn refusal(context: &EvalContext<'_>) -> Finding {
    let others: Vec<(i64, &ContactView)> = to_others(context).collect();
    let Some((refused, first)) =
        others.iter().find(|(_, contact)| contact.outcome == ContactOutcome::Refused)
    else {
        return Finding::not_applicable("nobody_refused");
    };
    let refusal = evidence(format!("contacts.{}", first.id), first.outcome);
    let again =
        others.iter().find(|(at, contact)| at > refused && contact.number_ref == first.number_ref);
    match again {
        Some((_, again)) if again.number_ref.is_empty() => Finding::unknown("perhaps_another"),
        Some((_, again)) => Finding::fail("contacted_again")
            .with_evidence(evidence(format!("contacts.{}", again.id), again.at)),
        None => Finding::pass("left_alone"),
    }
    .with_evidence(refusal)
    .with_grade(Grade::Attested)
}

/// Whether the borrower was unreachable at each contact with a third party. `deceased` is the
/// finding if the borrower was dead by then.
fn reached_first(context: &EvalContext<'_>, failures: i64, deceased: &Finding) -> Finding {
    to_others(context)
        .map(|(at, contact)| {
            let found = match context.hold(&[Flag::Deceased], at) {
                Some(_) => deceased.clone(),
                None => reach_as(context, at, failures),
            };
            found.with_evidence(evidence(format!("contacts.{}", contact.id), contact.outcome))
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::not_applicable("nobody_else"))
}

fn to_others<'q>(context: &EvalContext<'q>) -> impl Iterator<Item = (i64, &'q ContactView)> {
    context.contacts().filter(|(_, contact)| contact.target_role == TargetRole::ThirdParty)
}

fn reach_as(context: &EvalContext<'_>, at: i64, failures: i64) -> Finding {
    match reach(context, at, failures) {
        Reach::Unreachable => Finding::pass("unreachable"),
        Reach::Reachable => Finding::fail("reachable"),
        Reach::Unclear => Finding::unknown("reach_unclear").with_evidence(optional_evidence(
            "case.contact_summary.as_of",
            context.view.case.contact_summary.as_ref().map(|summary| summary.as_of),
        )),
    }
    .with_param("failures", failures)
    .with_grade(Grade::Attested)
}

/// Whether the borrower was unreachable before a time: an invalid number, or consecutive failed
/// calls.
fn reach(context: &EvalContext<'_>, at: i64, failures: i64) -> Reach {
    let tries: Vec<&ContactView> = context
        .contacts()
        .filter(|(tried, contact)| {
            let call = contact.channel == Channel::Call;
            *tried < at && call && contact.target_role != TargetRole::ThirdParty
        })
        .map(|(_, contact)| contact)
        .collect();
    if tries.iter().any(|contact| contact.outcome == ContactOutcome::InvalidNumber) {
        return Reach::Unreachable;
    }
    let mut in_a_row = 0;
    let mut reached = false;
    for contact in tries.iter().rev() {
        match contact.outcome {
            ContactOutcome::NoAnswer | ContactOutcome::Busy => in_a_row += 1,
            ContactOutcome::Reached | ContactOutcome::Refused => {
                reached = true;
                break;
            }
            ContactOutcome::LeftMessage | ContactOutcome::Sent | ContactOutcome::InvalidNumber => {}
        }
    }
    if in_a_row >= failures {
        return Reach::Unreachable;
    }
    let summary = context.view.case.contact_summary.as_ref();
    let elsewhere = summary.is_none_or(|summary| {
        !context.office_knows(at, Some(summary.as_of))
            || summary.counts.iter().any(|count| count.name.starts_with("calls."))
    });
    // A conversation makes earlier calls in other records irrelevant.
    if elsewhere && !reached { Reach::Unclear } else { Reach::Reachable }
}
