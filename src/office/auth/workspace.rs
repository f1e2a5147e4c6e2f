//! Which workspace a request belongs to (rule R9).
//!
//! All pages of a browser share one session cookie. After another sign-in in the same browser, in
//! a second tab, in the console or on the way back from the identity provider, a workspace that
//! still runs would send its work under another user's session and be given that user's records. So
//! a phone names its workspace in every request, and no session answers for another workspace.

use crate::ids::{DeviceId, hex};
use crate::office::Session;
use crate::record::terms::Role;

/// Bytes of the device's id that a request carries. They are no secret; they only have to tell
/// apart the few devices that one browser ever was.
const NAME_BYTES: usize = 4;

/// Why a session does not answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// The request belongs to the workspace of another device.
    #[error("another user or device is signed in in this browser: sign in again")]
    Other,
    /// The app does not say which workspace asks: it is older than this rule.
    #[error("this version of the app does not say which workspace asks: update it")]
    Unnamed,
}

/// What a device's workspace is called in requests: 8 hex digits.
pub fn workspace_name(device: DeviceId) -> String {
    hex(&device.0[..NAME_BYTES])
}

impl Session {
    /// Refuses a request that belongs to another workspace. `by_cookie` says that the browser added
    /// the session automatically; then a phone has to name its workspace. A program that shows a token
    /// chooses it for each request, so it may leave the name out.
    pub fn check_workspace(
        &self,
        named: Option<&str>,
        by_cookie: bool,
    ) -> Result<(), WorkspaceError> {
        match named {
            Some(name) if name == workspace_name(self.device) => Ok(()),
            Some(_) => Err(WorkspaceError::Other),
            None if by_cookie && self.role == Role::Collector => Err(WorkspaceError::Unnamed),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_a_session_answers_for_its_own_workspace_alone() {
        let session = |role| Session { user: "chen.jie".into(), role, device: DeviceId([7; 16]) };
        let (phone, desk) = (session(Role::Collector), session(Role::Supervisor));
        for by_cookie in [true, false] {
            assert_eq!(phone.check_workspace(Some("07070707"), by_cookie), Ok(()));
            for other in ["08080808", "0707070", "070707070", "07070707 ", ""] {
                for session in [&phone, &desk] {
                    let checked = session.check_workspace(Some(other), by_cookie);
                    assert_eq!(checked, Err(WorkspaceError::Other), "{other:?}");
                }
            }
            assert_eq!(desk.check_workspace(None, by_cookie), Ok(()));
        }
        assert_eq!(phone.check_workspace(None, true), Err(WorkspaceError::Unnamed));
        assert_eq!(phone.check_workspace(None, false), Ok(()));
    }
}
