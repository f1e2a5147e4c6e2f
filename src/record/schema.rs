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
    MergedText(usize),
    /// A string of at most so many characters.
    Text(usize),
    /// A word of a vocabulary.
    Enum(fn(&str) -> bool),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A finite fraction within bounds.
    Float(i32, i32),
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
pub enum Mutability {
    /// Any number of times, and taken back.
    Free,
    /// Made whole in one change, then never touched.
    Once,
    /// Made by an author under their own name (and never touched again by a collector); the
    /// office may change it and take it away.
    OwnOnce,
    /// As `Free`, for the author's own name only.
    Own,
}

/// Until when a collector may write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteWindow {
    /// Until the seal; again when the office returned the record.
    BeforeSeal,
    /// After the seal too.
    Always,
    /// Only while the seal stands.
    AfterSeal,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Segments; `*` stands for any key, `#` for any position.
    pub path: &'static [&'static str],
    /// What may stand there.
    pub kind: Kind,
    /// Who may write it.
    pub writers: Writers,
    /// How often.
    pub mutability: Mutability,
    /// Until when.
    pub write_window: WriteWindow,
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

macro_rules! one_of {
    ($vocabulary:ty) => {
        Kind::Enum(|text| <$vocabulary>::parse(text).is_some())
    };
}

macro_rules! fields {
    ($($path:expr => $kind:expr, $writers:ident, $mutability:ident, $window:ident;)+) => {
        &[$(FieldSpec { path: &$path, kind: $kind, writers: Writers::$writers, mutability: Mutability::$mutability, write_window: WriteWindow::$window },)+]
    };
}

