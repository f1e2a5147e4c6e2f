//! Every route: who may use it, and what it is for.

use axum::http::Method;

use crate::record::terms::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anyone,
    /// Who keeps the machine: a program on it, or one that has the metrics token.
    Operator,
    /// These roles, signed in.
    Roles(&'static [Role]),
}

/// One route.
#[derive(Debug)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path as it is documented; `{id}` is the id of a record or a device, `{number}` one in
    /// quarantine.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does.
    pub summary: &'static str,
    /// Names and meanings of query parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// Media type of the request's body, if it has one.
    pub body: Option<&'static str>,
    /// Status and media type of the answer when all is well.
    pub answer: (u16, &'static str),
}

use Access::{Anyone, Operator, Roles};
use Role::{Admin, Auditor, Collector, Supervisor};

const EVERYBODY: Access = Roles(&[Collector, Supervisor, Auditor, Admin]);
const READERS: Access = Roles(&[Supervisor, Auditor, Admin]);
const EDITORS: Access = Roles(&[Supervisor, Admin]);
const ADMINS: Access = Roles(&[Admin]);

const JSON: &str = "application/json";
const CBOR: &str = "application/cbor";
const BYTES: &str = "application/octet-stream";

/// Filters that lists and exports share.
const FILTERS: &[(&str, &str)] = &[
    ("q", "part of the case number, the borrower's name or the address"),
    ("stage", "stages, comma-separated"),
    ("collector", "sign-in name of a collector"),
    ("review", "pending, accepted or returned"),
    ("hold", "a hold that stands, such as dispute"),
    ("conflicts", "1: only with conflicts"),
    ("unassigned", "1: only without a collector"),
    ("since", "only what changed since: a date, an RFC 3339 time or ms"),
    ("sort", "updated, due, case_no or overdue (lists only)"),
    ("dir", "asc or desc (lists only)"),
    ("limit", "rows of a page, 1 to 200 (lists only)"),
    ("after", "the cursor of the page before (lists only)"),
    ("format", "csv, xlsx, jsonl or automerge (exports only)"),
];

