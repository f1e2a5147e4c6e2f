//! When the next request is due: after edits, by polling, by backoff, and when the office says so.

/// After an edit: long enough that the next tap goes into the same request, short enough to feel
/// immediate.
const EDIT_DELAY_MS: i64 = 1_000;
/// Polling interval while the office's event stream is down, or cannot announce what is awaited.
const POLL_MS: i64 = 60_000;
/// Polling interval while the event stream announces every change of the feed (rule R8).
const STREAMED_POLL_MS: i64 = 900_000;
/// Due before now, whatever the clock says. It goes to JavaScript, whose integers end at 2^53.
const AT_ONCE: i64 = 0;
/// First and longest backoff delay (rule R7).
const FIRST_RETRY_MS: i64 = 1_000;
const LAST_RETRY_MS: i64 = 300_000;

/// When the next request is due.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// `None` while only a person can help, such as by signing in.
    due_at: Option<i64>,
    /// The office asked for no request before this time.
    not_before: Option<i64>,
    /// Failures in a row.
    failures: u32,
    /// The office's event stream is alive.
    is_streamed: bool,
    /// The wake-up that the driver was last asked for.
    announced: Option<i64>,
}

/// What a finished round leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remaining {
    /// Nothing: wait for the next signal or poll.
    Nothing,
    /// A supervisor's decision, which no signal announces.
    Decision,
    /// Edits on their way to the disk.
    Edits,
    /// More to exchange.
    More,
    /// Repairs do not help: try again, but slowly.
    RepeatedRepair,
}

impl Schedule {
    pub(crate) fn new() -> Self {
        Self {
            due_at: Some(AT_ONCE),
            not_before: None,
            failures: 0,
            is_streamed: false,
            announced: None,
        }
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.due(now_ms).is_some_and(|due| due <= now_ms)
    }

    /// When the next request is due, ms: not before the time that the office asked for.
    fn due(&self, now_ms: i64) -> Option<i64> {
        // A later time than any accepted wait: the clock was set back meanwhile.
        let latest = now_ms.saturating_add(LAST_RETRY_MS);
        let not_before = self.not_before.filter(|at| *at <= latest);
        self.due_at.map(|due| due.max(not_before.unwrap_or(AT_ONCE)))
    }

    /// When the next request is due, ms, as pages show it.
    pub(crate) fn next_at(&self) -> Option<i64> {
        self.due_at.map(|due| due.max(self.not_before.unwrap_or(AT_ONCE)))
    }

    /// A wake-up to ask the driver for, if it differs from the last one.
    pub(crate) fn announce(&mut self, idle: bool, now_ms: i64) -> Option<i64> {
        let due = self.due(now_ms).filter(|_| idle);
        if due == self.announced {
            return None;
        }
        self.announced = due;
        due
    }

    /// The announced wake-up has come.
    pub(crate) fn woken(&mut self) {
        self.announced = None;
    }

    /// An edit: send soon, unless a backoff is running.
    pub(crate) fn edited(&mut self, now_ms: i64) {
        if self.failures == 0 {
            let soon = now_ms.saturating_add(EDIT_DELAY_MS);
            self.due_at = Some(self.due_at.map_or(soon, |due| due.min(soon)));
        }
    }

    pub(crate) fn schedule_now(&mut self) {
        self.due_at = Some(AT_ONCE);
    }

    pub(crate) fn schedule_next(&mut self, remaining: Remaining, now_ms: i64) {
        let wait = match remaining {
            Remaining::Nothing if self.is_streamed => STREAMED_POLL_MS,
            Remaining::Nothing | Remaining::Decision => POLL_MS,
            Remaining::Edits => EDIT_DELAY_MS,
            Remaining::More => 0,
            Remaining::RepeatedRepair => LAST_RETRY_MS,
        };
        self.due_at = Some(now_ms.saturating_add(wait));
    }

    /// The office's event stream is alive, or not any more: its signals may be lost then.
    pub(crate) fn set_streamed(&mut self, is_streamed: bool, now_ms: i64) {
        if self.is_streamed && !is_streamed {
            let poll = now_ms.saturating_add(POLL_MS);
            self.due_at = self.due_at.map(|due| due.min(poll));
        }
        self.is_streamed = is_streamed;
    }

    /// Nothing is due until a person or a signal asks for it.
    pub(crate) fn stop(&mut self) {
        self.due_at = None;
    }

    /// The office has answered.
    pub(crate) fn answered(&mut self) {
        self.failures = 0;
        self.not_before = None;
    }

    /// No reply came: retry after a backoff. `random` spreads the retries of many devices.
    pub(crate) fn retry(&mut self, now_ms: i64, random: u32) {
        let delay = self.backoff(random);
        self.due_at = Some(now_ms.saturating_add(delay));
    }

    /// The office asked to wait `wait_ms` (rule R7). All devices were told the same wait, so up to
    /// half of it more is random.
    pub(crate) fn defer(&mut self, wait_ms: i64, now_ms: i64, random: u32) {
        let delay = self.backoff(random);
        let wait = wait_ms.clamp(0, LAST_RETRY_MS);
        let spread = wait + i64::from(random) % (wait / 2 + 1);
        self.not_before = Some(now_ms.saturating_add(wait));
        self.due_at = Some(now_ms.saturating_add(delay.max(spread)));
    }

    /// Counts a failure; gives the delay, ms, half of it fixed and half random.
    fn backoff(&mut self, random: u32) -> i64 {
        self.failures = self.failures.saturating_add(1);
        let full = (FIRST_RETRY_MS << self.failures.min(10)).min(LAST_RETRY_MS);
        full / 2 + i64::from(random) % (full / 2 + 1)
    }
}
