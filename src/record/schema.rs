//! Schema 1: every path of a visit record, its type and who may write it.
//!
//! The table is the only place that says so. Commands are checked against it before they write,
//! and the office judges every operation of a phone by it.

use super::signature;
use super::terms::{
    AppointmentStatus, AttachmentKind, Channel, CheckAnswer, CheckItem, ConductKind,
    ContactOutcome, Disposition, Flag, Grade, Moment, NoticeAbout, OptionKind, OverdueReason,
    PlaceType, ProposedBy, ReviewStatus, TargetRole, Willingness,
};

/// The schema that this code writes.
pub const SCHEMA: i64 = 1;

/// What may stand at a path.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A container of keys.
    Map,
    /// A container of positions.
    List,
    /// Text merged by character, with the most characters that it may grow to.
    Prose(usize),
    /// A string of at most so many characters.
    Text(usize),
    /// A word of a vocabulary.
    Word(fn(&str) -> bool),
    /// A whole number within bounds.
    Whole(i64, i64),
    /// A finite fraction within bounds.
    Fraction(i32, i32),
    /// A timestamp, ms.
    Time,
    /// `YYYY-MM-DD`, or empty.
    Date,
    /// A member of a set: always `true`.
    Member,
}

/// Who may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Set when the record is made, then nobody.
    Creation,
    /// The office.
    Office,
    /// A collector of the record.
    Collector,
    /// Both.
    Both,
}

/// How often a path may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Any number of times, and taken back.
    Free,
    /// Made whole in one change, then never touched.
    Once,
    /// Made by an author under their own name (and never touched again by a collector); the
    /// office may change it and take it away.
    Raised,
    /// As `Free`, for the author's own name only.
    Own,
}

/// Until when a collector may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Until the seal; again when the office returned the record.
    Open,
    /// After the seal too.
    Always,
    /// Only while the seal stands.
    Sealed,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Segments; `*` stands for any key, `#` for any position.
    pub path: &'static [&'static str],
    /// What may stand there.
    pub kind: Kind,
    /// Who may write it.
    pub writers: Writers,
    /// How often.
    pub writing: Writing,
    /// Until when.
    pub phase: Phase,
}

/// The longest one-line text: long enough for an address, short enough for a list.
const LINE: usize = 400;
/// The longest remark.
const REMARK: usize = 4_000;
/// The longest text that is read back: the longest feedback and what stands around it.
const READ_BACK: usize = 60_000;
/// The longest notes or feedback: some twenty pages.
const PROSE: usize = 40_000;
/// Money up to ten trillion major units: past any debt, far below 2^53, which JavaScript counts to.
pub(super) const MONEY: i64 = 1_000_000_000_000_000;

/// The most instalments of an option: fifty years of months.
pub(super) const MOST_INSTALMENTS: i64 = 600;

macro_rules! word {
    ($vocabulary:ty) => {
        Kind::Word(|text| <$vocabulary>::parse(text).is_some())
    };
}

macro_rules! rules {
    ($($path:expr => $kind:expr, $writers:ident, $writing:ident, $phase:ident;)+) => {
        &[$(Rule { path: &$path, kind: $kind, writers: Writers::$writers, writing: Writing::$writing, phase: Phase::$phase },)+]
    };
}

