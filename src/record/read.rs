//! Builds the view and the list summary of a document.

use automerge::{Automerge, ReadDoc};

use super::command::{Position, PromiseToPay};
use super::reader::{EntryReader, Reader};
use super::terms::{
    AppointmentStatus, AttachmentKind, Channel, CheckAnswer, CheckItem, ConductKind,
    ContactOutcome, Disposition, Flag, Grade, Moment, NoticeAbout, OptionKind, OverdueReason,
    PlaceType, ProposedBy, ReviewStatus, TargetRole, Willingness,
};
use super::view::{
    AmendmentView, AppointmentView, AssignmentView, AttachmentView, CaseView, CheckView,
    ConductEntry, ContactCount, ContactSummary, ContactView, FlagView, OptionView, PaymentView,
    ReviewView, SealView, TalkView, VisitFactsView, VisitSummary, VisitView,
};
use super::{conflict, genesis, signature, stage, steps};
use crate::ids::Heads;

/// All content of a document as plain values.
pub(super) fn view(doc: &Automerge) -> VisitView {
    let read = Reader::new(doc, None);
    let mut view = VisitView {
        schema: read.integer(&[], "schema").unwrap_or(0),
        id: read.text(&[], "id"),
        case_no: read.text(&[], "case_no"),
        heads: Heads::new(doc.get_heads()).to_hex(),
        stage: stage::of(doc, None),
        case: case(&read),
        assignment: assignment(&read),
        contacts: contacts(&read),
        appointment: appointment(&read),
        visit: visit(&read),
        checks: checks(&read),
        talk: talk(&read),
        payments: payments(&read),
        notes: read.merged_text("notes"),
        feedback: read.merged_text("feedback"),
        attachments: attachments(&read),
        seal: seal(&read),
        amendments: amendments(&read),
        review: review(&read),
        conduct: conduct(&read),
        conflicts: conflict::conflicts(doc),
        steps: Vec::new(),
    };
    view.steps = steps::steps(&view);
    view
}

/// The list summary of a view.
pub(super) fn summary(view: &VisitView) -> VisitSummary {
    let mut holds: Vec<Flag> = view.case.flags.iter().map(|raised| raised.flag).collect();
    holds.dedup();
    VisitSummary {
        id: view.id.clone(),
        case_no: view.case_no.clone(),
        borrower_name: view.case.borrower_name.clone(),
        address: view.case.address.clone(),
        product: view.case.product.clone(),
        overdue: view.case.overdue,
        currency: view.case.currency.clone(),
        days_past_due: view.case.days_past_due,
        stage: view.stage,
        starts_at: view.appointment.starts_at,
        ends_at: view.appointment.ends_at,
        appointment_status: view.appointment.status,
        due_by: view.assignment.due_by.clone(),
        priority: view.assignment.priority,
        disposition: view.talk.disposition,
        review_status: view.review.status,
        holds,
        conflicts: i64::try_from(view.conflicts.len()).unwrap_or(i64::MAX),
        collectors: view.assignment.collectors.clone(),
    }
}

