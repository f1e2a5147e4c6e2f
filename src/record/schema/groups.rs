//! Groups of fields that are written together (rule M10).

/// The condition on one field of a [`FieldGroup`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRole {
    /// Rewritten by every change that writes the group.
    Written,
    /// Contains the sign-in name of the change's author.
    Author,
    /// Contains the id of the device that makes the change.
    Device,
    /// Present whenever another field of the group is.
    Required,
    /// May be absent; rewritten with the others.
    Optional,
}

/// Fields of one container that are only meaningful together. A command writes all of them in
/// consecutive operations, in this order: then one of two concurrent changes wins in every field.
/// The office refuses a change that breaks a condition in the state its author saw (rule M10).
#[derive(Debug, Clone, Copy)]
pub struct FieldGroup {
    /// The container, one of the first change.
    pub path: &'static [&'static str],
    /// Keys with their conditions.
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
        ("marks", GroupRole::Optional),
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

/// The time window of the appointment. The start may be known before the end.
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