/// Schema 1. Containers that the first change makes are `Creation`.
pub const RULES: &[Rule] = rules! {
    ["schema"] => Kind::Whole(1, SCHEMA), Creation, Once, Open;
    ["id"] => Kind::Text(36), Creation, Once, Open;
    ["case_no"] => Kind::Text(LINE), Creation, Once, Open;

    ["case"] => Kind::Map, Creation, Once, Open;
    ["case", "borrower_name"] => Kind::Text(LINE), Office, Free, Open;
    ["case", "phones"] => Kind::List, Creation, Once, Open;
    ["case", "phones", "#"] => Kind::Text(40), Office, Free, Open;
    ["case", "address"] => Kind::Text(LINE), Office, Free, Open;
    ["case", "position"] => Kind::Map, Creation, Once, Open;
    ["case", "position", "lat"] => Kind::Fraction(-90, 90), Office, Free, Open;
    ["case", "position", "lon"] => Kind::Fraction(-180, 180), Office, Free, Open;
    ["case", "product"] => Kind::Text(LINE), Office, Free, Open;
    ["case", "principal"] => Kind::Whole(0, MONEY), Office, Free, Open;
    ["case", "overdue"] => Kind::Whole(0, MONEY), Office, Free, Open;
    ["case", "currency"] => Kind::Text(3), Office, Free, Open;
    ["case", "days_past_due"] => Kind::Whole(0, 100_000), Office, Free, Open;
    ["case", "due_date"] => Kind::Date, Office, Free, Open;
    ["case", "last_payment_date"] => Kind::Date, Office, Free, Open;
    ["case", "preferred_language"] => Kind::Text(35), Office, Free, Open;
    ["case", "zone"] => Kind::Text(64), Office, Free, Open;
    ["case", "note"] => Kind::Text(REMARK), Office, Free, Open;
    ["case", "contact_summary"] => Kind::Map, Creation, Once, Open;
    ["case", "contact_summary", "as_of"] => Kind::Time, Office, Free, Open;
    ["case", "contact_summary", "*"] => Kind::Whole(0, 1_000_000), Office, Free, Open;
    ["case", "flags"] => Kind::Map, Creation, Once, Open;
    ["case", "flags", "*"] => Kind::Map, Creation, Once, Open;
    ["case", "flags", "*", "*"] => Kind::Map, Both, Raised, Always;
    ["case", "flags", "*", "*", "since"] => Kind::Time, Both, Raised, Always;
    ["case", "flags", "*", "*", "until"] => Kind::Time, Both, Raised, Always;
    ["case", "flags", "*", "*", "note"] => Kind::Text(REMARK), Both, Raised, Always;

    ["assignment"] => Kind::Map, Creation, Once, Open;
    ["assignment", "collectors"] => Kind::Map, Creation, Once, Open;
    ["assignment", "collectors", "*"] => Kind::Member, Office, Free, Open;
    ["assignment", "due_by"] => Kind::Date, Office, Free, Open;
    ["assignment", "priority"] => Kind::Whole(1, 3), Office, Free, Open;
    ["assignment", "instructions"] => Kind::Text(REMARK), Office, Free, Open;
    ["assignment", "policy"] => Kind::Text(LINE), Office, Free, Open;

    ["contacts"] => Kind::Map, Creation, Once, Open;
    ["contacts", "*"] => Kind::Map, Both, Once, Open;
    ["contacts", "*", "at"] => Kind::Time, Both, Once, Open;
    ["contacts", "*", "zone"] => Kind::Text(64), Both, Once, Open;
    ["contacts", "*", "channel"] => word!(Channel), Both, Once, Open;
    ["contacts", "*", "number_ref"] => Kind::Text(LINE), Both, Once, Open;
    ["contacts", "*", "target_role"] => word!(TargetRole), Both, Once, Open;
    ["contacts", "*", "outcome"] => word!(ContactOutcome), Both, Once, Open;
    ["contacts", "*", "note"] => Kind::Text(REMARK), Both, Once, Open;
    ["contacts", "*", "by"] => Kind::Text(LINE), Both, Once, Open;

    ["appointment"] => Kind::Map, Creation, Once, Open;
    ["appointment", "starts_at"] => Kind::Time, Both, Free, Open;
    ["appointment", "ends_at"] => Kind::Time, Both, Free, Open;
    ["appointment", "zone"] => Kind::Text(64), Both, Free, Open;
    ["appointment", "place"] => Kind::Text(LINE), Both, Free, Open;
    ["appointment", "status"] => word!(AppointmentStatus), Both, Free, Open;
    ["appointment", "proposed_by"] => word!(ProposedBy), Both, Free, Open;
    ["appointment", "borrower_remark"] => Kind::Text(REMARK), Both, Free, Open;

    ["visit"] => Kind::Map, Creation, Once, Open;
    ["visit", "departed_at"] => Kind::Time, Collector, Free, Open;
    ["visit", "arrived_at"] => Kind::Time, Collector, Free, Open;
    ["visit", "talk_from"] => Kind::Time, Collector, Free, Open;
    ["visit", "talk_to"] => Kind::Time, Collector, Free, Open;
    ["visit", "left_at"] => Kind::Time, Collector, Free, Open;
    ["visit", "asked_to_leave_at"] => Kind::Time, Collector, Free, Open;
    ["visit", "zone"] => Kind::Text(64), Collector, Free, Open;
    ["visit", "position"] => Kind::Map, Creation, Once, Open;
    ["visit", "position", "lat"] => Kind::Fraction(-90, 90), Collector, Free, Open;
    ["visit", "position", "lon"] => Kind::Fraction(-180, 180), Collector, Free, Open;
    ["visit", "position", "accuracy_m"] => Kind::Fraction(0, 50_000_000), Collector, Free, Open;
    ["visit", "position", "at"] => Kind::Time, Collector, Free, Open;
    ["visit", "place_type"] => word!(PlaceType), Collector, Free, Open;
    ["visit", "visitors"] => Kind::Map, Creation, Once, Open;
    ["visit", "visitors", "*"] => Kind::Member, Collector, Free, Open;
    ["visit", "person_met"] => word!(TargetRole), Collector, Free, Open;

    ["checks"] => Kind::Map, Creation, Once, Open;
    ["checks", "*"] => Kind::Map, Creation, Once, Open;
    ["checks", "*", "*"] => Kind::Map, Collector, Own, Open;
    ["checks", "*", "*", "answer"] => word!(CheckAnswer), Collector, Own, Open;
    ["checks", "*", "*", "at"] => Kind::Time, Collector, Own, Open;
    ["checks", "*", "*", "grade"] => word!(Grade), Collector, Own, Open;
    ["checks", "*", "*", "reason"] => Kind::Text(REMARK), Collector, Own, Open;

    ["talk"] => Kind::Map, Creation, Once, Open;
    ["talk", "overdue_reason"] => word!(OverdueReason), Collector, Free, Open;
    ["talk", "overdue_reason_text"] => Kind::Text(REMARK), Collector, Free, Open;
    ["talk", "willingness"] => word!(Willingness), Collector, Free, Open;
    ["talk", "options"] => Kind::Map, Creation, Once, Open;
    ["talk", "options", "*"] => Kind::Map, Collector, Free, Open;
    ["talk", "options", "*", "kind"] => word!(OptionKind), Collector, Free, Open;
    ["talk", "options", "*", "instalments"] => Kind::Whole(1, MOST_INSTALMENTS), Collector, Free, Open;
    ["talk", "options", "*", "first_due"] => Kind::Date, Collector, Free, Open;
    ["talk", "options", "*", "amount"] => Kind::Whole(0, MONEY), Collector, Free, Open;
    ["talk", "options", "*", "term_months"] => Kind::Whole(0, 600), Collector, Free, Open;
    ["talk", "options", "*", "offered_by"] => Kind::Text(LINE), Collector, Free, Open;
    ["talk", "chosen_option"] => Kind::Text(36), Collector, Free, Open;
    ["talk", "promise"] => Kind::Map, Creation, Once, Open;
    ["talk", "promise", "amount"] => Kind::Whole(1, MONEY), Collector, Free, Open;
    ["talk", "promise", "due_date"] => Kind::Date, Collector, Free, Open;
    ["talk", "promise", "channel"] => Kind::Text(LINE), Collector, Free, Open;
    ["talk", "disposition"] => word!(Disposition), Collector, Free, Open;

    ["payments"] => Kind::Map, Creation, Once, Open;
    ["payments", "*"] => Kind::Map, Both, Once, Always;
    ["payments", "*", "amount"] => Kind::Whole(1, MONEY), Both, Once, Always;
    ["payments", "*", "at"] => Kind::Time, Both, Once, Always;
    ["payments", "*", "channel"] => Kind::Text(LINE), Both, Once, Always;
    ["payments", "*", "reference"] => Kind::Text(LINE), Both, Once, Always;
    ["payments", "*", "receipt"] => Kind::Text(64), Both, Once, Always;
    ["payments", "*", "by"] => Kind::Text(LINE), Both, Once, Always;

    ["notes"] => Kind::Prose(PROSE), Both, Free, Open;
    ["feedback"] => Kind::Prose(PROSE), Collector, Free, Open;

    ["attachments"] => Kind::Map, Creation, Once, Open;
    ["attachments", "*"] => Kind::Map, Both, Once, Always;
    ["attachments", "*", "media_type"] => Kind::Text(100), Both, Once, Always;
    ["attachments", "*", "size"] => Kind::Whole(0, 1_000_000_000), Both, Once, Always;
    ["attachments", "*", "taken_at"] => Kind::Time, Both, Once, Always;
    ["attachments", "*", "kind"] => word!(AttachmentKind), Both, Once, Always;
    ["attachments", "*", "caption"] => Kind::Text(LINE), Both, Once, Always;
    ["attachments", "*", "by"] => Kind::Text(LINE), Both, Once, Always;

    ["seal"] => Kind::Map, Creation, Once, Open;
    ["seal", "at"] => Kind::Time, Collector, Free, Open;
    ["seal", "by"] => Kind::Text(LINE), Collector, Free, Open;
    ["seal", "device"] => Kind::Text(32), Collector, Free, Open;
    ["seal", "heads"] => Kind::Text(REMARK), Collector, Free, Open;

    // Signatures, keyed by an id of their own: two collectors sign while apart. The container is
    // the seal itself, since the first change makes no other.
    ["seal", "*"] => Kind::Map, Collector, Once, Sealed;
    ["seal", "*", "at"] => Kind::Time, Collector, Once, Sealed;
    ["seal", "*", "by"] => Kind::Text(LINE), Collector, Once, Sealed;
    ["seal", "*", "device"] => Kind::Text(32), Collector, Once, Sealed;
    ["seal", "*", "key"] => Kind::Text(64), Collector, Once, Sealed;
    ["seal", "*", "heads"] => Kind::Text(REMARK), Collector, Once, Sealed;
    ["seal", "*", "text"] => Kind::Text(READ_BACK), Collector, Once, Sealed;
    ["seal", "*", "signature"] => Kind::Text(128), Collector, Once, Sealed;

    ["amendments"] => Kind::Map, Creation, Once, Open;
    ["amendments", "*"] => Kind::Map, Both, Once, Sealed;
    ["amendments", "*", "at"] => Kind::Time, Both, Once, Sealed;
    ["amendments", "*", "by"] => Kind::Text(LINE), Both, Once, Sealed;
    ["amendments", "*", "path"] => Kind::Text(LINE), Both, Once, Sealed;
    ["amendments", "*", "text"] => Kind::Text(REMARK), Both, Once, Sealed;

    ["review"] => Kind::Map, Creation, Once, Open;
    ["review", "status"] => word!(ReviewStatus), Office, Free, Open;
    ["review", "remark"] => Kind::Text(REMARK), Office, Free, Open;
    ["review", "by"] => Kind::Text(LINE), Office, Free, Open;
    ["review", "at"] => Kind::Time, Office, Free, Open;
    // The `seal.at` that was judged: a return opens the record until another seal stands.
    ["review", "of"] => Kind::Time, Office, Free, Open;

    // Results of conduct rules: made here so that two devices share the container.
    ["conduct"] => Kind::Map, Creation, Once, Open;
    ["conduct", "*"] => Kind::Map, Both, Once, Always;
    ["conduct", "*", "kind"] => word!(ConductKind), Both, Once, Always;
    ["conduct", "*", "at"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "by"] => Kind::Text(LINE), Both, Once, Always;
    // An evaluation: by which policy, of which state, and what did not pass.
    ["conduct", "*", "policy"] => Kind::Text(LINE), Both, Once, Always;
    ["conduct", "*", "moment"] => word!(Moment), Both, Once, Always;
    ["conduct", "*", "heads"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "answers"] => Kind::Text(REMARK), Both, Once, Always;
    // How far the writing device's clock was ahead of the office's, ms.
    ["conduct", "*", "skew"] => Kind::Whole(-MONEY, MONEY), Both, Once, Always;
    // A consent or an override: of which rule, and why; a consent has bounds and can be withdrawn.
    ["conduct", "*", "rule"] => Kind::Text(32), Both, Once, Always;
    ["conduct", "*", "note"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "from"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "until"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "grade"] => word!(Grade), Both, Once, Always;
    ["conduct", "*", "of"] => Kind::Text(64), Both, Once, Always;
    // A notice: about what. A wish: minutes of which days, Monday the lowest bit, or which place.
    ["conduct", "*", "about"] => word!(NoticeAbout), Both, Once, Always;
    ["conduct", "*", "days"] => Kind::Whole(0, 127), Both, Once, Always;
    ["conduct", "*", "starts"] => Kind::Whole(0, 1_440), Both, Once, Always;
    ["conduct", "*", "ends"] => Kind::Whole(0, 1_440), Both, Once, Always;
    ["conduct", "*", "place"] => word!(PlaceType), Both, Once, Always;
};

