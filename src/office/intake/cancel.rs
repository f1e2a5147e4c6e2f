//! Cancels work at its next step once its client has gone or its deadline has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::office::OfficeError;

/// Tells work when to stop. Clones share it; by default it never says so.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub struct CancelOnDrop(CancelToken);

impl CancelToken {
    /// For work that is to stop at a time.
    pub fn with_deadline(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Ties the work to the client that waits for it.
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }

    /// Fails where the work is to stop. Asked between steps: each is either done or not begun, and
    /// the client asks again (rule D3).
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
