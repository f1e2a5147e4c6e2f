//! Arriving request bodies: the memory they may hold, and the time they may take.
//!
//! A body reserves memory for the bytes that have arrived, not for the length it announces, and each
//! queue has its own budget. Requests never wait for memory: a body that gets none is refused, so two
//! bodies can't deadlock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::super::{Problem, metrics};
use super::fair_queue::QuotaKey;
use super::limits::{BodyLimits, Limits};

/// Reserved with the first bytes of a body.
const FIRST_RESERVATION: usize = 4 * 1024;

/// `Retry-After` for a client with too many arriving bodies.
const RETRY: Duration = Duration::from_secs(10);

/// The slowest pace at which a body may arrive.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyDeadline {
    /// The longest gap between bytes.
    pause: Duration,
    /// Every body gets this long.
    grace: Duration,
    /// Lowest average rate after that, bytes a second.
    rate: usize,
}

impl BodyDeadline {
    pub(super) fn of(limits: &Limits) -> Self {
        let Limits { body_pause: pause, body_grace: grace, body_rate: rate, .. } = *limits;
        Self { pause, grace, rate }
    }

    /// The deadline of a body of which `bytes` have arrived, the newest at `last`.
    fn due(self, began: Instant, last: Instant, bytes: usize) -> Instant {
        let earned = Duration::from_secs_f64(bytes as f64 / self.rate.max(1) as f64);
        (last + self.pause).min(began + self.grace + earned)
    }
}

/// Memory for the bodies of one queue.
pub(super) struct BodyMemory {
    limits: BodyLimits,
    pace: BodyDeadline,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    bytes: usize,
    /// Bodies and bytes of each caller that has any.
    by: BTreeMap<QuotaKey, (usize, usize)>,
}

/// Memory reserved for a body, until dropped.
pub(in super::super) struct BodyReservation {
    room: Arc<BodyMemory>,
    who: Option<QuotaKey>,
    bytes: usize,
}

impl BodyMemory {
    pub(super) fn new(limits: BodyLimits, pace: BodyDeadline) -> Arc<Self> {
        Arc::new(Self { limits, pace, used: Mutex::default() })
    }