/// How a field of a [`Group`] is bound to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// Written by every change that touches the group.
    Written,
    /// The sign-in name of the change's author.
    Author,
    /// The id of the device that makes the change.
    Device,
    /// There whenever another field of the group is.
    Required,
    /// Rewritten with the others, and may be absent.
    Optional,
}

/// Fields of one container that mean something only together. A command writes all of them in one
/// go, in this order, so that of two concurrent changes one wins in every field; the office
/// refuses a change that leaves the bonds broken as its author saw them (rule M10).
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The container, which the first change makes.
    pub path: &'static [&'static str],
    /// Keys, each with its bond.
    pub fields: &'static [(&'static str, Bond)],
}

impl Group {
    /// Whether the field at a path belongs to the group.
    pub fn holds(&self, path: &[&str]) -> bool {
        path.split_last().is_some_and(|(key, parent)| {
            parent == self.path && self.fields.iter().any(|(field, _)| field == key)
        })
    }
}

/// The collector's seal.
pub const SEAL: Group = Group {
    path: &["seal"],
    fields: &[
        ("at", Bond::Written),
        ("by", Bond::Author),
        ("device", Bond::Device),
        ("heads", Bond::Written),
    ],
};

/// The office's review.
pub const REVIEW: Group = Group {
    path: &["review"],
    fields: &[
        ("status", Bond::Required),
        ("remark", Bond::Optional),
        ("by", Bond::Author),
        ("at", Bond::Written),
        ("of", Bond::Required),
    ],
};

