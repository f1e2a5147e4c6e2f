//! The table of schema 1: one row per path.

use super::{FieldSpec, Kind, MONEY, MOST_INSTALMENTS, Mutability, SCHEMA, WriteWindow, Writers};
use crate::record::terms::{
    AppointmentStatus, AttachmentKind, Channel, CheckAnswer, ConductKind, ContactOutcome,
    Disposition, Grade, Moment, NoticeAbout, OptionKind, OverdueReason, PlaceType, ProposedBy,
    ReviewStatus, TargetRole, Willingness,
};

/// Maximum length of one-line text: enough for an address, short enough for a list.
const LINE: usize = 400;
/// Maximum length of a remark.
const REMARK: usize = 4_000;
/// Maximum length of the text that is read back: the longest feedback and the template around it.
const READ_BACK: usize = 60_000;
/// Maximum length of notes or feedback: about twenty pages.
const PROSE: usize = 40_000;

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

/// Schema 1. Containers of the first change have the writers `Creation`.
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

    // Signatures have ids as keys, since two collectors may sign concurrently. They are in the
    // container of the seal because the first change has no other.
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
    // The fields that a return is about: a line each, `path note`.
    ["review", "marks"] => Kind::Text(REMARK), Office, Free, BeforeSeal;
    ["review", "by"] => Kind::Text(LINE), Office, Free, BeforeSeal;
    ["review", "at"] => Kind::Time, Office, Free, BeforeSeal;
    // The `seal.at` that was reviewed: a return opens the record until it is sealed again.
    ["review", "of"] => Kind::Time, Office, Free, BeforeSeal;

    // Conduct entries: evaluations, consents, overrides, notices and wishes.
    ["conduct"] => Kind::Map, Creation, Once, BeforeSeal;
    ["conduct", "*"] => Kind::Map, Both, Once, Always;
    ["conduct", "*", "kind"] => one_of!(ConductKind), Both, Once, Always;
    ["conduct", "*", "at"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "by"] => Kind::Text(LINE), Both, Once, Always;
    // Evaluation: policy, moment, evaluated heads, and the rules that did not pass.
    ["conduct", "*", "policy"] => Kind::Text(LINE), Both, Once, Always;
    ["conduct", "*", "moment"] => one_of!(Moment), Both, Once, Always;
    ["conduct", "*", "heads"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "answers"] => Kind::Text(REMARK), Both, Once, Always;
    // By how much the device's clock was ahead of the office's, ms.
    ["conduct", "*", "skew"] => Kind::Integer(-MONEY, MONEY), Both, Once, Always;
    // Consent or override: rule and note; a consent has a validity period and can be withdrawn.
    ["conduct", "*", "rule"] => Kind::Text(32), Both, Once, Always;
    ["conduct", "*", "note"] => Kind::Text(REMARK), Both, Once, Always;
    ["conduct", "*", "from"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "until"] => Kind::Time, Both, Once, Always;
    ["conduct", "*", "grade"] => one_of!(Grade), Both, Once, Always;
    ["conduct", "*", "of"] => Kind::Text(64), Both, Once, Always;
    // Notice: subject. Wish: minutes of the day on a bit mask of weekdays (Monday lowest), place.
    ["conduct", "*", "about"] => one_of!(NoticeAbout), Both, Once, Always;
    ["conduct", "*", "days"] => Kind::Integer(0, 127), Both, Once, Always;
    ["conduct", "*", "starts"] => Kind::Integer(0, 1_440), Both, Once, Always;
    ["conduct", "*", "ends"] => Kind::Integer(0, 1_440), Both, Once, Always;
    ["conduct", "*", "place"] => one_of!(PlaceType), Both, Once, Always;
};
