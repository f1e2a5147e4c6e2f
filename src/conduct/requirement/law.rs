//! Decent conduct, retention, plans and payment channels.

use crate::conduct::context::{EvalContext, evidence, optional_evidence};
use crate::conduct::finding::Finding;
use crate::record::terms::{
    AttachmentKind, CheckAnswer, CheckItem, Disposition, Flag, Grade, OptionKind, ReviewStatus,
};

/// No violence, threats or abuse. The program can only check for a complaint, a recording and a
/// review.
pub(super) fn decent(context: &EvalContext<'_>) -> Finding {
    let view = context.view;
    if view.visit.arrived_at.is_none() && view.contacts.is_empty() {
        return Finding::not_applicable("no_contacts");
    }
    let complained = view.case.flags.iter().any(|raised| raised.flag == Flag::Complaint)
        || view.talk.disposition == Some(Disposition::Complaint);
    if complained {
        return Finding::unknown("complaint_open")
            .with_evidence(evidence("case.flags.complaint", ""));
    }
    let recording = view
        .attachments
        .iter()
        .find(|attachment| attachment.kind == AttachmentKind::Audio)
        .map(|_| Grade::DeviceCaptured);
    let attested = match context.check(CheckItem::VisitRecorded) {
        Some((CheckAnswer::Yes, grade, _)) => Some(grade),
        Some((CheckAnswer::No | CheckAnswer::NotPossible, ..)) | None => None,
    };
    let Some(grade) = recording.max(attested) else {
        return Finding::unknown("no_recording")
            .with_evidence(evidence("checks.visit_recorded", ""));
    };
    let reviewed = view.review.status == ReviewStatus::Accepted;
    let found = if reviewed {
        Finding::pass("reviewed").with_grade(grade)
    } else {
        Finding::unknown("not_reviewed")
    };
    found.with_evidence(evidence("review.status", view.review.status))
}

/// Records are retained long enough.
pub(super) fn retention(context: &EvalContext<'_>, months: i64) -> Finding {
    match context.facts.retention_months {
        None => Finding::unknown("retention_unknown"),
        Some(kept) if kept >= months => Finding::pass("kept").with_grade(Grade::Attested),
        Some(_) => Finding::fail("kept_too_short").with_grade(Grade::Attested),
    }
    .with_param("months", months)
    .with_evidence(optional_evidence("retention", context.facts.retention_months))
}

/// No plan is too long.
pub(super) fn plan_length(context: &EvalContext<'_>, months: i64) -> Finding {
    let options = &context.view.talk.options;
    options
        .iter()
        .map(|option| {
            let path = format!("talk.options.{}.term_months", option.id);
            let evidence = evidence(path, option.term_months);
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
            .with_evidence(evidence)
            .with_param("months", months)
            .with_grade(Grade::Attested)
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::not_applicable("no_options"))
}

/// Lower case, character by character: `str::to_lowercase` depends on the position of a letter.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Payments are not made through these channels.
pub(super) fn channels(context: &EvalContext<'_>, forbidden: &[String]) -> Finding {
    context
        .view
        .payments
        .iter()
        .map(|payment| {
            let channel = folded(payment.channel.trim());
            let evidence = evidence(format!("payments.{}.channel", payment.id), &payment.channel);
            if channel.is_empty() {
                Finding::unknown("channel_unknown")
            } else if forbidden.iter().any(|word| channel.contains(&folded(word))) {
                Finding::fail("forbidden_channel").with_param("channel", &payment.channel)
            } else {
                Finding::pass("allowed_channel")
            }
            .with_evidence(evidence)
            .with_grade(Grade::Attested)
        })
        .reduce(Finding::and)
        .unwrap_or_else(|| Finding::not_applicable("no_payments"))
}
