//! Reads a document into plain values.
//!
//! A value of the wrong type reads as absent: `validate` says what is wrong, a page still opens.

use automerge::{Automerge, ChangeHash, ObjId, ReadDoc, ScalarValue, Value};

use super::command::{Position, PromiseToPay};
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

/// Typed reads of one document, now or at some heads.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d> {
    doc: &'d Automerge,
    heads: Option<&'d [ChangeHash]>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(doc: &'d Automerge, heads: Option<&'d [ChangeHash]>) -> Self {
        Self { doc, heads }
    }

    fn value(&self, object: &ObjId, key: &str) -> Option<Value<'d>> {
        let found = match self.heads {
            Some(heads) => self.doc.get_at(object, key, heads),
            None => self.doc.get(object, key),
        };
        found.ok().flatten().map(|(value, _)| value)
    }

    fn scalar(&self, path: &[&str], key: &str) -> Option<ScalarValue> {
        genesis::container(path).and_then(|object| self.scalar_in(object, key))
    }

    fn scalar_in(&self, object: &ObjId, key: &str) -> Option<ScalarValue> {
        self.value(object, key).and_then(|value| value.as_scalar().cloned())
    }

    pub(super) fn text(&self, path: &[&str], key: &str) -> String {
        text(self.scalar(path, key))
    }

    pub(super) fn whole(&self, path: &[&str], key: &str) -> Option<i64> {
        whole(self.scalar(path, key))
    }

    fn fraction(&self, path: &[&str], key: &str) -> Option<f64> {
        fraction(self.scalar(path, key))
    }

    pub(super) fn time(&self, path: &[&str], key: &str) -> Option<i64> {
        time(self.scalar(path, key))
    }

    pub(super) fn word<T>(
        &self,
        path: &[&str],
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        parse(&self.text(path, key))
    }

    /// Keys of a container, sorted.
    fn keys(&self, path: &[&str]) -> Vec<String> {
        let Some(object) = genesis::container(path) else {
            return Vec::new();
        };
        match self.heads {
            Some(heads) => self.doc.keys_at(object, heads).collect(),
            None => self.doc.keys(object).collect(),
        }
    }

    pub(super) fn any_key(&self, path: &[&str]) -> bool {
        !self.keys(path).is_empty()
    }

    /// Entries of a container of maps, in order of their keys.
    pub(super) fn entries(&self, path: &[&str]) -> Vec<(String, EntryReader<'d>)> {
        let Some(container) = genesis::container(path) else {
            return Vec::new();
        };
        let reader = *self;
        self.keys(path)
            .into_iter()
            .filter_map(|key| match self.doc.get(container, key.as_str()) {
                Ok(Some((Value::Object(_), object))) => Some((key, EntryReader { reader, object })),
                _ => None,
            })
            .collect()
    }

    /// Every entry at a key: several where it was made concurrently.
    fn concurrent(&self, path: &[&str], key: &str) -> Vec<EntryReader<'d>> {
        let Some(container) = genesis::container(path) else { return Vec::new() };
        let values = self.doc.get_all(container, key).unwrap_or_default().into_iter();
        let objects = values.filter(|(value, _)| matches!(value, Value::Object(_)));
        objects.map(|(_, object)| EntryReader { reader: *self, object }).collect()
    }

    /// As [`entries`](Self::entries), the earliest first by one of their times.
    pub(super) fn entries_by(&self, time: &str, path: &[&str]) -> Vec<(String, EntryReader<'d>)> {
        let mut entries = self.entries(path);
        entries.sort_by_cached_key(|(_, entry)| entry.time(time));
        entries
    }

    fn prose(&self, key: &str) -> String {
        genesis::container(&[key]).and_then(|object| self.doc.text(object).ok()).unwrap_or_default()
    }
}

/// Reads of one keyed entry, such as a contact.
pub(super) struct EntryReader<'d> {
    reader: Reader<'d>,
    pub(super) object: ObjId,
}

impl EntryReader<'_> {
    pub(super) fn text(&self, key: &str) -> String {
        text(self.reader.scalar_in(&self.object, key))
    }
    fn whole(&self, key: &str) -> i64 {
        whole(self.reader.scalar_in(&self.object, key)).unwrap_or(0)
    }
    pub(super) fn time(&self, key: &str) -> Option<i64> {
        time(self.reader.scalar_in(&self.object, key))
    }
    fn word<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        parse(&self.text(key))
    }
}

fn text(value: Option<ScalarValue>) -> String {
    match value {
        Some(ScalarValue::Str(text)) => text.to_string(),
        _ => String::new(),
    }
}

fn whole(value: Option<ScalarValue>) -> Option<i64> {
    match value {
        Some(ScalarValue::Int(number)) => Some(number),
        _ => None,
    }
}

fn fraction(value: Option<ScalarValue>) -> Option<f64> {
    match value {
        Some(ScalarValue::F64(number)) => Some(number),
        _ => None,
    }
}

fn time(value: Option<ScalarValue>) -> Option<i64> {
    match value {
        Some(ScalarValue::Timestamp(ms)) => Some(ms),
        _ => None,
    }
}