/// Schema 1. Containers that the first change makes are `Creation`.
pub const FIELDS: &[FieldSpec] = fields! {
    ["schema"] => Kind::Integer(1, SCHEMA), Creation, Once, BeforeSeal;
    ["id"] => Kind::Text(36), Creation, Once, BeforeSeal;
    ["case_no"] => Kind::Text(LINE), Creation, Once, BeforeSeal;

    ["case"] => Kind::Map, Creation, Once, BeforeSeal;
    ["case", "borrower_name"] => Kind::Text(LINE), Office, Free, BeforeSeal;
    ["case", "phones"] => Kind::List, Creation, Once, BeforeSeal;
    ["case", "phones", "#"] => Kind::Text(40), Office, Free, BeforeSeal;
    ["case", "address"] => Kind::Text(LINE), Office, Free, BeforeSeal;
    ["case", "position"] => Kind::Map, Creation, Once, BeforeSeal;
    ["case", "position", "lat"] => Kind::Float(-90, 90), Office, Free, BeforeSeal;
    ["case", "position", "lon"] => Kind::Float(-180, 180), Office, Free, BeforeSeal;
    ["case", "product"] => Kind::Text(LINE), Office, Free, BeforeSeal;
    ["case", "principal"] => Kind::Integer(0, MONEY), Office, Free, BeforeSeal;
    ["case", "overdue"] => Kind::Integer(0, MONEY), Office, Free, BeforeSeal;
    ["case", "currency"] => Kind::Text(3), Office, Free, BeforeSeal;
    ["case", "days_past_due"] => Kind::Integer(0, 100_000), Office, Free, BeforeSeal;
    ["case", "due_date"] => Kind::Date, Office, Free, BeforeSeal;
    ["case", "last_payment_date"] => Kind::Date, Office, Free, BeforeSeal;
    ["case", "preferred_language"] => Kind::Text(35), Office, Free, BeforeSeal;
    ["case", "zone"] => Kind::Text(64), Office, Free, BeforeSeal;
    ["case", "note"] => Kind::Text(REMARK), Office, Free, BeforeSeal;
    ["case", "contact_summary"] => Kind::Map, Creation, Once, BeforeSeal;
    ["case", "contact_summary", "as_of"] => Kind::Time, Office, Free, BeforeSeal;
    ["case", "contact_summary", "*"] => Kind::Integer(0, 1_000_000), Office, Free, BeforeSeal;
    ["case", "flags"] => Kind::Map, Creation, Once, BeforeSeal;
    ["case", "flags", "*"] => Kind::Map, Creation, Once, BeforeSeal;
    ["case", "flags", "*", "*"] => Kind::Map, Both, OwnOnce, Always;
    ["case", "flags", "*", "*", "since"] => Kind::Time, Both, OwnOnce, Always;
    ["case", "flags", "*", "*", "until"] => Kind::Time, Both, OwnOnce, Always;
    ["case", "flags", "*", "*", "note"] => Kind::Text(REMARK), Both, OwnOnce, Always;

    ["assignment"] => Kind::Map, Creation, Once, BeforeSeal;
    ["assignment", "collectors"] => Kind::Map, Creation, Once, BeforeSeal;
    ["assignment", "collectors", "*"] => Kind::Member, Office, Free, BeforeSeal;
    ["assignment", "due_by"] => Kind::Date, Office, Free, BeforeSeal;
    ["assignment", "priority"] => Kind::Integer(1, 3), Office, Free, BeforeSeal;
    ["assignment", "instructions"] => Kind::Text(REMARK), Office, Free, BeforeSeal;
    ["assignment", "policy"] => Kind::Text(LINE), Office, Free, BeforeSeal;

    ["contacts"] => Kind::Map, Creation, Once, BeforeSeal;
    ["contacts", "*"] => Kind::Map, Both, Once, BeforeSeal;
    ["contacts", "*", "at"] => Kind::Time, Both, Once, BeforeSeal;
    ["contacts", "*", "zone"] => Kind::Text(64), Both, Once, BeforeSeal;
    ["contacts", "*", "channel"] => one_of!(Channel), Both, Once, BeforeSeal;
    ["contacts", "*", "number_ref"] => Kind::Text(LINE), Both, Once, BeforeSeal;
    ["contacts", "*", "target_role"] => one_of!(TargetRole), Both, Once, BeforeSeal;
    ["contacts", "*", "outcome"] => one_of!(ContactOutcome), Both, Once, BeforeSeal;
    ["contacts", "*", "note"] => Kind::Text(REMARK), Both, Once, BeforeSeal;
    ["contacts", "*", "by"] => Kind::Text(LINE), Both, Once, BeforeSeal;

    ["appointment"] => Kind::Map, Creation, Once, BeforeSeal;
    ["appointment", "starts_at"] => Kind::Time, Both, Free, BeforeSeal;
    ["appointment", "ends_at"] => Kind::Time, Both, Free, BeforeSeal;
    ["appointment", "zone"] => Kind::Text(64), Both, Free, BeforeSeal;
    ["appointment", "place"] => Kind::Text(LINE), Both, Free, BeforeSeal;
    ["appointment", "status"] => one_of!(AppointmentStatus), Both, Free, BeforeSeal;
    ["appointment", "proposed_by"] => one_of!(ProposedBy), Both, Free, BeforeSeal;
    ["appointment", "borrower_remark"] => Kind::Text(REMARK), Both, Free, BeforeSeal;

    ["visit"] => Kind::Map, Creation, Once, BeforeSeal;
    ["visit", "departed_at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "arrived_at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "talk_from"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "talk_to"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "left_at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "asked_to_leave_at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "zone"] => Kind::Text(64), Collector, Free, BeforeSeal;
    ["visit", "position"] => Kind::Map, Creation, Once, BeforeSeal;
    ["visit", "position", "lat"] => Kind::Float(-90, 90), Collector, Free, BeforeSeal;
    ["visit", "position", "lon"] => Kind::Float(-180, 180), Collector, Free, BeforeSeal;
    ["visit", "position", "accuracy_m"] => Kind::Float(0, 50_000_000), Collector, Free, BeforeSeal;
    ["visit", "position", "at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["visit", "place_type"] => one_of!(PlaceType), Collector, Free, BeforeSeal;
    ["visit", "visitors"] => Kind::Map, Creation, Once, BeforeSeal;
    ["visit", "visitors", "*"] => Kind::Member, Collector, Free, BeforeSeal;
    ["visit", "person_met"] => one_of!(TargetRole), Collector, Free, BeforeSeal;

    ["checks"] => Kind::Map, Creation, Once, BeforeSeal;
    ["checks", "*"] => Kind::Map, Creation, Once, BeforeSeal;
    ["checks", "*", "*"] => Kind::Map, Collector, Own, BeforeSeal;
    ["checks", "*", "*", "answer"] => one_of!(CheckAnswer), Collector, Own, BeforeSeal;
    ["checks", "*", "*", "at"] => Kind::Time, Collector, Own, BeforeSeal;
    ["checks", "*", "*", "grade"] => one_of!(Grade), Collector, Own, BeforeSeal;
    ["checks", "*", "*", "reason"] => Kind::Text(REMARK), Collector, Own, BeforeSeal;

    ["talk"] => Kind::Map, Creation, Once, BeforeSeal;
    ["talk", "overdue_reason"] => one_of!(OverdueReason), Collector, Free, BeforeSeal;
    ["talk", "overdue_reason_text"] => Kind::Text(REMARK), Collector, Free, BeforeSeal;
    ["talk", "willingness"] => one_of!(Willingness), Collector, Free, BeforeSeal;
    ["talk", "options"] => Kind::Map, Creation, Once, BeforeSeal;
    ["talk", "options", "*"] => Kind::Map, Collector, Free, BeforeSeal;
    ["talk", "options", "*", "kind"] => one_of!(OptionKind), Collector, Free, BeforeSeal;
    ["talk", "options", "*", "instalments"] => Kind::Integer(1, MOST_INSTALMENTS), Collector, Free, BeforeSeal;
    ["talk", "options", "*", "first_due"] => Kind::Date, Collector, Free, BeforeSeal;
    ["talk", "options", "*", "amount"] => Kind::Integer(0, MONEY), Collector, Free, BeforeSeal;
    ["talk", "options", "*", "term_months"] => Kind::Integer(0, 600), Collector, Free, BeforeSeal;
    ["talk", "options", "*", "offered_by"] => Kind::Text(LINE), Collector, Free, BeforeSeal;
    ["talk", "chosen_option"] => Kind::Text(36), Collector, Free, BeforeSeal;
    ["talk", "promise"] => Kind::Map, Creation, Once, BeforeSeal;
    ["talk", "promise", "amount"] => Kind::Integer(1, MONEY), Collector, Free, BeforeSeal;
    ["talk", "promise", "due_date"] => Kind::Date, Collector, Free, BeforeSeal;
    ["talk", "promise", "channel"] => Kind::Text(LINE), Collector, Free, BeforeSeal;
    ["talk", "disposition"] => one_of!(Disposition), Collector, Free, BeforeSeal;

    ["payments"] => Kind::Map, Creation, Once, BeforeSeal;
    ["payments", "*"] => Kind::Map, Both, Once, Always;
    ["payments", "*", "amount"] => Kind::Integer(1, MONEY), Both, Once, Always;
    ["payments", "*", "at"] => Kind::Time, Both, Once, Always;
    ["payments", "*", "channel"] => Kind::Text(LINE), Both, Once, Always;
    ["payments", "*", "reference"] => Kind::Text(LINE), Both, Once, Always;
    ["payments", "*", "receipt"] => Kind::Text(64), Both, Once, Always;
    ["payments", "*", "by"] => Kind::Text(LINE), Both, Once, Always;

    ["notes"] => Kind::MergedText(PROSE), Both, Free, BeforeSeal;
    ["feedback"] => Kind::MergedText(PROSE), Collector, Free, BeforeSeal;

    ["attachments"] => Kind::Map, Creation, Once, BeforeSeal;
    ["attachments", "*"] => Kind::Map, Both, Once, Always;
    ["attachments", "*", "media_type"] => Kind::Text(100), Both, Once, Always;
    ["attachments", "*", "size"] => Kind::Integer(0, 1_000_000_000), Both, Once, Always;
    ["attachments", "*", "taken_at"] => Kind::Time, Both, Once, Always;
    ["attachments", "*", "kind"] => one_of!(AttachmentKind), Both, Once, Always;
    ["attachments", "*", "caption"] => Kind::Text(LINE), Both, Once, Always;
    ["attachments", "*", "by"] => Kind::Text(LINE), Both, Once, Always;

    ["seal"] => Kind::Map, Creation, Once, BeforeSeal;
    ["seal", "at"] => Kind::Time, Collector, Free, BeforeSeal;
    ["seal", "by"] => Kind::Text(LINE), Collector, Free, BeforeSeal;
    ["seal", "device"] => Kind::Text(32), Collector, Free, BeforeSeal;
    ["seal", "heads"] => Kind::Text(REMARK), Collector, Free, BeforeSeal;

    // Signatures, keyed by an id of their own: two collectors sign while apart. The container is
    // the seal itself, since the first change makes no other.
    ["seal", "*"] => Kind::Map, Collector, Once, AfterSeal;
    ["seal", "*", "at"] => Kind::Time, Collector, Once, AfterSeal;
    ["seal", "*", "by"] => Kind::Text(LINE), Collector, Once, AfterSeal;
    ["seal", "*", "device"] => Kind::Text(32), Collector, Once, AfterSeal;
    ["seal", "*", "key"] => Kind::Text(64), Collector, Once, AfterSeal;
    ["seal", "*", "heads"] => Kind::Text(REMARK), Collector, Once, AfterSeal;
    ["seal", "*", "text"] => Kind::Text(READ_BACK), Collector, Once, AfterSeal;
    ["seal", "*", "signature"] => Kind::Text(128), Collector, Once, AfterSeal;

    ["amendments"] => Kind::Map, Creation, Once, BeforeSeal;
    ["amendments", "*"] => Kind::Map, Both, Once, AfterSeal;
    ["amendments", "*", "at"] => Kind::Time, Both, Once, AfterSeal;
    ["amendments", "*", "by"] => Kind::Text(LINE), Both, Once, AfterSeal;
    ["amendments", "*", "path"] => Kind::Text(LINE), Both, Once, AfterSeal;
    ["amendments", "*", "text"] => Kind::Text(REMARK), Both, Once, AfterSeal;

    ["review"] => Kind::Map, Creation, Once, BeforeSeal;
    ["review", "status"] => one_of!(ReviewStatus), Office, Free, BeforeSeal;
    ["review", "remark"] => Kind::Text(REMARK), Office, Free, BeforeSeal;
    ["review", "by"] => Kind::Text(LINE), Office, Free, BeforeSeal;
    ["review", "at"] => Kind::Time, Office, Free, BeforeSeal;
    // The `seal.at` that was judged: a return opens the record until another seal stands.
    ["review", "of"] => Kind::Time, Office, Free, BeforeSeal;

    // Results of conduct rules: made here so that two devices share the container.
    ["conduct"] => Kind::Map, Creation, Once, BeforeSeal;
    ["conduct", "*"] => Kind::Map, Both, Once, Always;
    ["conduct", "*", "kind"] => one_of!(ConductKind), Both, Once, Always;
    ["conduct", "*", "at"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "by"] => Kind::Text(LINE), Both, Once, Always;
    // An evaluation: by which policy, of which state, and what did not pass.
    ["conduct", "*", "policy"] => Kind::Text(LINE), Both, Once, Always;
    ["conduct", "*", "moment"] => one_of!(Moment), Both, Once, Always;
    ["conduct", "*", "heads"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "answers"] => Kind::Text(REMARK), Both, Once, Always;
    // How far the writing device's clock was ahead of the office's, ms.
    ["conduct", "*", "skew"] => Kind::Integer(-MONEY, MONEY), Both, Once, Always;
    // A consent or an override: of which rule, and why; a consent has bounds and can be withdrawn.
    ["conduct", "*", "rule"] => Kind::Text(32), Both, Once, Always;
    ["conduct", "*", "note"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "from"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "until"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "grade"] => one_of!(Grade), Both, Once, Always;
    ["conduct", "*", "of"] => Kind::Text(64), Both, Once, Always;
    // A notice: about what. A wish: minutes of which days, Monday the lowest bit, or which place.
    ["conduct", "*", "about"] => one_of!(NoticeAbout), Both, Once, Always;
    ["conduct", "*", "days"] => Kind::Integer(0, 127), Both, Once, Always;
    ["conduct", "*", "starts"] => Kind::Integer(0, 1_440), Both, Once, Always;
    ["conduct", "*", "ends"] => Kind::Integer(0, 1_440), Both, Once, Always;
    ["conduct", "*", "place"] => one_of!(PlaceType), Both, Once, Always;
};

/// How a field of a [`FieldGroup`] is bound to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRole {
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
pub struct FieldGroup {
    /// The container, which the first change makes.
    pub path: &'static [&'static str],
    /// Keys, each with its bond.
    pub fields: &'static [(&'static str, GroupRole)],
}

