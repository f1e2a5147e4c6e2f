//! Counters and timers, and `GET /metrics` in the text format of Prometheus.
//!
//! Labels are routes of the table, stable codes and numbers: never a name, an id or a client's text,
//! so that they are few and hold no personal data.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::extract::State;
use super::{App, Problem};
use crate::office::QuarantineUsage;
use crate::sync::message::{Outcome, Reply};

/// Histogram buckets, s: from a read in memory to the longest wait.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Handle to the metrics; clones share them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder of the whole program. Only the first call in a process has an effect.
    pub fn install() -> Self {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        // Fails only if the program serves twice.
        let _ = metrics::set_global_recorder(recorder);
        Self(handle)
    }

    /// Records nothing.
    pub fn none() -> Self {
        Self(builder().build_recorder().handle())
    }

    /// Moves timings into their histograms. To be called every few seconds.
    pub(super) fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn builder() -> PrometheusBuilder {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let plain = PrometheusBuilder::new();
    // Only an empty list of bounds is refused.
    plain.set_buckets_for_metric(seconds, &SECONDS).unwrap_or_default()
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    counter!("doorstep_repairs_total").absolute(app.office.repairs());
    match app.office.quarantine_usage().await {
        Ok(usage) => quarantine(&usage),
        Err(error) => tracing::warn!(%error, "the quarantine could not be measured"),
    }
    let text = app.traffic.metrics().0.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Measures the quarantine now.
fn quarantine(usage: &QuarantineUsage) {
    for (state, held) in [("open", usage.open), ("decided", usage.decided)] {
        gauge!("doorstep_quarantine_pieces", "state" => state).set(held.pieces as f64);
        gauge!("doorstep_quarantine_bytes", "state" => state).set(held.bytes as f64);
    }
    gauge!("doorstep_quarantine_pieces_limit").set(usage.most.pieces as f64);
    gauge!("doorstep_quarantine_bytes_limit").set(usage.most.bytes as f64);
    gauge!("doorstep_quarantine_users_near_limit").set(wide(usage.users.len()) as f64);
}

/// A request was answered.
pub(super) fn request(
    route: &'static str,
    method: &'static str,
    status: u16,
    code: Option<&'static str>,
    took: Duration,
) {
    let labels = [("route", route), ("method", method)];
    counter!(
        "doorstep_requests_total",
        "route" => route, "method" => method, "status" => status.to_string()
    )
    .increment(1);
    histogram!("doorstep_request_seconds", &labels).record(took);
    if let Some(code) = code {
        counter!("doorstep_problems_total", "route" => route, "code" => code).increment(1);
        if (route, method) == ("/api/session", "POST") {
            counter!("doorstep_sign_ins_refused_total", "code" => code).increment(1);
        }
    }
}

/// A round was answered.
pub(super) fn round(up: usize, reply: &Reply, down: usize) {
    counter!("doorstep_rounds_total").increment(1);
    counter!("doorstep_round_bytes_total", "direction" => "up").increment(wide(up));
    counter!("doorstep_round_bytes_total", "direction" => "down").increment(wide(down));
    for outcome in &reply.results {
        match outcome {
            Outcome::Merged { .. } => counter!("doorstep_merges_total").increment(1),
            Outcome::Duplicate { .. } => counter!("doorstep_duplicates_total").increment(1),
            Outcome::Missing { .. } => counter!("doorstep_missing_total").increment(1),
            Outcome::Withdrawn => counter!("doorstep_withdrawn_total").increment(1),
            Outcome::Refused { code, .. } => {
                counter!("doorstep_refusals_total", "code" => code.as_str()).increment(1);
            }
        }
    }
}

/// How long a request waited in a queue.
pub(super) fn waited(queue: &'static str, time: Duration) {
    histogram!("doorstep_queue_wait_seconds", "queue" => queue).record(time);
}

/// The number of requests in a queue.
pub(super) fn waiting(queue: &'static str, count: usize) {
    gauge!("doorstep_queue_waiting", "queue" => queue).set(wide(count) as f64);
}

/// Counts a request that a full queue refuses.
pub(super) fn shed(queue: &'static str) -> Problem {
    counter!("doorstep_shed_total", "queue" => queue).increment(1);
    Problem::busy()
}

/// The number of open connections.
pub(super) fn connections(count: usize) {
    gauge!("doorstep_connections").set(wide(count) as f64);
}

/// Counts a connection that was refused.
pub(super) fn shed_connection() {
    counter!("doorstep_shed_total", "queue" => "connections").increment(1);
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