/// Everything that a document says.
pub(super) fn view(doc: &Automerge) -> VisitView {
    let read = Reader::new(doc, None);
    let mut view = VisitView {
        schema: read.whole(&[], "schema").unwrap_or(0),
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
        notes: read.prose("notes"),
        feedback: read.prose("feedback"),
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

/// What a list shows of a view.
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
        lat: read.fraction(&["case", "position"], "lat"),
        lon: read.fraction(&["case", "position"], "lon"),
        product: read.text(at, "product"),
        principal: read.whole(at, "principal"),
        overdue: read.whole(at, "overdue").unwrap_or(0),
        currency: read.text(at, "currency"),
        days_past_due: read.whole(at, "days_past_due").unwrap_or(0),
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
        let count = read.whole(at, &name)?;
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
            // Of concurrent raises the longest hold counts: raising again on older
            // dependencies must not lift one (rule M9).
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
        priority: read.whole(at, "priority").unwrap_or(2),
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
            channel: entry.word("channel", Channel::parse)?,
            number_ref: entry.text("number_ref"),
            target_role: entry.word("target_role", TargetRole::parse)?,
            outcome: entry.word("outcome", ContactOutcome::parse)?,
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
        status: read.word(at, "status", AppointmentStatus::parse),
        proposed_by: read.word(at, "proposed_by", ProposedBy::parse),
        borrower_remark: read.text(at, "borrower_remark"),
    }
}

fn visit(read: &Reader<'_>) -> VisitFactsView {
    let at = &["visit"];
    let place = &["visit", "position"];
    let position = || {
        Some(Position {
            lat: read.fraction(place, "lat")?,
            lon: read.fraction(place, "lon")?,
            accuracy_m: read.fraction(place, "accuracy_m")?,
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
        place_type: read.word(at, "place_type", PlaceType::parse),
        visitors: read.keys(&["visit", "visitors"]),
        person_met: read.word(at, "person_met", TargetRole::parse),
    }
}

fn checks(read: &Reader<'_>) -> Vec<CheckView> {
    let of_item = |item: &CheckItem| {
        let answer = |(by, entry): (String, EntryReader<'_>)| {
            Some(CheckView {
                item: *item,
                by,
                answer: entry.word("answer", CheckAnswer::parse)?,
                at: entry.time("at")?,
                grade: entry.word("grade", Grade::parse)?,
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
            amount: read.whole(promised, "amount")?,
            due_date: read.text(promised, "due_date"),
            channel: read.text(promised, "channel"),
        })
    };
    let option = |(id, entry): (String, EntryReader<'_>)| {
        Some(OptionView {
            id,
            kind: entry.word("kind", OptionKind::parse)?,
            instalments: entry.whole("instalments"),
            first_due: entry.text("first_due"),
            amount: entry.whole("amount"),
            term_months: entry.whole("term_months"),
            offered_by: entry.text("offered_by"),
        })
    };
    TalkView {
        overdue_reason: read.word(at, "overdue_reason", OverdueReason::parse),
        overdue_reason_text: read.text(at, "overdue_reason_text"),
        willingness: read.word(at, "willingness", Willingness::parse),
        options: read.entries(&["talk", "options"]).into_iter().filter_map(option).collect(),
        chosen_option: Some(read.text(at, "chosen_option")).filter(|id| !id.is_empty()),
        promise: promise(),
        disposition: read.word(at, "disposition", Disposition::parse),
    }
}

fn payments(read: &Reader<'_>) -> Vec<PaymentView> {
    let entry = |(id, entry): (String, EntryReader<'_>)| {
        Some(PaymentView {
            id,
            amount: entry.whole("amount"),
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
            size: entry.whole("size"),
            taken_at: entry.time("taken_at")?,
            kind: entry.word("kind", AttachmentKind::parse)?,
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
            kind: entry.word("kind", ConductKind::parse)?,
            at: entry.time("at")?,
            by: entry.text("by"),
            policy: entry.text("policy"),
            moment: entry.word("moment", Moment::parse),
            heads: entry.text("heads").split_whitespace().map(str::to_owned).collect(),
            answers: entry.text("answers"),
            skew: whole(entry.reader.scalar_in(&entry.object, "skew")),
            rule: entry.text("rule"),
            note: entry.text("note"),
            from: entry.time("from"),
            until: entry.time("until"),
            grade: entry.word("grade", Grade::parse),
            of: entry.text("of"),
            about: entry.word("about", NoticeAbout::parse),
            days: entry.whole("days"),
            starts: entry.whole("starts"),
            ends: entry.whole("ends"),
            place: entry.word("place", PlaceType::parse),
        })
    };
    read.entries_by("at", &["conduct"]).into_iter().filter_map(entry).collect()
}

fn review(read: &Reader<'_>) -> ReviewView {
    let at = &["review"];
    ReviewView {
        status: read.word(at, "status", ReviewStatus::parse).unwrap_or(ReviewStatus::Pending),
        remark: read.text(at, "remark"),
        by: read.text(at, "by"),
        at: read.time(at, "at"),
    }
}