/// The promise to pay.
pub const PROMISE: Group = Group {
    path: &["talk", "promise"],
    fields: &[
        ("amount", Bond::Required),
        ("due_date", Bond::Required),
        ("channel", Bond::Required),
    ],
};

/// The window of the appointment. A start may be written down before its end is known.
pub const WINDOW: Group = Group {
    path: &["appointment"],
    fields: &[("starts_at", Bond::Optional), ("ends_at", Bond::Optional), ("zone", Bond::Optional)],
};

/// Every group.
pub const GROUPS: &[Group] = &[SEAL, REVIEW, PROMISE, WINDOW];

/// The group of a field, if it belongs to one.
pub fn group(path: &[&str]) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.holds(path))
}

/// The row for a path, or `None` where the schema knows no such path.
///
/// Keys under `*` that only a vocabulary may hold (`case.flags`, `checks`) are checked too.
pub fn rule(path: &[&str]) -> Option<&'static Rule> {
    let known = |row: &&Rule| {
        row.path.len() == path.len()
            && row
                .path
                .iter()
                .zip(path)
                .all(|(want, have)| matches!(*want, "*" | "#") || want == have)
    };
    let row = RULES.iter().find(known)?;
    let in_vocabulary = match path {
        ["case", "flags", flag, ..] => Flag::parse(flag).is_some(),
        ["checks", item, ..] => CheckItem::parse(item).is_some(),
        ["seal", key, ..] if row.path.get(1) == Some(&"*") => signature::is_key(key),
        _ => true,
    };
    in_vocabulary.then_some(row)
}

