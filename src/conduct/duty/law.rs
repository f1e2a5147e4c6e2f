//! Manner, money, plans, and how long records are kept.

use crate::conduct::finding::Finding;
use crate::conduct::scene::{Scene, seen, seen_or_not};
use crate::record::terms::{
    AttachmentKind, CheckAnswer, CheckItem, Disposition, Flag, Grade, OptionKind, ReviewStatus,
};

/// No violence, threats or abuse. A program cannot hear a threat: what it can say is whether
/// somebody complained, whether there is a recording, and whether a person has reviewed it.
pub(super) fn decent(scene: &Scene<'_>) -> Finding {
    let view = scene.view;
    if view.visit.arrived_at.is_none() && view.contacts.is_empty() {
        return Finding::aside("no_contacts");
    }
    let complained = view.case.flags.iter().any(|raised| raised.flag == Flag::Complaint)
        || view.talk.disposition == Some(Disposition::Complaint);
    if complained {
        return Finding::unknown("complaint_open").saw(seen("case.flags.complaint", ""));
    }
    let recording = view
        .attachments
        .iter()
        .find(|attachment| attachment.kind == AttachmentKind::Audio)
        .map(|_| Grade::DeviceCaptured);
    let attested = match scene.check(CheckItem::VisitRecorded) {
        Some((CheckAnswer::Yes, grade, _)) => Some(grade),
        Some((CheckAnswer::No | CheckAnswer::NotPossible, ..)) | None => None,
    };
    let Some(grade) = recording.max(attested) else {
        return Finding::unknown("no_recording").saw(seen("checks.visit_recorded", ""));
    };
    let reviewed = view.review.status == ReviewStatus::Accepted;
    let found = if reviewed {
        Finding::pass("reviewed").graded(grade)
    } else {
        Finding::unknown("not_reviewed")
    };
    found.saw(seen("review.status", view.review.status))
}

/// Records are kept long enough.
pub(super) fn retention(scene: &Scene<'_>, months: i64) -> Finding {
    match scene.known.kept_months {
        None => Finding::unknown("retention_unknown"),
        Some(kept) if kept >= months => Finding::pass("kept").graded(Grade::Attested),
        Some(_) => Finding::fail("kept_too_short").graded(Grade::Attested),
    }
    .with("months", months)
    .saw(seen_or_not("retention", scene.known.kept_months))
}

/// No plan is too long.
pub(super) fn plan_length(scene: &Scene<'_>, months: i64) -> Finding {
    let options = &scene.view.talk.options;
    options
        .iter()
        .map(|option| {
            let path = format!("talk.options.{}.term_months", option.id);
            let evidence = seen(path, option.term_months);
            let spread = match option.kind {
                OptionKind::Instalments => true,
                OptionKind::FullPayment
                | OptionKind::PartialPayment
                | OptionKind::Deferral
                | OptionKind::Settlement => false,
            };
            if option.term_months > months {
                Finding::fail("plan_too_long")
            } else if spread && option.term_months == 0 {
                Finding::unknown("term_unknown")
            } else {
                Finding::pass("plan_short_enough")
            }
            .saw(evidence)
            .with("months", months)
            .graded(Grade::Attested)
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::aside("no_options"))
}

/// A text without its case, letter by letter: unlike in `str::to_lowercase`, a letter is the same
/// wherever it stands.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Payments go through none of these channels.
pub(super) fn channels(scene: &Scene<'_>, forbidden: &[String]) -> Finding {
    scene
        .view
        .payments
        .iter()
        .map(|payment| {
            let channel = folded(payment.channel.trim());
            let evidence = seen(format!("payments.{}.channel", payment.id), &payment.channel);
            if channel.is_empty() {
                Finding::unknown("channel_unknown")
            } else if forbidden.iter().any(|word| channel.contains(&folded(word))) {
                Finding::fail("forbidden_channel").with("channel", &payment.channel)
            } else {
                Finding::pass("allowed_channel")
            }
            .saw(evidence)
            .graded(Grade::Attested)
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::aside("no_payments"))
}