fn case(read: &Reader<'_>) -> CaseView {
    let at = &["case"];
    let phones = genesis::container(&["case", "phones"])
        .map(|list| {
            read.doc
                .values(list)
                .filter_map(|(value, _)| value.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    CaseView {
        borrower_name: read.text(at, "borrower_name"),
        phones,
        address: read.text(at, "address"),
        lat: read.float(&["case", "position"], "lat"),
        lon: read.float(&["case", "position"], "lon"),
        product: read.text(at, "product"),
        principal: read.integer(at, "principal"),
        overdue: read.integer(at, "overdue").unwrap_or(0),
        currency: read.text(at, "currency"),
        days_past_due: read.integer(at, "days_past_due").unwrap_or(0),
        due_date: read.text(at, "due_date"),
        last_payment_date: read.text(at, "last_payment_date"),
        preferred_language: read.text(at, "preferred_language"),
        zone: read.text(at, "zone"),
        note: read.text(at, "note"),
        flags: flags(read),
        contact_summary: contact_summary(read),
    }
}

fn contact_summary(read: &Reader<'_>) -> Option<ContactSummary> {
    let at = &["case", "contact_summary"];
    let count = |name: String| {
        let count = read.integer(at, &name)?;
        Some(ContactCount { name, count })
    };
    Some(ContactSummary {
        as_of: read.time(at, "as_of")?,
        counts: read.keys(at).into_iter().filter_map(count).collect(),
    })
}

fn flags(read: &Reader<'_>) -> Vec<FlagView> {
    let raised = |flag: &Flag| {
        let path = ["case", "flags", flag.as_str()];
        let strictest = |(by, entry): (String, EntryReader<'_>)| {
            // Of concurrent values the longest hold counts: raising a hold again on old
            // dependencies must not shorten it (rule M9).
            let all = read.concurrent(&path, &by);
            let untils: Vec<Option<i64>> = all.iter().map(|entry| entry.time("until")).collect();
            FlagView {
                flag: *flag,
                by,
                since: all.iter().filter_map(|entry| entry.time("since")).min().unwrap_or(0),
                until: if untils.contains(&None) {
                    None
                } else {
                    untils.into_iter().flatten().max()
                },
                note: entry.text("note"),
            }
        };
        read.entries(&path).into_iter().map(strictest).collect::<Vec<_>>()
    };
    Flag::ALL.iter().flat_map(raised).collect()
}

fn assignment(read: &Reader<'_>) -> AssignmentView {
    let at = &["assignment"];
    AssignmentView {
        collectors: read.keys(&["assignment", "collectors"]),
        due_by: read.text(at, "due_by"),
        priority: read.integer(at, "priority").unwrap_or(2),
        instructions: read.text(at, "instructions"),
        policy: read.text(at, "policy"),
    }
}

fn contacts(read: &Reader<'_>) -> Vec<ContactView> {
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        Some(ContactView {
            id,
            at: entry.time("at")?,
            zone: entry.text("zone"),
            channel: entry.enumerated("channel", Channel::parse)?,
            number_ref: entry.text("number_ref"),
            target_role: entry.enumerated("target_role", TargetRole::parse)?,
            outcome: entry.enumerated("outcome", ContactOutcome::parse)?,
            note: entry.text("note"),
            by: entry.text("by"),
        })
    };
    read.entries_by("at", &["contacts"]).into_iter().filter_map(entry).collect()
}

fn appointment(read: &Reader<'_>) -> AppointmentView {
    let at = &["appointment"];
    AppointmentView {
        starts_at: read.time(at, "starts_at"),
        ends_at: read.time(at, "ends_at"),
        zone: read.text(at, "zone"),
        place: read.text(at, "place"),
        status: read.enumerated(at, "status", AppointmentStatus::parse),
        proposed_by: read.enumerated(at, "proposed_by", ProposedBy::parse),
        borrower_remark: read.text(at, "borrower_remark"),
    }
}

fn visit(read: &Reader<'_>) -> VisitFactsView {
    let at = &["visit"];
    let place = &["visit", "position"];
    let position = || {
        Some(Position {
            lat: read.float(place, "lat")?,
            lon: read.float(place, "lon")?,
            accuracy_m: read.float(place, "accuracy_m")?,
            at: read.time(place, "at")?,
        })
    };
    VisitFactsView {
        departed_at: read.time(at, "departed_at"),
        arrived_at: read.time(at, "arrived_at"),
        talk_from: read.time(at, "talk_from"),
        talk_to: read.time(at, "talk_to"),
        left_at: read.time(at, "left_at"),
        asked_to_leave_at: read.time(at, "asked_to_leave_at"),
        zone: read.text(at, "zone"),
        position: position(),
        place_type: read.enumerated(at, "place_type", PlaceType::parse),
        visitors: read.keys(&["visit", "visitors"]),
        person_met: read.enumerated(at, "person_met", TargetRole::parse),
    }
}

fn checks(read: &Reader<'_>) -> Vec<CheckView> {
    let of_item = |item: &CheckItem| {
        let answer = |(by, entry): (String, EntryReader<'_>)| {
            Some(CheckView {
                item: *item,
                by,
                answer: entry.enumerated("answer", CheckAnswer::parse)?,
                at: entry.time("at")?,
                grade: entry.enumerated("grade", Grade::parse)?,
                reason: entry.text("reason"),
            })
        };
        read.entries(&["checks", item.as_str()]).into_iter().filter_map(answer).collect::<Vec<_>>()
    };
    CheckItem::ALL.iter().flat_map(of_item).collect()
}

fn talk(read: &Reader<'_>) -> TalkView {
    let at = &["talk"];
    let promised = &["talk", "promise"];
    let promise = || {
        Some(PromiseToPay {
            amount: read.integer(promised, "amount")?,
            due_date: read.text(promised, "due_date"),
            channel: read.text(promised, "channel"),
        })
    };
    let option = |(id, entry): (String, EntryReader<'_>)| {
        Some(OptionView {
            id,
            kind: entry.enumerated("kind", OptionKind::parse)?,
            instalments: entry.integer("instalments").unwrap_or(0),
            first_due: entry.text("first_due"),
            amount: entry.integer("amount").unwrap_or(0),
            term_months: entry.integer("term_months").unwrap_or(0),
            offered_by: entry.text("offered_by"),
        })
    };
    TalkView {
        overdue_reason: read.enumerated(at, "overdue_reason", OverdueReason::parse),
        overdue_reason_text: read.text(at, "overdue_reason_text"),
        willingness: read.enumerated(at, "willingness", Willingness::parse),
        options: read.entries(&["talk", "options"]).into_iter().filter_map(option).collect(),
        chosen_option: Some(read.text(at, "chosen_option")).filter(|id| !id.is_empty()),
        promise: promise(),
        disposition: read.enumerated(at, "disposition", Disposition::parse),
    }
}

fn payments(read: &Reader<'_>) -> Vec<PaymentView> {
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        Some(PaymentView {
            id,
            amount: entry.integer("amount").unwrap_or(0),
            at: entry.time("at")?,
            channel: entry.text("channel"),
            reference: entry.text("reference"),
            receipt: entry.text("receipt"),
            by: entry.text("by"),
        })
    };
    read.entries_by("at", &["payments"]).into_iter().filter_map(entry).collect()
}

fn attachments(read: &Reader<'_>) -> Vec<AttachmentView> {
    let entry = |(sha256, entry): (String, EntryReader<'_>)| {
        Some(AttachmentView {
            sha256,
            media_type: entry.text("media_type"),
            size: entry.integer("size").unwrap_or(0),
            taken_at: entry.time("taken_at")?,
            kind: entry.enumerated("kind", AttachmentKind::parse)?,
            caption: entry.text("caption"),
            by: entry.text("by"),
        })
    };
    read.entries_by("taken_at", &["attachments"]).into_iter().filter_map(entry).collect()
}

fn seal(read: &Reader<'_>) -> Option<SealView> {
    let at = &["seal"];
    let sealed_at = read.time(at, "at")?;
    let heads: Vec<String> = read.text(at, "heads").split_whitespace().map(str::to_owned).collect();
    let sealed = signature::named(read.doc, &heads);
    Some(SealView {
        at: sealed_at,
        by: read.text(at, "by"),
        device: read.text(at, "device"),
        changed: sealed.is_none_or(|heads| signature::content_changed(read.doc, &heads)),
        heads,
        signatures: signature::signatures(read.doc),
    })
}

fn amendments(read: &Reader<'_>) -> Vec<AmendmentView> {
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        Some(AmendmentView {
            id,
            at: entry.time("at")?,
            by: entry.text("by"),
            path: entry.text("path"),
            text: entry.text("text"),
        })
    };
    read.entries_by("at", &["amendments"]).into_iter().filter_map(entry).collect()
}

