//! Cancels work between two steps, once its client has disconnected or its deadline has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::office::OfficeError;

/// Tells work to stop. Clones share it; the default token never cancels.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub struct CancelOnDrop(CancelToken);

impl CancelToken {
    /// A token that cancels at a deadline.
    pub fn with_deadline(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Cancels when the guard is dropped, so when the waiting client disconnects.
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }

    /// Fails once cancelled. Checked between steps: each is complete or not begun, and the client
    /// may repeat the request (rule D3).
    pub(in crate::office) fn check(&self) -> Result<(), OfficeError> {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || self.cancelled.load(Ordering::Relaxed) { Err(OfficeError::Busy) } else { Ok(()) }
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }
}
