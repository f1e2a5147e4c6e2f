//! Other people than the borrower.

use crate::conduct::finding::Finding;
use crate::conduct::scene::{Scene, seen, seen_or_not};
use crate::record::terms::{Channel, ContactOutcome, Flag, Grade, TargetRole};
use crate::record::view::ContactView;

/// Whether the borrower could be reached.
enum Reach {
    Unreachable,
    Reachable,
    /// Other records of the case may say otherwise.
    Unclear,
}

/// Others are contacted only where the borrower cannot be reached, or is dead.
pub(super) fn third_party(scene: &Scene<'_>, failures: i64) -> Finding {
    reached_first(scene, failures, &Finding::pass("deceased").graded(Grade::Attested))
}

/// Who counts as unreachable, where others are contacted for that reason.
pub(super) fn unreachable(scene: &Scene<'_>, failures: i64) -> Finding {
    reached_first(scene, failures, &Finding::aside("deceased"))
}

/// Somebody else who refused is left alone.
pub(super) fn refusal(scene: &Scene<'_>) -> Finding {
    let others: Vec<(i64, &ContactView)> = to_others(scene).collect();
    let Some((refused, first)) =
        others.iter().find(|(_, contact)| contact.outcome == ContactOutcome::Refused)
    else {
        return Finding::aside("nobody_refused");
    };
    let evidence = seen(format!("contacts.{}", first.id), first.outcome);
    let again =
        others.iter().find(|(at, contact)| at > refused && contact.number_ref == first.number_ref);
    match again {
        Some((_, again)) if again.number_ref.is_empty() => Finding::unknown("perhaps_another"),
        Some((_, again)) => {
            Finding::fail("contacted_again").saw(seen(format!("contacts.{}", again.id), again.at))
        }
        None => Finding::pass("left_alone"),
    }
    .saw(evidence)
    .graded(Grade::Attested)
}

/// Whether each contact with others came after the borrower could not be reached; what it comes to
/// where the borrower had died by then is given.
fn reached_first(scene: &Scene<'_>, failures: i64, deceased: &Finding) -> Finding {
    to_others(scene)
        .map(|(at, contact)| {
            let found = match scene.hold(&[Flag::Deceased], at) {
                Some(_) => deceased.clone(),
                None => reach_as(scene, at, failures),
            };
            found.saw(seen(format!("contacts.{}", contact.id), contact.outcome))
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::aside("nobody_else"))
}

fn to_others<'q>(scene: &Scene<'q>) -> impl Iterator<Item = (i64, &'q ContactView)> {
    scene.contacts().filter(|(_, contact)| contact.target_role == TargetRole::ThirdParty)
}

fn reach_as(scene: &Scene<'_>, at: i64, failures: i64) -> Finding {
    match reach(scene, at, failures) {
        Reach::Unreachable => Finding::pass("unreachable"),
        Reach::Reachable => Finding::fail("reachable"),
        Reach::Unclear => Finding::unknown("reach_unclear").saw(seen_or_not(
            "case.contact_summary.as_of",
            scene.view.case.contact_summary.as_ref().map(|summary| summary.as_of),
        )),
    }
    .with("failures", failures)
    .graded(Grade::Attested)
}

/// An invalid number, or so many failures in a row, before a time.
fn reach(scene: &Scene<'_>, at: i64, failures: i64) -> Reach {
    let tries: Vec<&ContactView> = scene
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
    let summary = scene.view.case.contact_summary.as_ref();
    let elsewhere = summary.is_none_or(|summary| {
        !scene.office_knows(at, Some(summary.as_of))
            || summary.counts.iter().any(|count| count.name.starts_with("calls."))
    });
    // The borrower talked on the phone: what other records say of earlier tries does not matter.
    if elsewhere && !reached { Reach::Unclear } else { Reach::Reachable }
}