fn conduct(read: &Reader<'_>) -> Vec<ConductEntry> {
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        Some(ConductEntry {
            id,
            kind: entry.enumerated("kind", ConductKind::parse)?,
            at: entry.time("at")?,
            by: entry.text("by"),
            policy: entry.text("policy"),
            moment: entry.enumerated("moment", Moment::parse),
            heads: entry.text("heads").split_whitespace().map(str::to_owned).collect(),
            answers: entry.text("answers"),
            skew: entry.integer("skew"),
            rule: entry.text("rule"),
            note: entry.text("note"),
            from: entry.time("from"),
            until: entry.time("until"),
            grade: entry.enumerated("grade", Grade::parse),
            of: entry.text("of"),
            about: entry.enumerated("about", NoticeAbout::parse),
            days: entry.integer("days").unwrap_or(0),
            starts: entry.integer("starts").unwrap_or(0),
            ends: entry.integer("ends").unwrap_or(0),
            place: entry.enumerated("place", PlaceType::parse),
        })
    };
    read.entries_by("at", &["conduct"]).into_iter().filter_map(entry).collect()
}

fn review(read: &Reader<'_>) -> ReviewView {
    let at = &["review"];
    ReviewView {
        status: read.enumerated(at, "status", ReviewStatus::parse).unwrap_or(ReviewStatus::Pending),
        remark: read.text(at, "remark"),
        by: read.text(at, "by"),
        at: read.time(at, "at"),
    }
}
