//! `/api/blobs/{sha256}`: attachments' bytes, up in pieces and down whole.
//!
//! A piece is a `PUT` with `Content-Range: bytes FIRST-LAST/TOTAL`; one without bytes and with
//! `Content-Range: bytes */TOTAL` asks how far the upload is; one without a range is the whole.
//! The answer says how many bytes are durable and whether the whole is here, verified.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Describe;
use super::extract::{Caller, ProblemBody, ProblemParts, RevokedCaller, State};
use super::{App, Problem};
use crate::ids::{hex, unhex};
use crate::office::Session;
use crate::office::blobs::{MAX_BLOB_BYTES, MEDIA_TYPES, Piece, UploadOutcome};
use crate::office::store::BlobName;

/// How far an upload is.
#[derive(Serialize, JsonSchema)]
pub(super) struct UploadProgress {
    /// Bytes that are durable.
    received: u64,
    /// All bytes have arrived and match the hash.
    complete: bool,
}

/// The sender of bytes: a signed-in user, or a revoked device that still uploads its attachments.
pub(super) struct Uploader(Session);

impl Describe for Uploader {}

impl<S: Send + Sync> FromRequestParts<S> for Uploader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Parts { extensions, .. } = parts;
        let caller = extensions.get::<Caller>().map(|caller| &caller.identity.session);
        let session =
            caller.or(extensions.get::<RevokedCaller>().map(|RevokedCaller(session, _)| session));
        session.cloned().map(Self).ok_or_else(Problem::signed_out)
    }
}

pub(super) async fn put(
    State(app): State<Arc<App>>,
    Uploader(session): Uploader,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
    headers: HeaderMap,
    ProblemBody(bytes): ProblemBody<Bytes>,
) -> Result<(StatusCode, Json<UploadProgress>), Problem> {
    let name = blob_name(&name)?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // Parameters such as codecs change nothing about what a browser does with it.
    let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    // The record has the type: this only refuses types that are never shown.
    let unspecified = ["", "application/octet-stream"].contains(&media_type);
    if !unspecified && !MEDIA_TYPES.contains(&media_type) {
        let detail = "attachments of this type are not accepted";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail));
    }
    let (first, total) = match headers.get(header::CONTENT_RANGE) {
        None => (0, bytes.len() as u64),
        Some(range) => {
            let range = range.to_str().ok().and_then(|range| parse_range(range, bytes.len()));
            range.ok_or_else(|| {
                let detail = "Content-Range must be bytes FIRST-LAST/TOTAL and fit the bytes";
                Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
            })?
        }
    };
    let piece = Piece { name, first, total, bytes: bytes.to_vec() };
    let progress =
        |status, received, complete| Ok((status, Json(UploadProgress { received, complete })));
    match app.office.upload_piece(&session, piece).await? {
        UploadOutcome::Received(received) => progress(StatusCode::ACCEPTED, received, false),
        UploadOutcome::WrongOffset(received) => progress(StatusCode::CONFLICT, received, false),
        UploadOutcome::Complete => progress(StatusCode::OK, total, true),
        UploadOutcome::HashMismatch => {
            let detail = "the bytes are not what their name says: send them anew";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_hash", detail))
        }
        UploadOutcome::TooLarge => {
            let detail = format!("an attachment has 1 to {MAX_BLOB_BYTES} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
        }
        UploadOutcome::QuotaExceeded => {
            let detail = "you have too much here that no record names: sync first";
            Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, "too_much", detail))
        }
    }
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Path(name)): ProblemParts<Path<String>>,
) -> Result<Response, Problem> {
    let name = blob_name(&name)?;
    let content = app.office.blob(&caller.identity.session, name).await?.ok_or_else(unknown)?;
    let media_type = content.media_type.unwrap_or("application/octet-stream");
    let mut response = Body::from_stream(content.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, content.size.into());
    let disposition = format!("attachment; filename=\"{}\"", hex(&name));
    // Hex and constants: never a character that a header can't hold.
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    Ok(response)
}

/// An opened blob can neither run scripts nor fetch anything.
const SANDBOX: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Anything but a hash in hex is an unknown blob.
fn blob_name(text: &str) -> Result<BlobName, Problem> {
    let name = unhex(text).filter(|name| hex(name) == text).and_then(|name| name.try_into().ok());
    name.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_blob", "the office has no such attachment for you")
}

/// The first byte and the total of a range that has `length` bytes.
fn parse_range(text: &str, length: usize) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let total = total.parse().ok()?;
    if range == "*" {
        return (length == 0).then_some((0, total));
    }
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let fits = last.checked_sub(first)?.checked_add(1)? == length as u64 && last < total;
    fits.then_some((first, total))
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn a_range_fits_its_bytes_or_is_none() {
        assert_eq!(parse_range("bytes 0-9/10", 10), Some((0, 10)));
        assert_eq!(parse_range("bytes 5-9/10", 5), Some((5, 10)));
        assert_eq!(parse_range("bytes */10", 0), Some((0, 10)));
        let unfit = [
            ("bytes 0-9/10", 9),
            ("bytes 5-4/10", 0),
            ("bytes 0-18446744073709551615/18446744073709551615", 0),
            ("bytes 5-10/10", 6),
            ("bytes */10", 1),
            ("bytes 0-9", 10),
            ("0-9/10", 10),
            ("", 0),
        ];
        for (text, length) in unfit {
            assert_eq!(parse_range(text, length), None, "{text}");
        }
    }
}