impl FieldGroup {
    /// Whether the field at a path belongs to the group.
    pub fn contains(&self, path: &[&str]) -> bool {
        path.split_last().is_some_and(|(key, parent)| {
            parent == self.path && self.fields.iter().any(|(field, _)| field == key)
        })
    }
}

/// The collector's seal.
pub const SEAL: FieldGroup = FieldGroup {
    path: &["seal"],
    fields: &[
        ("at", GroupRole::Written),
        ("by", GroupRole::Author),
        ("device", GroupRole::Device),
        ("heads", GroupRole::Written),
    ],
};

/// The office's review.
pub const REVIEW: FieldGroup = FieldGroup {
    path: &["review"],
    fields: &[
        ("status", GroupRole::Required),
        ("remark", GroupRole::Optional),
        ("by", GroupRole::Author),
        ("at", GroupRole::Written),
        ("of", GroupRole::Required),
    ],
};

/// The promise to pay.
pub const PROMISE: FieldGroup = FieldGroup {
    path: &["talk", "promise"],
    fields: &[
        ("amount", GroupRole::Required),
        ("due_date", GroupRole::Required),
        ("channel", GroupRole::Required),
    ],
};

/// The window of the appointment. A start may be written down before its end is known.
pub const WINDOW: FieldGroup = FieldGroup {
    path: &["appointment"],
    fields: &[
        ("starts_at", GroupRole::Optional),
        ("ends_at", GroupRole::Optional),
        ("zone", GroupRole::Optional),
    ],
};