/// Every container that the first change makes, parents before children.
pub(crate) fn first_containers() -> Vec<(Vec<&'static str>, Kind)> {
    let mut containers = Vec::new();
    for row in RULES {
        let made = match row.kind {
            Kind::Map | Kind::List => row.writers == Writers::Creation,
            Kind::Prose(_) => true,
            Kind::Text(_)
            | Kind::Word(_)
            | Kind::Whole(..)
            | Kind::Fraction(..)
            | Kind::Time
            | Kind::Date
            | Kind::Member => false,
        };
        if !made {
            continue;
        }
        match row.path {
            ["case", "flags", "*"] => containers.extend(
                Flag::ALL.iter().map(|flag| (vec!["case", "flags", flag.as_str()], row.kind)),
            ),
            ["checks", "*"] => containers.extend(
                CheckItem::ALL.iter().map(|item| (vec!["checks", item.as_str()], row.kind)),
            ),
            path => containers.push((path.to_vec(), row.kind)),
        }
    }
    containers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found_by_its_own_row() {
        for row in RULES {
            let path: Vec<&str> = row
                .path
                .iter()
                .enumerate()
                .map(|(depth, segment)| match (*segment, row.path[0], depth) {
                    ("*", "case", 2) if row.path[1] == "flags" => "dispute",
                    ("*", "checks", 1) => "id_shown",
                    ("*", "seal", 1) => "0193a5c8-7e55-7000-8000-000000000001",
                    ("*", ..) => "anything",
                    ("#", ..) => "0",
                    (segment, ..) => segment,
                })
                .collect();
            assert_eq!(rule(&path).map(|found| found.path), Some(row.path), "{path:?}");
        }
        assert!(rule(&["case", "flags", "unheard_of"]).is_none());
        assert!(rule(&["borrower"]).is_none());
        assert!(rule(&["seal", "chen.jie"]).is_none());
    }

    #[test]
    fn every_field_of_a_group_has_a_row_and_one_group() {
        for group in GROUPS {
            for (key, _) in group.fields {
                let path: Vec<&str> = group.path.iter().copied().chain([*key]).collect();
                assert!(rule(&path).is_some(), "{path:?}");
                assert_eq!(GROUPS.iter().filter(|other| other.holds(&path)).count(), 1);
            }
        }
    }
}
