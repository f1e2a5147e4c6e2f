//! Evaluates records beside a running office, soon after they changed.

use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use crate::office::Office;

/// Changes that come together are evaluated together.
const GATHER: Duration = Duration::from_secs(1);

/// After a failure, such as a full disk.
const AGAIN: Duration = Duration::from_secs(60);

impl Office {
    /// Evaluates what changed, at the start and whenever a feed moved, until the store closes.
    /// Rests between batches for as long as one took, so that it takes half a core at the most,
    /// however much is changed.
    pub async fn keep_evaluating(&self) {
        let mut moves = self.subscribe();
        loop {
            let began = Instant::now();
            // Complaints follow the same changes.
            self.follow_complaints().await;
            match self.keep_conduct_of_some().await {
                Ok(0) => {}
                Ok(_) => {
                    tokio::time::sleep(began.elapsed()).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "records could not be evaluated");
                    tokio::time::sleep(AGAIN).await;
                }
            }
            // One that lagged has missed some, and there is something to do.
            if let Err(RecvError::Closed) = moves.recv().await {
                return;
            }
            tokio::time::sleep(GATHER).await;
            while !matches!(moves.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        }
    }
}
