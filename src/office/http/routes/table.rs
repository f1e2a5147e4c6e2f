//! The table of routes.

use axum::http::Method;

use super::super::endpoint::endpoint;
use super::super::traffic::Queue;
use super::super::{
    audit, blobs, bulk, commands, complaints, conduct, device_key, events, fleet, health, imports,
    lender, metrics, odata, openapi, openid_sign_in, proposals, quarantine, queues, receipts,
    report, report_tokens, reviews, safety, session, support, sync, transfer, users, views, visits,
    web_push,
};
use super::Access::{self, Anyone, Operator, Reports, Roles};
use super::Admission::{self, Download, Immediate, Queued, Stream};
use super::{Problems, Route, route};
use crate::office::blobs::MAX_PIECE_BYTES;
use crate::office::support::MAX_BUNDLE_BYTES;
use crate::record::terms::Role::{Admin, Auditor, Collector, Supervisor};
use crate::sync::message::MAX_BODY;

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

const EVERYBODY: Access = Roles(&[Collector, Supervisor, Auditor, Admin]);
const COLLECTORS: Access = Roles(&[Collector]);
const SENDERS: Access = Roles(&[Collector, Supervisor, Admin]);
const READERS: Access = Roles(&[Supervisor, Auditor, Admin]);
const EDITORS: Access = Roles(&[Supervisor, Admin]);
const ADMINS: Access = Roles(&[Admin]);
const AUDITORS: Access = Roles(&[Auditor, Admin]);

const SIGN_IN: Admission = Queued(Queue::SignIns, |limits| limits.sign_in_body);
/// Requests of every role have small bodies: collectors must not fill the console's memory.
const SMALL: Admission = Queued(Queue::Reads, |limits| limits.sign_in_body);
const CONSOLE: Admission = Queued(Queue::Reads, |limits| limits.command_body);
const ROUND: Admission = Queued(Queue::Rounds, |_| MAX_BODY);
const PIECE: Admission = Queued(Queue::Pieces, |_| MAX_PIECE_BYTES as usize);
/// Quotes and line breaks of a bundle are escaped. With the rounds, which may be larger by far.
const BUNDLE: Admission = Queued(Queue::Rounds, |_| 2 * MAX_BUNDLE_BYTES + 1024);
const SHEET: Admission = Queued(Queue::Sheets, |limits| limits.sheet_body);
const LONG_COMMAND: Admission = Queued(Queue::Sheets, |limits| limits.command_body);

pub(in super::super) const JSON: &str = "application/json";
pub(in super::super) const BYTES: &str = "application/octet-stream";
const CBOR: &str = "application/cbor";
const EVENTS: &str = "text/event-stream";

/// Problems of a decision on refused work.
const DECISION: Problems =
    &[(409, &["already_accepted", "record_moved", "approval_needed"]), (422, &["reason_needed"])];

/// Problems of a change that another person has to approve.
const PROPOSAL: Problems = &[
    (403, &["only_admins"]),
    (404, &["unknown_proposal"]),
    (409, &["own_proposal", "not_own_proposal", "proposal_decided", "proposal_expired"]),
    (409, &["proposer_left", "record_moved", "nothing_to_change"]),
    (422, &["reason_needed"]),
];

