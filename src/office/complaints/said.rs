//! The complaints that a record says, and the deadline of a complaint.

use sha2::{Digest as _, Sha256};

use super::{DAY_MS, OLDEST_MS};
use crate::conduct::Policy;
use crate::conduct::policy::Requirement;
use crate::conduct::terms::LegalStatus;
use crate::ids::RecordId;
use crate::office::store::{Complaint, ComplaintSource, ComplaintTopic};
use crate::record::terms::{Disposition, Flag};
use crate::record::view::VisitView;

/// Days to decide where no rule in force says it, without and with an extension; a choice of the
/// product.
const DAYS: TimeToDecide = TimeToDecide { days: 15, longest: 30, rule: String::new() };

/// Days within which a complaint is decided.
pub(super) struct TimeToDecide {
    days: i64,
    /// With an extension.
    pub(super) longest: i64,
    /// The rule that gives the fewest days, by its id; empty without one.
    rule: String,
}

/// The complaints that a record says: its holds for certain, its outcome if nothing else does.
pub(super) fn complaints_in(
    policy: &Policy,
    record: RecordId,
    view: &VisitView,
    now: i64,
) -> Vec<(Complaint, bool)> {
    let of = |by: &str, since: i64, text: &str, certain: bool| {
        let visited = view.assignment.collectors.iter().chain(&view.visit.visitors);
        let at_the_door = visited.into_iter().any(|name| name == by);
        // A phone's clock may be wrong.
        let received_at = since.clamp(now - OLDEST_MS, now);
        let complaint = Complaint {
            since,
            source: if at_the_door { ComplaintSource::Door } else { ComplaintSource::Other },
            text: text.to_owned(),
            ..complaint_of(policy, record, view, by, received_at)
        };
        (Complaint { id: id_of(record, by, since), ..complaint }, certain)
    };
    let raised = view.case.flags.iter().filter(|raised| raised.flag == Flag::Complaint);
    let mut said: Vec<_> =
        raised.map(|raised| of(&raised.by, raised.since, &raised.note, true)).collect();
    if view.talk.disposition == Some(Disposition::Complaint)
        && let Some(seal) = &view.seal
    {
        said.push(of(&seal.by, seal.at, &view.feedback, false));
    }
    said
}

/// A complaint with its deadline; source, topic and text are the caller's.
pub(super) fn complaint_of(
    policy: &Policy,
    record: RecordId,
    view: &VisitView,
    by: &str,
    received_at: i64,
) -> Complaint {
    let TimeToDecide { days, rule, longest: _ } = time_to_decide(policy, view, received_at);
    Complaint {
        number: 0,
        id: [0; 16],
        record,
        case_no: view.case_no.clone(),
        since: received_at,
        source: ComplaintSource::Other,
        topic: ComplaintTopic::Unknown,
        text: String::new(),
        received_at,
        raised_by: by.to_owned(),
        rule,
        deadline_at: received_at + days * DAY_MS,
        extended_from: None,
        replied_at: None,
        closed: None,
    }
}

/// The fewest days that a rule in force gives; without one, the product's own.
pub(super) fn time_to_decide(policy: &Policy, view: &VisitView, at: i64) -> TimeToDecide {
    let day = i32::try_from(at.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
    let selected = policy.select(view);
    let rules = selected.layers.iter().flat_map(|layer| &layer.rules).filter(|rule| {
        rule.status != LegalStatus::Draft
            && rule.from.is_none_or(|from| from <= day)
            && rule.until.is_none_or(|until| day < until)
    });
    let mut found: Option<TimeToDecide> = None;
    for rule in rules {
        for requirement in &rule.requirements {
            let Requirement::ComplaintDecided { days, longest } = requirement else { continue };
            let (days, longest) = (*days, longest.unwrap_or(*days));
            let rule = || rule.id.clone();
            match &mut found {
                None => found = Some(TimeToDecide { days, longest, rule: rule() }),
                Some(found) => {
                    if days < found.days {
                        (found.days, found.rule) = (days, rule());
                    }
                    found.longest = found.longest.min(longest);
                }
            }
        }
    }
    found.unwrap_or(DAYS)
}

/// The same for the same hold, so that it becomes one complaint.
fn id_of(record: RecordId, by: &str, since: i64) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(b"doorstep complaint 1");
    hasher.update(record.0);
    hasher.update(since.to_be_bytes());
    hasher.update(by.as_bytes());
    hasher.finalize().first_chunk().copied().unwrap_or_default()
}
