//! Case lists come in, visit records go out.

use std::io::{self, Write};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::{Extensions, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::extract::{Caller, ProblemBody, ProblemParts, State};
use super::query::flag;
use super::traffic::{Queue, RequestSource};
use super::visits::VisitQuery;
use super::{App, Problem};
use crate::office::sheets::export::{self, ExportError, Format, Scope, Selection};
use crate::office::sheets::import::{ImportReport, Options, import as import_cases};

/// Bytes sent at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that may wait for a slow client before the export blocks.
const MAX_CHUNKS: usize = 4;

/// How a case list is imported.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct ImportQuery {
    /// 1: only say what would happen
    dry_run: String,
    /// collector of rows that name none
    assign_to: String,
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    ProblemParts(Query(query)): ProblemParts<Query<ImportQuery>>,
    ProblemBody(file): ProblemBody<Bytes>,
) -> Result<Json<ImportReport>, Problem> {
    let assign_to = Some(query.assign_to).filter(|name| !name.is_empty());
    let dry_run = flag(&query.dry_run, "dry_run")?;
    let options = Options { assign_to, zone: app.zone, dry_run };
    let session = caller.identity.session;
    let by = (session.user.as_str(), session.role);
    let report =
        import_cases(&app.office, &app.accounts, file.into(), options, by, &|_, _| {}).await?;
    Ok(Json(report))
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    extensions: Extensions,
    ProblemParts(Query(query)): ProblemParts<Query<VisitQuery>>,
) -> Result<Response, Problem> {
    let format = Format::parse(&query.format).ok_or(Problem::parameter("format"))?;
    let scope = match flag(&query.minimal, "minimal")? {
        true if format == Format::Automerge => return Err(Problem::parameter("minimal")),
        true => Scope::Minimal,
        false => Scope::Whole,
    };
    let selection =
        Selection::new(app.office.clone(), query.listing(app.office.now())?, Handle::current());
    // Held until the last byte: a slow client occupies a thread.
    let permit = app.traffic.admit(Queue::Sheets, &RequestSource::of(&extensions)).await?;
    let body = streamed(move |out| {
        let done = export::write(selection, format, scope, out);
        drop(permit);
        done.map(drop)
    });
    let disposition = format!("attachment; filename=\"{}\"", format.file_name());
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body).into_response())
}

/// A body that a thread of its own writes, as fast as the client reads.
pub(super) fn streamed(
    write: impl FnOnce(&mut ChunkWriter) -> Result<(), ExportError> + Send + 'static,
) -> Body {
    let (sender, receiver) = mpsc::channel(MAX_CHUNKS);
    tokio::task::spawn_blocking(move || {
        let mut out = ChunkWriter { sender, buffer: Vec::with_capacity(CHUNK_BYTES) };
        if let Err(error) = write(&mut out).and_then(|()| Ok(out.flush()?)) {
            tracing::warn!(%error, "an export was aborted");
            // The status is sent already: only an aborted body shows that it is incomplete.
            let _ = out.sender.blocking_send(Err(io::Error::other("aborted")));
        }
    });
    Body::from_stream(ReceiverStream::new(receiver))
}

/// Writes to the body of an answer. Blocks while the client is slower.
pub(super) struct ChunkWriter {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.buffer).into();
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
