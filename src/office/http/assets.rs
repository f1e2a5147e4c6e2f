//! The field app and the console: static files built into the program.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::RustEmbed;

use super::{App, Problem};
use crate::ids::hex;

/// Output of the build of `www`; empty if it never ran.
#[derive(RustEmbed)]
#[folder = "www/dist/"]
#[allow_missing = true]
struct Built;

/// Names under this carry a hash of their content.
const HASHED: &str = "assets/";

/// Encodings of precompressed files, best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Marks a response as a static file, which was compressed when it was built or cannot be.
#[derive(Debug, Clone, Copy)]
pub(super) struct StaticFile;

/// Source of static files.
#[derive(Debug, Clone, Copy)]
pub struct Assets(fn(&str) -> Option<Asset>);

/// A static file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
}

impl Assets {
    /// The files that were built into the program.
    pub fn built_in() -> Self {
        Self(|name| {
            let file = Built::get(name)?;
            Some(Asset { hash: file.metadata.sha256_hash(), bytes: file.data })
        })
    }

    /// Files from another source.
    pub fn of(get: fn(&str) -> Option<Asset>) -> Self {
        Self(get)
    }

    fn get(self, name: &str) -> Option<Asset> {
        (self.0)(name)
    }
}

/// Serves paths that are no route of the API.
pub(super) async fn serve(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = uri.path();
    if path.starts_with("/api/") || path == "/api" || path.starts_with("/sync") {
        return Err(Problem::not_found());
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let detail = "static files are read-only";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
    }
    if path == "/office" {
        return Ok(Redirect::permanent("/office/").into_response());
    }
    let name = name_of(app.assets, path).ok_or_else(Problem::not_found)?;
    match app.assets.get(name) {
        Some(plain) => Ok(answer(app.assets, name, plain, &headers)),
        None => {
            let detail = "this program was built without its pages: run make, then start it again";
            Err(Problem::new(StatusCode::NOT_FOUND, "no_pages", detail))
        }
    }
}

/// The file for a path: the file itself, or the app whose client-side routes include the path. A
/// missing file is not replaced: an old page must not get HTML for a script.
fn name_of(assets: Assets, path: &str) -> Option<&str> {
    let name = path.trim_start_matches('/');
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains('.') {
        return assets.get(name).map(|_| name);
    }
    Some(if name.starts_with("office/") { "office/index.html" } else { "index.html" })
}

fn answer(assets: Assets, name: &str, plain: Asset, asked: &HeaderMap) -> Response {
    let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let stored = ENCODINGS.into_iter().find_map(|(encoding, suffix)| {
        let wanted = accepts(accepted.unwrap_or_default(), encoding);
        wanted.then(|| assets.get(&format!("{name}{suffix}")).map(|file| (encoding, file)))?
    });
    let (encoding, file) = match stored {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, plain),
    };
    let start = file.hash.get(..16).unwrap_or_default();
    // Weak: the same file may be sent in several encodings.
    let tag = format!("W/\"{}\"", hex(start));
    let caching =
        if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = file.bytes.into_response();
        put(response.headers_mut(), header::CONTENT_TYPE, &media_type(name));
        if let Some(encoding) = encoding {
            put(response.headers_mut(), header::CONTENT_ENCODING, encoding);
        }
        response
    };
    let headers = response.headers_mut();
    put(headers, header::CACHE_CONTROL, caching);
    put(headers, header::ETAG, &tag);
    put(headers, header::VARY, "accept-encoding");
    response.extensions_mut().insert(StaticFile);
    response
}

/// Whether a list of encodings has one that is not switched off.
fn accepts(list: &str, encoding: &str) -> bool {
    list.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn media_type(name: &str) -> String {
    let media = mime_guess::from_path(name).first_or_octet_stream();
    match media.type_() {
        mime_guess::mime::TEXT => format!("{media}; charset=utf-8"),
        _ => media.to_string(),
    }
}

fn put(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