/// The table. What is not in it is refused.
pub const ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        path: "/api/session",
        access: Anyone,
        summary: "Sign in; gives a cookie and the same token for programs",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/session",
        access: EVERYBODY,
        summary: "RequestSource is signed in",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::DELETE,
        path: "/api/session",
        access: EVERYBODY,
        summary: "Sign out",
        query: &[],
        body: None,
        answer: (204, JSON),
    },
    Route {
        method: Method::PUT,
        path: "/api/device/key",
        access: Roles(&[Collector]),
        summary: "Enrol the public key (Ed25519, hex) that this device signs seals with",
        query: &[],
        body: Some(JSON),
        answer: (204, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/sign-in",
        access: Anyone,
        summary: "Which ways to sign in there are besides the password",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/sign-in/openid",
        access: Anyone,
        summary: "Begin to sign in with the identity provider: `door` is field or office, \
            `device` a phone's; says in `to` where the browser goes",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/sign-in/openid/return",
        access: Anyone,
        summary: "Where the identity provider sends the browser back to",
        query: &[
            ("code", "what the provider answers with"),
            ("state", "what ties the answer to the browser"),
            ("iss", "the provider, where it says so"),
            ("error", "why nobody was signed in"),
        ],
        body: None,
        answer: (303, "text/html"),
    },
    Route {
        method: Method::POST,
        path: "/sync",
        access: Roles(&[Collector]),
        summary: "One round of a phone: changes up, one page of its feed down",
        query: &[],
        body: Some(CBOR),
        answer: (200, CBOR),
    },
    Route {
        method: Method::GET,
        path: "/api/events",
        access: EVERYBODY,
        summary: "Server-sent events: `moved` when a feed moved, a collector's own only",
        query: &[("workspace", "the first 8 digits of the device's id, from a phone's app")],
        body: None,
        answer: (200, "text/event-stream"),
    },
    Route {
        method: Method::GET,
        path: "/api/visits",
        access: READERS,
        summary: "One page of the records that pass the filters",
        query: FILTERS,
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/visits/{id}",
        access: READERS,
        summary: "Everything that a record says",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/visits/{id}.automerge",
        access: READERS,
        summary: "A record's document, loadable by any Automerge 3 implementation",
        query: &[],
        body: None,
        answer: (200, BYTES),
    },
    Route {
        method: Method::GET,
        path: "/api/visits/{id}/conduct",
        access: READERS,
        summary: "What the rules of conduct say of a record",
        query: &[("moment", "before, arrival or after; the one it has come to without")],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/conduct",
        access: READERS,
        summary: "One page of the queue: what failed and what is unknown",
        query: &[
            ("answer", "fail or unknown; both without"),
            ("rule", "only this rule, such as CN-04"),
            ("limit", "rows of a page, 1 to 200"),
            ("after", "the cursor of the page before"),
        ],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/conduct/layers",
        access: EVERYBODY,
        summary: "The lender's own layers of conduct, as phones take them",
        query: &[],
        body: None,
        answer: (200, CBOR),
    },
    Route {
        method: Method::GET,
        path: "/api/visits/{id}/history",
        access: READERS,
        summary: "Every change of every field of a record, oldest first",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/visits/{id}/commands",
        access: EDITORS,
        summary: "An edit of the office; gives the record after it",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/cases/import",
        access: EDITORS,
        summary: "Import a case list: CSV or XLSX",
        query: &[
            ("dry_run", "1: only say what would happen"),
            ("assign_to", "collector of rows that name none"),
        ],
        body: Some(BYTES),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/export",
        access: READERS,
        summary: "Download the records that pass the filters",
        query: FILTERS,
        body: None,
        answer: (200, BYTES),
    },
    Route {
        method: Method::GET,
        path: "/api/lender",
        access: EVERYBODY,
        summary: "The lender's name and complaint channel, as borrowers are told",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/users",
        access: READERS,
        summary: "Users, or those of one role",
        query: &[("role", "collector, supervisor, auditor or admin")],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/users",
        access: ADMINS,
        summary: "Add a user: `name`, `role`, and if wanted `display_name` and `password`",
        query: &[],
        body: Some(JSON),
        answer: (201, JSON),
    },
    Route {
        method: Method::PATCH,
        path: "/api/users/{name}",
        access: ADMINS,
        summary: "Change `display_name`, `role`, `disabled` or `password` of a user, or `unlink` or \
            `link` the account of the identity provider (`issuer`, `subject`); another role or \
            password ends every sign-in, and a collector who becomes more is unlinked",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/devices",
        access: READERS,
        summary: "Devices, those seen last first; a supervisor sees those of collectors",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/devices/{id}/revoke",
        access: ADMINS,
        summary: "Refuse a device from now on; `reason` says why",
        query: &[],
        body: Some(JSON),
        answer: (204, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/quarantine",
        access: READERS,
        summary: "One page of the work that was refused, newest first",
        query: &[
            ("state", "open, accepted or dismissed"),
            ("user", "sign-in name of whoever sent it"),
            ("device", "the device that sent it, 32 hex digits"),
            ("record", "a record's id"),
            ("code", "why it was refused, such as not_allowed"),
            ("limit", "rows of a page, 1 to 200"),
            ("after", "the cursor of the page before"),
        ],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/quarantine/usage",
        access: READERS,
        summary: "How full the quarantine is, whose share of it is, and what was exported",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/quarantine/export",
        access: ADMINS,
        summary: "Decided work with its bytes, lines of JSON; the last one has the hash of the others",
        query: &[],
        body: None,
        answer: (200, BYTES),
    },
    Route {
        method: Method::POST,
        path: "/api/quarantine/export/delete",
        access: ADMINS,
        summary: "Delete the bytes that an export holds, which its last line shows; is recorded",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/quarantine/{number}",
        access: READERS,
        summary: "What refused work would do, field by field beside what the office has",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/quarantine/{number}/accept",
        access: EDITORS,
        summary: "Accept refused work; once, however often it is asked",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::POST,
        path: "/api/quarantine/{number}/dismiss",
        access: EDITORS,
        summary: "Dismiss refused work, with a reason; it stays kept",
        query: &[],
        body: Some(JSON),
        answer: (200, JSON),
    },
    Route {
        method: Method::PUT,
        path: "/api/blobs/{sha256}",
        access: Roles(&[Collector, Supervisor, Admin]),
        summary: "A piece of an attachment's bytes, with Content-Range; without bytes and with \
            `bytes */TOTAL`, how far the upload is",
        query: &[],
        body: Some(BYTES),
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/api/blobs/{sha256}",
        access: EVERYBODY,
        summary: "An attachment's bytes, for whoever may see a record that names it",
        query: &[],
        body: None,
        answer: (200, BYTES),
    },
    Route {
        method: Method::GET,
        path: "/api/openapi.json",
        access: Anyone,
        summary: "This description",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/healthz",
        access: Anyone,
        summary: "The program runs",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/readyz",
        access: Anyone,
        summary: "The office is not stopping and its store takes writes",
        query: &[],
        body: None,
        answer: (200, JSON),
    },
    Route {
        method: Method::GET,
        path: "/metrics",
        access: Operator,
        summary: "Figures of the running program, in the text format of Prometheus",
        query: &[],
        body: None,
        answer: (200, "text/plain"),
    },
];

/// The table's own copy of a path that the router matched.
pub(super) fn name(matched: &str) -> &'static str {
    ROUTES.iter().find(|route| route.path == matched).map_or("other", |route| route.path)
}

/// Who may use what the router matched; `None` where the table has no such route.
pub(super) fn access(method: &Method, matched: &str) -> Option<Access> {
    // The router knows no path that ends in `.automerge` apart: its handler tells them apart.
    let asked = if *method == Method::HEAD { &Method::GET } else { method };
    let route = ROUTES.iter().find(|route| route.method == *asked && route.path == matched);
    route.map(|route| route.access)
}
