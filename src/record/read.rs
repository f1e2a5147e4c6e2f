//! Builds the view and the list summary of a document.

use super::command::{Position, PromiseToPay};
use super::snapshot::{ObjectReader, Snapshot};
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
use super::{conflict, review_mark, signature, stage, steps};
use crate::ids::Heads;

/// All content of a document as plain values.
pub(super) fn view(read: &Snapshot<'_>) -> VisitView {
    let root = read.root();
    let mut view = VisitView {
        schema: root.integer("schema").unwrap_or(0),
        id: root.text("id"),
        case_no: root.text("case_no"),
        heads: Heads::new(read.doc.get_heads()).to_hex(),
        stage: stage::of(read),
        case: case(read),
        assignment: assignment(read),
        contacts: contacts(read),
        appointment: appointment(read),
        visit: visit(read),
        checks: checks(read),
        talk: talk(read),
        payments: payments(read),
        notes: root.child("notes").characters().to_owned(),
        feedback: root.child("feedback").characters().to_owned(),
        attachments: attachments(read),
        seal: seal(read),
        amendments: amendments(read),
        review: review(read),
        conduct: conduct(read),
        conflicts: conflict::conflicts(read),
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

fn case(read: &Snapshot<'_>) -> CaseView {
    let fields = read.at(&["case"]);
    let position = fields.child("position");
    CaseView {
        borrower_name: fields.text("borrower_name"),
        phones: fields.child("phones").texts(),
        address: fields.text("address"),
        lat: position.float("lat"),
        lon: position.float("lon"),
        product: fields.text("product"),
        principal: fields.integer("principal"),
        overdue: fields.integer("overdue").unwrap_or(0),
        currency: fields.text("currency"),
        days_past_due: fields.integer("days_past_due").unwrap_or(0),
        due_date: fields.text("due_date"),
        last_payment_date: fields.text("last_payment_date"),
        preferred_language: fields.text("preferred_language"),
        zone: fields.text("zone"),
        note: fields.text("note"),
        flags: flags(read),
        contact_summary: contact_summary(read),
    }
}

fn contact_summary(read: &Snapshot<'_>) -> Option<ContactSummary> {
    let fields = read.at(&["case", "contact_summary"]);
    let count = |name: String| {
        let count = fields.integer(&name)?;
        Some(ContactCount { name, count })
    };
    Some(ContactSummary {
        as_of: fields.time("as_of")?,
        counts: fields.keys().into_iter().filter_map(count).collect(),
    })
}

fn flags(read: &Snapshot<'_>) -> Vec<FlagView> {
    let raised = |flag: &Flag| {
        let raised = read.at(&["case", "flags", flag.as_str()]);
        let strictest = |(by, entry): (String, ObjectReader<'_, '_>)| {
            // Of concurrent values the longest hold counts: raising a hold again on old
            // dependencies must not shorten it (rule M9).
            let concurrent = raised.concurrent(&by);
            let objects = concurrent.iter().filter_map(|(_, object)| object.as_ref());
            let all: Vec<_> = objects.map(Snapshot::root).collect();
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
        raised.entries().map(strictest).collect::<Vec<_>>()
    };
    Flag::ALL.iter().flat_map(raised).collect()
}

fn assignment(read: &Snapshot<'_>) -> AssignmentView {
    let fields = read.at(&["assignment"]);
    AssignmentView {
        collectors: read.at(&["assignment", "collectors"]).keys(),
        due_by: fields.text("due_by"),
        priority: fields.integer("priority").unwrap_or(2),
        instructions: fields.text("instructions"),
        policy: fields.text("policy"),
    }
}

fn contacts(read: &Snapshot<'_>) -> Vec<ContactView> {
    let entry = |(id, entry): (String, ObjectReader<'_, '_>)| {
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
    read.at(&["contacts"]).entries_by("at").into_iter().filter_map(entry).collect()
}

fn appointment(read: &Snapshot<'_>) -> AppointmentView {
    let fields = read.at(&["appointment"]);
    AppointmentView {
        starts_at: fields.time("starts_at"),
        ends_at: fields.time("ends_at"),
        zone: fields.text("zone"),
        place: fields.text("place"),
        status: fields.enumerated("status", AppointmentStatus::parse),
        proposed_by: fields.enumerated("proposed_by", ProposedBy::parse),
        borrower_remark: fields.text("borrower_remark"),
    }
}

fn visit(read: &Snapshot<'_>) -> VisitFactsView {
    let fields = read.at(&["visit"]);
    let at = read.at(&["visit", "position"]);
    let position = || {
        Some(Position {
            lat: at.float("lat")?,
            lon: at.float("lon")?,
            accuracy_m: at.float("accuracy_m")?,
            at: at.time("at")?,
        })
    };
    VisitFactsView {
        departed_at: fields.time("departed_at"),
        arrived_at: fields.time("arrived_at"),
        talk_from: fields.time("talk_from"),
        talk_to: fields.time("talk_to"),
        left_at: fields.time("left_at"),
        asked_to_leave_at: fields.time("asked_to_leave_at"),
        zone: fields.text("zone"),
        position: position(),
        place_type: fields.enumerated("place_type", PlaceType::parse),
        visitors: read.at(&["visit", "visitors"]).keys(),
        person_met: fields.enumerated("person_met", TargetRole::parse),
    }
}

fn checks(read: &Snapshot<'_>) -> Vec<CheckView> {
    let of_item = |item: &CheckItem| {
        let answer = |(by, entry): (String, ObjectReader<'_, '_>)| {
            Some(CheckView {
                item: *item,
                by,
                answer: entry.enumerated("answer", CheckAnswer::parse)?,
                at: entry.time("at")?,
                grade: entry.enumerated("grade", Grade::parse)?,
                reason: entry.text("reason"),
            })
        };
        read.at(&["checks", item.as_str()]).entries().filter_map(answer).collect::<Vec<_>>()
    };
    CheckItem::ALL.iter().flat_map(of_item).collect()
}

fn talk(read: &Snapshot<'_>) -> TalkView {
    let fields = read.at(&["talk"]);
    let promised = read.at(&["talk", "promise"]);
    let promise = || {
        Some(PromiseToPay {
            amount: promised.integer("amount")?,
            due_date: promised.text("due_date"),
            channel: promised.text("channel"),
        })
    };
    let option = |(id, entry): (String, ObjectReader<'_, '_>)| {
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
        overdue_reason: fields.enumerated("overdue_reason", OverdueReason::parse),
        overdue_reason_text: fields.text("overdue_reason_text"),
        willingness: fields.enumerated("willingness", Willingness::parse),
        options: read.at(&["talk", "options"]).entries().filter_map(option).collect(),
        chosen_option: Some(fields.text("chosen_option")).filter(|id| !id.is_empty()),
        promise: promise(),
        disposition: fields.enumerated("disposition", Disposition::parse),
    }
}

fn payments(read: &Snapshot<'_>) -> Vec<PaymentView> {
    let entry = |(id, entry): (String, ObjectReader<'_, '_>)| {
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
    read.at(&["payments"]).entries_by("at").into_iter().filter_map(entry).collect()
}

fn attachments(read: &Snapshot<'_>) -> Vec<AttachmentView> {
    let entry = |(sha256, entry): (String, ObjectReader<'_, '_>)| {
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
    read.at(&["attachments"]).entries_by("taken_at").into_iter().filter_map(entry).collect()
}

fn seal(read: &Snapshot<'_>) -> Option<SealView> {
    let fields = read.at(&["seal"]);
    let sealed_at = fields.time("at")?;
    let heads: Vec<String> = fields.text("heads").split_whitespace().map(str::to_owned).collect();
    let sealed = signature::named(read.doc, &heads);
    Some(SealView {
        at: sealed_at,
        by: fields.text("by"),
        device: fields.text("device"),
        changed: sealed.is_none_or(|heads| signature::content_changed(read.doc, &heads)),
        heads,
        signatures: signature::signatures(read),
    })
}

fn amendments(read: &Snapshot<'_>) -> Vec<AmendmentView> {
    let entry = |(id, entry): (String, ObjectReader<'_, '_>)| {
        Some(AmendmentView {
            id,
            at: entry.time("at")?,
            by: entry.text("by"),
            path: entry.text("path"),
            text: entry.text("text"),
        })
    };
    read.at(&["amendments"]).entries_by("at").into_iter().filter_map(entry).collect()
}

fn conduct(read: &Snapshot<'_>) -> Vec<ConductEntry> {
    let entry = |(id, entry): (String, ObjectReader<'_, '_>)| {
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
    read.at(&["conduct"]).entries_by("at").into_iter().filter_map(entry).collect()
}

fn review(read: &Snapshot<'_>) -> ReviewView {
    let fields = read.at(&["review"]);
    ReviewView {
        status: fields.enumerated("status", ReviewStatus::parse).unwrap_or(ReviewStatus::Pending),
        remark: fields.text("remark"),
        marks: review_mark::decode(&fields.text("marks")),
        by: fields.text("by"),
        at: fields.time("at"),
    }
}
