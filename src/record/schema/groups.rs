//! Groups of fields that are written together (rule M10).

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
