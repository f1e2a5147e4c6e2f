//! Who makes a change.

use automerge::ActorId;

use super::authority::Principal;
use super::terms::{Role, Stage};

/// The author of a change, with time and place.
#[derive(Debug, Clone)]
pub struct Author {
    /// Actor of the writing device and session (rule I1).
    pub actor: ActorId,
    /// Sign-in name; it travels as the change's message.
    pub user: String,
    /// Role.
    pub role: Role,
    /// The writer's clock, ms since 1970 UTC.
    pub now_ms: i64,
    /// IANA time zone of the writing device.
    pub zone: String,
}

impl Author {
    pub(super) fn as_principal(&self, stage: Stage) -> Principal<'_> {
        Principal { user: &self.user, role: self.role, stage, current: stage, approved: false }
    }
}
