//! Problem details (RFC 9457): the only form in which an error leaves the office.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::metrics;
use crate::office::OfficeError;
use crate::office::auth::{AuthError, WorkspaceError};
use crate::office::sheets::import::ImportError;
use crate::office::sheets::import::SheetError;
use crate::office::store::StoreError;
use crate::record::CommandError;
use crate::record::authority::Denied;
use crate::sync::MalformedBody;

/// An error as it is sent. `code` is the stable word that programs and translations use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    path: String,
    retry_after: Option<u64>,
}

/// Problem details (RFC 9457).
#[derive(Serialize, JsonSchema)]
pub(super) struct ProblemDetails<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// a stable word, such as not_allowed
    code: &'static str,
    /// one sentence for people
    detail: &'a str,
    /// the field or parameter it is about
    #[serde(default, skip_serializing_if = "str::is_empty")]
    path: &'a str,
}

/// The code of the problem in an answer, for metrics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// `Retry-After` for a busy office, s: long enough for a burst to pass, short enough not to annoy.
const BUSY_RETRY: u64 = 10;

const REPORT_TOKEN: &str = "report_token";
const REPORT_SCHEME: &str = "Basic realm=\"Doorstep reports\", charset=\"UTF-8\"";

impl Problem {
    /// A problem with a status, a stable word and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), path: String::new(), retry_after: None }
    }

    /// The same, about a field or a parameter.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// A query parameter with an unknown value.
    pub(super) fn parameter(name: &'static str) -> Self {
        let detail = format!("the parameter {name} has no such value");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail).at(name)
    }

    pub(super) fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed_out", "sign in first")
    }

    /// A program for reports has no valid token.
    pub(super) fn report_token() -> Self {
        let detail = "use a token for reports, made in the console, as the password";
        Self::new(StatusCode::UNAUTHORIZED, REPORT_TOKEN, detail)
    }

    /// The request belongs to another workspace than the session. Nothing was done.
    pub(super) fn workspace(error: WorkspaceError) -> Self {
        let (status, code) = match error {
            WorkspaceError::Other => (StatusCode::CONFLICT, "other_workspace"),
            // The app then looks for its update and keeps its work until then.
            WorkspaceError::Unnamed => (StatusCode::UPGRADE_REQUIRED, "unsupported_version"),
        };
        Self::new(status, code, error.to_string())
    }

    pub(super) fn foreign() -> Self {
        let detail = "this is for pages of the office itself, not for those of another site";
        Self::new(StatusCode::FORBIDDEN, "other_site", detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
    }

    pub(super) fn unknown_record() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_record", "the office has no such record")
    }

    pub(super) fn internal() -> Self {
        let detail = "the office failed: try again, and tell its operator the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The field or parameter that it is about, or empty.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The office is at its limits. Nothing was done.
    pub(super) fn busy() -> Self {
        let detail = "the office has no room for this now: nothing was done, try again";
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "office_busy", detail);
        Self { retry_after: Some(BUSY_RETRY), ..busy }
    }

    /// Too many requests from one user or address.
    pub(super) fn rate_limited(wait: Duration) -> Self {
        let detail = "too many requests: nothing was done, try again later";
        let limited = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self { retry_after: Some(seconds.max(1)), ..limited }
    }

    pub(super) fn took_too_long() -> Self {
        let detail = "this took too long: try again, or ask for less";
        let late = Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail);
        Self { retry_after: Some(BUSY_RETRY), ..late }
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large")
    }

    fn unavailable() -> Self {
        let detail = "the office cannot reach its database: nothing is lost, try again";
        let down = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        Self { retry_after: Some(BUSY_RETRY), ..down }
    }

    pub(super) fn closing() -> Self {
        let closing = Self::new(StatusCode::SERVICE_UNAVAILABLE, "closing", "the office restarts");
        Self { retry_after: Some(5), ..closing }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, path, retry_after } = &self;
        let body = ProblemDetails {
            kind: format!("about:blank#{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail,
            path,
        };
        // Strings and a number always serialize.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (*status, body).into_response();
        response.extensions_mut().insert(Code(code));
        let headers = response.headers_mut();
        let media = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media);
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, (*seconds).into());
        }
        if *status == StatusCode::UNAUTHORIZED {
            // Excel asks for a user name and a password where a service takes them.
            let scheme = if *code == REPORT_TOKEN { REPORT_SCHEME } else { "Bearer" };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::closing(),
            StoreError::Busy => metrics::shed("store"),
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the database is unavailable");
                Self::unavailable()
            }
            StoreError::Damaged(_) | StoreError::Failed(_) => {
                tracing::error!(%error, "the store failed");
                Self::internal()
            }
        }
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Store(error) => error.into(),
            OfficeError::UnknownRecord => Self::unknown_record(),
            OfficeError::Command(error) => error.into(),
            OfficeError::Refused(refusal) => {
                let status = StatusCode::CONFLICT;
                Self::new(status, refusal.code.as_str(), refusal.message).at(refusal.path)
            }
            error @ OfficeError::TooMany => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Self::new(status, "too_large", error.to_string())
            }
            error @ OfficeError::Repeated => {
                Self::new(StatusCode::BAD_REQUEST, "malformed", error.to_string())
            }
            OfficeError::Busy => metrics::shed("work"),
            OfficeError::Quarantine(error) => error.into(),
            OfficeError::Closing => Self::closing(),
            error @ (OfficeError::Damaged(_)
            | OfficeError::Address(_)
            | OfficeError::OwnTools
            | OfficeError::Migration) => {
                tracing::error!(%error, "the office failed");
                Self::internal()
            }
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let status = match &error {
            CommandError::Denied { denied, .. } => match denied {
                Denied::Role | Denied::NotOwn => StatusCode::FORBIDDEN,
                Denied::Fixed | Denied::Sealed | Denied::NotSealed | Denied::Once => {
                    StatusCode::CONFLICT
                }
                Denied::UnknownPath => StatusCode::UNPROCESSABLE_ENTITY,
            },
            CommandError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            CommandError::Missing { .. } => StatusCode::CONFLICT,
            CommandError::Document(_) => {
                tracing::error!(%error, "a document failed");
                return Self::internal();
            }
        };
        Self::new(status, error.code(), error.to_string()).at(error.path())
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::WrongPassword => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_password", detail)
            }
            AuthError::TooManyAttempts { seconds } => Self {
                retry_after: Some(seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail)
            },
            AuthError::Busy => Self {
                retry_after: Some(5),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "office_busy", detail)
            },
            AuthError::UnknownAccount => {
                Self::new(StatusCode::FORBIDDEN, "openid_unknown_account", detail)
            }
            AuthError::OtherAccount => {
                Self::new(StatusCode::FORBIDDEN, "openid_other_account", detail)
            }
            AuthError::LastAdmin => Self::new(StatusCode::CONFLICT, "last_admin", detail),
            AuthError::DeviceRevoked => Self::new(StatusCode::FORBIDDEN, "device_revoked", detail),
            AuthError::DeviceOfOtherUser => {
                Self::new(StatusCode::FORBIDDEN, "device_of_other_user", detail)
            }
            AuthError::TooManyDevices => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_devices", detail)
            }
            AuthError::DeviceUnknown => Self::new(StatusCode::FORBIDDEN, "device_unknown", detail),
            AuthError::NotLinked => Self::new(StatusCode::FORBIDDEN, "openid_not_linked", detail),
            AuthError::AccountTaken => Self::new(StatusCode::CONFLICT, "account_taken", detail),
            AuthError::NameTaken(_) => Self::new(StatusCode::CONFLICT, "name_taken", detail),
            AuthError::Invalid(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", detail)
            }
            AuthError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            AuthError::Store(error) => error.into(),
            AuthError::Closing => Self::closing(),
        }
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let detail = error.to_string();
        let unfit = StatusCode::UNPROCESSABLE_ENTITY;
        match error {
            ImportError::Sheet(SheetError::TooLarge) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            ImportError::Sheet(_) => Self::new(unfit, "no_sheet", detail),
            ImportError::NoCollector(_) => {
                Self::new(unfit, "not_a_collector", detail).at("assign_to")
            }
            ImportError::Office(error) => error.into(),
            ImportError::Accounts(error) => error.into(),
        }
    }
}

impl From<MalformedBody> for Problem {
    fn from(error: MalformedBody) -> Self {
        let (status, code) = match error {
            MalformedBody::Version(_) => (StatusCode::UPGRADE_REQUIRED, "unsupported_version"),
            MalformedBody::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            MalformedBody::Truncated | MalformedBody::Malformed(_) => {
                (StatusCode::BAD_REQUEST, "malformed")
            }
        };
        Self::new(status, code, error.to_string())
    }
}