/// The table. What is not in it is not served.
#[rustfmt::skip] // One row a route.
pub const ROUTES: &[Route] = &[
    route(POST, "/api/session", Anyone, SIGN_IN, || endpoint(session::sign_in),
        "Sign in; gives a cookie and the same token for programs")
        .problems(&[
            (401, &["wrong_password"]),
            (403, &["device_revoked", "device_of_other_user", "device_unknown"]),
            (429, &["too_many_attempts", "too_many_devices"]),
        ]),
    route(GET, "/api/session", EVERYBODY, SMALL, || endpoint(session::show),
        "Who is signed in"),
    route(DELETE, "/api/session", EVERYBODY, SMALL, || endpoint(session::sign_out),
        "Sign out")
        .status(204),
    route(PUT, "/api/device/key", COLLECTORS, SMALL, || endpoint(device_key::enrol),
        "Enrol the public key (Ed25519, hex) that this device signs seals with")
        .status(204),
    route(PUT, "/api/device/report", COLLECTORS, SMALL, || endpoint(fleet::report),
        "What this device says about itself: unsent changes, storage, clock, failed rounds; at most \
         once a minute")
        .status(204),
    route(GET, "/api/device/support", COLLECTORS, SMALL, || endpoint(support::pending),
        "The support bundle that the office asks this device for, if any"),
    route(PUT, "/api/device/support/{id}", COLLECTORS, BUNDLE, || endpoint(support::answer),
        "Send the support bundle that the office asked for, or decline; idempotent")
        .status(204),
    route(GET, "/api/sign-in", Anyone, SIGN_IN, || endpoint(openid_sign_in::ways),
        "Sign-in methods besides the password"),
    route(POST, "/api/sign-in/openid", Anyone, SIGN_IN, || endpoint(openid_sign_in::begin),
        "Start a sign-in with the identity provider: `door` is field or office, `device` a \
         phone's; `to` in the answer is where the browser goes")
        .problems(&[(404, &["not_found"])]),
    route(GET, "/api/sign-in/openid/return", Anyone, SIGN_IN, || endpoint(openid_sign_in::finish),
        "Where the identity provider sends the browser back to")
        .status(303)
        .gives("text/html")
        .problems(&[
            (403, &["openid_unknown_account", "openid_other_account", "openid_not_linked"]),
            (403, &["device_revoked", "device_unknown"]),
            (404, &["not_found"]),
        ]),
    route(POST, "/sync", COLLECTORS, ROUND, || endpoint(sync::round),
        "One round of a phone: changes up, one page of its feed down")
        .takes(CBOR)
        .gives(CBOR)
        .open_to_revoked(),
    route(GET, "/api/events", EVERYBODY, Stream, || endpoint(events::stream),
        "Server-sent events: `moved` when a feed moved, a collector's own only")
        .gives(EVENTS),
    route(GET, "/api/visits", READERS, CONSOLE, || endpoint(visits::list),
        "One page of the records that pass the filters"),
    route(GET, "/api/queues", READERS, CONSOLE, || endpoint(queues::counts),
        "How many records wait in each queue, and what else waits for the office"),
    route(POST, "/api/assignments", EDITORS, CONSOLE, || endpoint(queues::assign),
        "Assign many records; answers with what became of each")
        .problems(&[(422, &["not_a_collector"])]),
    route(POST, "/api/bulk", EDITORS, CONSOLE, || endpoint(bulk::act),
        "Accept many records, or place or lift a hold on them; answers with what became of each"),
    route(GET, "/api/visits/{id}/review", READERS, CONSOLE, || endpoint(reviews::show),
        "The acceptance of a record that waits for a second person, and the record's audit"),
    route(POST, "/api/visits/{id}/audit", READERS, CONSOLE, || endpoint(reviews::audit),
        "Store the outcome of the audit of a drawn record, by a person who neither visited nor \
         reviewed it")
        .problems(&[
            (404, &["not_found"]),
            (409, &["record_moved", "audit_decided", "own_audit"]),
            (422, &["reason_needed"]),
        ]),
    route(GET, "/api/visits/{id}", READERS, CONSOLE, || endpoint(visits::show),
        "A record, whole"),
    route(GET, "/api/visits/{id}.automerge", READERS, CONSOLE, || endpoint(visits::show),
        "A record's document, loadable by any Automerge 3 implementation")
        .gives(BYTES)
        .alias(),
    route(GET, "/api/visits/{id}/conduct", READERS, CONSOLE, || endpoint(conduct::show),
        "Answers of the rules of conduct for a record"),
    route(GET, "/api/conduct", READERS, CONSOLE, || endpoint(conduct::queue),
        "One page of the conduct queue: answers that are fail or unknown"),
    route(GET, "/api/conduct/layers", EVERYBODY, SMALL, || endpoint(conduct::layers),
        "The lender's own layers of conduct, as phones take them")
        .gives(CBOR),
    route(GET, "/api/visits/{id}/history", READERS, CONSOLE, || endpoint(visits::history),
        "Every change of every field of a record, oldest first"),
    route(GET, "/api/visits/{id}/attachments", READERS, CONSOLE, || endpoint(visits::attachments),
        "The attachments that a record names, and when their bytes arrived"),
    route(GET, "/api/visits/{id}/position", READERS, CONSOLE, || endpoint(visits::position),
        "How plausible the position of a visit is, compared with the collector's other visits"),
    route(GET, "/api/receipts/{code}", READERS, SMALL, || endpoint(receipts::verify),
        "What the receipt with this code is for; `case_no` is the case number on it")
        .problems(&[(404, &["unknown_receipt"]), (422, &["mistyped_code"])]),
    route(POST, "/api/visits/{id}/commands", EDITORS, CONSOLE, || endpoint(commands::apply),
        "Edit a record; answers with the record after it")
        .problems(&[
            (409, &["sealed", "not_sealed", "fixed", "written_once", "complaint_open"]),
            (409, &["approval_needed"]),
            (422, &["unknown_path", "not_a_collector"]),
        ]),
    route(POST, "/api/cases/import", EDITORS, SHEET, || endpoint(transfer::import),
        "Import a case list: CSV or XLSX")
        .problems(&[(422, &["no_sheet", "not_a_collector"])]),
    route(GET, "/api/imports", EDITORS, CONSOLE, || endpoint(imports::list),
        "The user's imports of the last week, newest first"),
    route(PUT, "/api/imports/{id}", EDITORS, SHEET, || endpoint(imports::upload),
        "Store a case list to be imported: CSV or XLSX; the client makes the UUID, so that a repeated \
         upload is one import")
        .problems(&[(409, &["other_file"]), (422, &["no_sheet"]), (429, &["too_many_imports"])]),
    route(GET, "/api/imports/{id}", EDITORS, CONSOLE, || endpoint(imports::show),
        "An import: its columns, and how far it is"),
    route(POST, "/api/imports/{id}/check", EDITORS, CONSOLE, || endpoint(imports::check),
        "Map the columns and start to determine what would become of each row; nothing is imported")
        .problems(&[(409, &["import_running"]), (422, &["no_sheet", "not_a_collector"])]),
    route(POST, "/api/imports/{id}/run", EDITORS, CONSOLE, || endpoint(imports::run),
        "Start to import the rows as they were checked; idempotent")
        .problems(&[(409, &["import_unchecked"])]),
    route(GET, "/api/imports/{id}/rows", EDITORS, CONSOLE, || endpoint(imports::rows),
        "One page of what became of the rows; rows without changes are only counted"),
    route(GET, "/api/imports/{id}/refused", EDITORS, SHEET, || endpoint(imports::refused),
        "The refused rows as CSV with the reason in front, to be corrected and imported again")
        .gives("text/csv"),
    route(DELETE, "/api/imports/{id}", EDITORS, CONSOLE, || endpoint(imports::delete),
        "Delete an import that does not run, with its file; imported cases stay")
        .status(204)
        .problems(&[(409, &["import_running"])]),
    route(GET, "/api/export", READERS, Download, || endpoint(transfer::export),
        "Download the records that pass the filters")
        .gives(BYTES),
    route(GET, "/api/views", READERS, CONSOLE, || endpoint(views::list),
        "Saved views of the list: the user's own and the shared ones"),
    route(PUT, "/api/views/{id}", READERS, CONSOLE, || endpoint(views::save),
        "Save an own view or replace it; the client makes the UUID")
        .problems(&[(409, &["too_many_views"])]),
    route(DELETE, "/api/views/{id}", READERS, CONSOLE, || endpoint(views::delete),
        "Delete an own view, or as an administrator a shared one")
        .status(204),
    route(GET, "/api/report-tokens", READERS, CONSOLE, || endpoint(report_tokens::list),
        "The user's tokens for programs that read the records for reports"),
    route(POST, "/api/report-tokens", READERS, CONSOLE, || endpoint(report_tokens::add),
        "Make a token for `/odata/v4`; its secret is in this answer only"),
    route(DELETE, "/api/report-tokens/{id}", READERS, CONSOLE, || endpoint(report_tokens::revoke),
        "Revoke an own token")
        .status(204),
    route(GET, "/odata/v4", Reports, Immediate, || endpoint(odata::service),
        "The OData service for Excel and Power BI")
        .gives(JSON),
    route(GET, "/odata/v4/$metadata", Reports, Immediate, || endpoint(odata::metadata),
        "The types of the OData service")
        .gives("application/xml"),
    route(GET, "/odata/v4/Visits", Reports, LONG_COMMAND, || endpoint(odata::visits),
        "Records without personal data of borrowers, a page at a time")
        .gives(JSON),
    route(GET, "/api/report", READERS, CONSOLE, || endpoint(report::show),
        "Figures of a period and a team; docs/REPORTS.md defines them"),
    route(GET, "/api/own-figures", COLLECTORS, SMALL, || endpoint(report::own),
        "The caller's own visits, promises and conduct by month"),
    route(GET, "/api/lender", EVERYBODY, SMALL, || endpoint(lender::show),
        "The lender's name and complaint channel, as borrowers are told"),
    route(PUT, "/api/safety/{id}", COLLECTORS, SMALL, || endpoint(safety::report),
        "Report a visit that the office watches over: when the check-out is due, an alarm, the end; \
         idempotent by `revision`"),
    route(GET, "/api/safety", READERS, CONSOLE, || endpoint(safety::list),
        "Visits that go on or are overdue, and alarms"),
    route(POST, "/api/safety/{id}/seen", EDITORS, CONSOLE, || endpoint(safety::acknowledge),
        "Take care of an alarm or an overdue visit; the first one stays"),
    route(GET, "/api/web-push", COLLECTORS, SMALL, || endpoint(web_push::show),
        "What this phone needs to subscribe to notices by Web Push, and its subscription"),
    route(PUT, "/api/web-push", COLLECTORS, SMALL, || endpoint(web_push::subscribe),
        "Subscribe this phone to notices, until its sign-in ends; replaces its former subscription")
        .status(204),
    route(DELETE, "/api/web-push", COLLECTORS, SMALL, || endpoint(web_push::unsubscribe),
        "Unsubscribe this phone from notices")
        .status(204),
    route(GET, "/api/complaints", EDITORS, CONSOLE, || endpoint(complaints::list),
        "One page of the complaint desk, by deadline"),
    route(POST, "/api/complaints", EDITORS, CONSOLE, || endpoint(complaints::enter),
        "Enter a complaint by phone or letter; its case is held; idempotent by `id`")
        .status(201)
        .problems(&[(409, &["complaint_decided"])]),
    route(GET, "/api/complaints/counts", EDITORS, CONSOLE, || endpoint(complaints::counts),
        "How many complaints are undecided, and how many of them are late"),
    route(GET, "/api/complaints/export", EDITORS, Download, || endpoint(complaints::export),
        "All complaints as a sheet for the regulator, without what was said")
        .gives(BYTES),
    route(GET, "/api/complaints/{number}", EDITORS, CONSOLE, || endpoint(complaints::show),
        "A complaint with its history"),
    route(POST, "/api/complaints/{number}/steps", EDITORS, CONSOLE, || endpoint(complaints::act),
        "Correct, answer, extend, decide or reopen a complaint; idempotent by `id`")
        .problems(&[(409, &["complaint_decided", "extension_not_allowed"])]),
    route(GET, "/api/proposals", READERS, CONSOLE, || endpoint(proposals::list),
        "One page of the changes that wait for the approval of a second person, or of former ones"),
    route(POST, "/api/proposals", EDITORS, CONSOLE, || endpoint(proposals::propose),
        "Propose a change that needs approval; idempotent by `id`")
        .status(201)
        .problems(&[
            (403, &["only_admins"]),
            (409, &["already_proposed", "already_accepted", "complaint_open", "too_many_proposals"]),
            (422, &["approval_not_needed", "reason_needed", "not_a_collector"]),
        ]),
    route(POST, "/api/proposals/{number}/approve", EDITORS, CONSOLE,
        || endpoint(proposals::approve),
        "Approve another person's proposal: its change is made; idempotent")
        .problems(PROPOSAL),
    route(POST, "/api/proposals/{number}/refuse", EDITORS, CONSOLE, || endpoint(proposals::refuse),
        "Refuse another person's proposal, with a reason; idempotent")
        .problems(PROPOSAL),
    route(POST, "/api/proposals/{number}/withdraw", EDITORS, CONSOLE,
        || endpoint(proposals::withdraw),
        "Withdraw the own proposal; idempotent")
        .problems(PROPOSAL),
    route(GET, "/api/users", READERS, CONSOLE, || endpoint(users::list),
        "Users, or those of one role"),
    route(POST, "/api/users", ADMINS, CONSOLE, || endpoint(users::add_user),
        "Add a user: `name`, `role`, and if wanted `display_name` and `password`")
        .status(201)
        .problems(&[(409, &["name_taken"])]),
    route(PATCH, "/api/users/{name}", ADMINS, CONSOLE, || endpoint(users::change_user),
        "Change `display_name`, `role`, `disabled` or `password` of a user, or `unlink` or \
         `link` the account of the identity provider (`issuer`, `subject`); another role or \
         password ends every sign-in, and a collector who becomes more is unlinked")
        .problems(&[(409, &["last_admin", "account_taken"])]),
    route(GET, "/api/devices", READERS, CONSOLE, || endpoint(users::devices),
        "Devices, those seen last first; a supervisor sees those of collectors"),
    route(POST, "/api/devices/{id}/revoke", ADMINS, CONSOLE, || endpoint(users::revoke),
        "Refuse a device from now on; `reason` says why")
        .status(204),
    route(POST, "/api/devices/{id}/support", EDITORS, CONSOLE, || endpoint(support::request),
        "Ask a collector's device for a support bundle; its user decides; idempotent by `id`")
        .status(204),
    route(GET, "/api/devices/{id}/support", READERS, CONSOLE, || endpoint(support::bundle),
        "The support bundle that a device sent last"),
    route(GET, "/api/audit", AUDITORS, CONSOLE, || endpoint(audit::list),
        "One page of what users of the console changed, newest first"),
    route(GET, "/api/audit/export", AUDITORS, Download, || endpoint(audit::export),
        "The whole audit log, oldest first, lines of JSON with the hashes that chain them")
        .gives(BYTES),
    route(GET, "/api/quarantine", READERS, CONSOLE, || endpoint(quarantine::list),
        "One page of the work that was refused, newest first"),
    route(GET, "/api/quarantine/usage", READERS, CONSOLE, || endpoint(quarantine::usage),
        "Usage of the quarantine, in all and by user, and its exports"),
    route(GET, "/api/quarantine/export", ADMINS, Download, || endpoint(quarantine::export),
        "Decided work with its bytes, lines of JSON; the last one has the hash of the others")
        .gives(BYTES),
    route(POST, "/api/quarantine/export/delete", ADMINS, LONG_COMMAND,
        || endpoint(quarantine::delete_exported),
        "Delete the bytes that an export holds, which its last line shows; is recorded")
        .problems(&[(409, &["export_changed", "nothing_to_export", "approval_needed"])]),
    route(GET, "/api/quarantine/{number}", READERS, CONSOLE, || endpoint(quarantine::show),
        "Refused work, field by field beside the office's values"),
    route(POST, "/api/quarantine/{number}/accept", EDITORS, CONSOLE,
        || endpoint(quarantine::accept),
        "Accept refused work; idempotent")
        .problems(DECISION),
    route(POST, "/api/quarantine/{number}/dismiss", EDITORS, CONSOLE,
        || endpoint(quarantine::dismiss),
        "Dismiss refused work, with a reason; it stays stored")
        .problems(DECISION),
    route(PUT, "/api/blobs/{sha256}", SENDERS, PIECE, || endpoint(blobs::put),
        "A piece of an attachment's bytes, with Content-Range; without bytes and with `bytes \
         */TOTAL`, how far the upload is")
        .open_to_revoked()
        .problems(&[
            (415, &["media_type"]),
            (422, &["wrong_hash"]),
            (507, &["too_much"]),
        ]),
    route(GET, "/api/blobs/{sha256}", EVERYBODY, PIECE, || endpoint(blobs::get),
        "An attachment's bytes, for users who may see a record that names it")
        .gives(BYTES),
    route(GET, "/api/openapi.json", Anyone, Immediate, || endpoint(openapi::show),
        "This description"),
    route(GET, "/healthz", Anyone, Immediate, || endpoint(health::alive),
        "The program is running"),
    route(GET, "/readyz", Anyone, Immediate, || endpoint(health::ready),
        "The office is not stopping and its store takes writes")
        .problems(&[(503, &["not_ready"])]),
    route(GET, "/metrics", Operator, Immediate, || endpoint(metrics::show),
        "Metrics of the running program, in the text format of Prometheus")
        .gives("text/plain"),
];