/// Every group.
pub const GROUPS: &[FieldGroup] = &[SEAL, REVIEW, PROMISE, WINDOW];

/// The group of a field, if it belongs to one.
pub fn group(path: &[&str]) -> Option<&'static FieldGroup> {
    GROUPS.iter().find(|group| group.contains(path))
}

/// The row for a path, or `None` where the schema knows no such path.
///
/// Keys under `*` that only a vocabulary may hold (`case.flags`, `checks`) are checked too.
pub fn field_spec(path: &[&str]) -> Option<&'static FieldSpec> {
    let known = |row: &&FieldSpec| {
        row.path.len() == path.len()
            && row
                .path
                .iter()
                .zip(path)
                .all(|(want, have)| matches!(*want, "*" | "#") || want == have)
    };
    let row = FIELDS.iter().find(known)?;
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
    for row in FIELDS {
        let made = match row.kind {
            Kind::Map | Kind::List => row.writers == Writers::Creation,
            Kind::MergedText(_) => true,
            Kind::Text(_)
            | Kind::Enum(_)
            | Kind::Integer(..)
            | Kind::Float(..)
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
        for row in FIELDS {
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
            assert_eq!(field_spec(&path).map(|found| found.path), Some(row.path), "{path:?}");
        }
        assert!(field_spec(&["case", "flags", "unheard_of"]).is_none());
        assert!(field_spec(&["borrower"]).is_none());
        assert!(field_spec(&["seal", "chen.jie"]).is_none());
    }

    #[test]
    fn every_field_of_a_group_has_a_row_and_one_group() {
        for group in GROUPS {
            for (key, _) in group.fields {
                let path: Vec<&str> = group.path.iter().copied().chain([*key]).collect();
                assert!(field_spec(&path).is_some(), "{path:?}");
                assert_eq!(GROUPS.iter().filter(|other| other.contains(&path)).count(), 1);
            }
        }
    }
}