    /// Reads a whole body of at most `most` bytes. `announced` is the length in its head.
    pub(super) async fn receive(
        self: &Arc<Self>,
        who: Option<QuotaKey>,
        mut body: Body,
        announced: Option<usize>,
        most: usize,
    ) -> Result<(Bytes, BodyReservation), Problem> {
        let mut held = self.begin(who)?;
        let began = Instant::now();
        let mut last = began;
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            let due = self.pace.due(began, last, bytes.len());
            let frame = match timeout_at(due, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(_))) => return Err(ended_early()),
                Ok(None) => return Ok((bytes.into(), held)),
                Err(_) => return Err(too_slow()),
            };
            // Nothing is read from trailers.
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len().saturating_add(data.len());
            if length > most {
                return Err(Problem::too_large());
            }
            if length > bytes.capacity() {
                // Double, so that few bytes are copied; never more than announced.
                let end = announced.unwrap_or(most).clamp(length, most);
                let capacity = length.saturating_mul(2).max(FIRST_RESERVATION).min(end);
                held.grow(capacity)?;
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&data);
            last = Instant::now();
        }
    }

    fn begin(self: &Arc<Self>, who: Option<QuotaKey>) -> Result<BodyReservation, Problem> {
        if let Some(who) = &who {
            let mut used = self.used();
            let (bodies, _) = used.by.entry(who.clone()).or_default();
            if *bodies >= self.limits.bodies_per_caller {
                return Err(Problem::rate_limited(RETRY));
            }
            *bodies += 1;
        }
        Ok(BodyReservation { room: Arc::clone(self), who, bytes: 0 })
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyReservation {
    /// Grows the reservation to `bytes` in all.
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let more = bytes.saturating_sub(self.bytes);
        let mut used = self.room.used();
        if used.bytes.saturating_add(more) > self.room.limits.bytes {
            return Err(metrics::shed("room"));
        }
        if let Some(who) = &self.who {
            let (_, own) = used.by.entry(who.clone()).or_default();
            if own.saturating_add(more) > self.room.limits.bytes_per_caller {
                return Err(Problem::rate_limited(RETRY));
            }
            *own += more;
        }
        used.bytes += more;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for BodyReservation {
    fn drop(&mut self) {
        let mut used = self.room.used();
        used.bytes = used.bytes.saturating_sub(self.bytes);
        let Some(who) = &self.who else { return };
        if let Some((bodies, bytes)) = used.by.get_mut(who) {
            *bodies = bodies.saturating_sub(1);
            *bytes = bytes.saturating_sub(self.bytes);
            if *bodies == 0 {
                used.by.remove(who);
            }
        }
    }
}

fn ended_early() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body ended early")
}

fn too_slow() -> Problem {
    let detail = "the body stopped coming, or came too slowly";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::sync::mpsc;
    use tokio_stream::StreamExt;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    const KIB: usize = 1024;

    fn room(bytes: usize, bytes_per_caller: usize, bodies_per_caller: usize) -> Arc<BodyMemory> {
        let limits = BodyLimits { bytes, bytes_per_caller, bodies_per_caller };
        BodyMemory::new(limits, BodyDeadline::of(&Limits::default()))
    }

    fn user(name: &str) -> Option<QuotaKey> {
        Some(QuotaKey::User(name.to_owned()))
    }

    /// A body of `length` bytes that arrives at `a_second` bytes a second.
    fn slow(length: usize, a_second: usize) -> Body {
        let (sender, receiver) = mpsc::channel::<Bytes>(1);
        tokio::spawn(async move {
            for at in (0..length).step_by(a_second) {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let bytes = vec![7; a_second.min(length - at)].into();
                if sender.send(bytes).await.is_err() {
                    return;
                }
            }
        });
        Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, Infallible>))
    }

    async fn receive(body: Body, length: usize) -> Result<usize, &'static str> {
        let room = room(1 << 30, 1 << 30, 1);
        let received = room.receive(user("a"), body, Some(length), 4 << 20).await;
        assert_eq!(room.used().by.len(), usize::from(received.is_ok()));
        received.map(|(bytes, _)| bytes.len()).map_err(|problem| problem.code())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_phone_is_heard_to_the_end_and_a_drip_is_not() {
        // Two minutes on a link of the second generation, and a piece of a photo.
        assert_eq!(receive(slow(256 * KIB, 2 * KIB), 256 * KIB).await, Ok(256 * KIB));
        assert_eq!(receive(slow(1024 * KIB, 2 * KIB), 1024 * KIB).await, Ok(1024 * KIB));
        assert_eq!(receive(slow(20, 1), 20).await, Ok(20));
        let began = Instant::now();
        assert_eq!(receive(slow(4 << 20, 1), 4 << 20).await, Err("timeout"));
        assert_eq!(
            receive(Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>()), 9)
                .await,
            Err("timeout")
        );
        assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_comes_fast_and_then_not_at_all_is_given_up() {
        let piece = Ok::<_, Infallible>(Bytes::from(vec![7; 1 << 20]));
        let body = tokio_stream::once(piece).chain(tokio_stream::pending());
        let began = Instant::now();
        assert_eq!(receive(Body::from_stream(body), 2 << 20).await, Err("timeout"));
        assert_eq!(began.elapsed(), Limits::default().body_pause);
    }

    #[tokio::test]
    async fn room_is_taken_for_what_came_and_given_back() {
        let room = room(64 * KIB, 40 * KIB, 2);
        let body = |length: usize| Body::from(vec![7; length]);
        let take = |name: &str, length: usize| {
            let (room, name) = (Arc::clone(&room), user(name));
            async move { room.receive(name, body(length), Some(length), 1 << 20).await }
        };
        let code =
            |received: Result<(Bytes, BodyReservation), Problem>| received.err().map(|p| p.code());
        let (_, first) = take("a", 30 * KIB).await.unwrap();
        assert_eq!(code(take("a", 30 * KIB).await), Some("rate_limited"), "more than one's share");
        let (_, second) = take("a", 10 * KIB).await.unwrap();
        assert_eq!(code(take("a", 1).await), Some("rate_limited"), "too many at once");
        assert_eq!(code(take("b", 30 * KIB).await), Some("office_busy"), "no room at all");
        let (_, third) = take("b", 20 * KIB).await.unwrap();
        assert_eq!(room.used().bytes, 60 * KIB);
        drop((first, second, third));
        let used = room.used();
        assert_eq!((used.bytes, used.by.len()), (0, 0));
    }
}
