//! How much waits for the office, for the console's sidebar, and the order of its queues.

use std::time::Duration;

use super::store::{Listing, Queue};
use super::{Office, OfficeError};
use crate::record::queue::OrderRule;

/// Counts end here: more is not done in a day, and a sidebar shows "999+".
pub const MAX_COUNT: u32 = 1_000;

/// A phone that is used asks for changes whenever it has a signal.
const OUT_OF_TOUCH: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Rows that get their place in a new order in one transaction.
const REKEY_BATCH: u32 = 500;

/// Sizes of all queues. Each number is counted up to `max`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct QueueCounts {
    /// The queues of records, in the order of the sidebar.
    pub queues: Vec<QueueCount>,
    /// Pieces of refused work that are undecided.
    pub quarantined: u64,
    /// Devices of collectors with a valid sign-in that were not seen for three days.
    pub devices_out_of_touch: u64,
    /// Pending proposals.
    pub proposals: u64,
    /// The largest count: it means this many or more.
    pub max: u32,
}

/// Size of a queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct QueueCount {
    /// The queue; a list takes it as a filter.
    pub queue: Queue,
    /// Records in it.
    pub count: u64,
}

impl Office {
    /// Counts all queues in one snapshot. `today` is the day where they are read, `YYYY-MM-DD`.
    pub async fn queue_counts(&self, today: String) -> Result<QueueCounts, OfficeError> {
        let now = self.now();
        let out_of_touch = i64::try_from(OUT_OF_TOUCH.as_millis()).unwrap_or(i64::MAX);
        let since = now.saturating_sub(out_of_touch);
        self.blocking(move |office| {
            let counts = office.store.read_with(|reads| {
                let mut queues = Vec::new();
                for queue in Queue::ALL.iter().copied() {
                    let today = today.clone();
                    let listing = Listing { queue: Some(queue), today, ..Listing::default() };
                    let count = reads.count_listed(&listing, MAX_COUNT)?;
                    queues.push(QueueCount { queue, count });
                }
                Ok(QueueCounts {
                    queues,
                    quarantined: reads.count_undecided(MAX_COUNT)?,
                    devices_out_of_touch: reads.count_devices_unseen(since, now, MAX_COUNT)?,
                    proposals: reads.count_pending(now, MAX_COUNT)?,
                    max: MAX_COUNT,
                })
            })?;
            Ok(counts)
        })
        .await
    }

    /// Sorts queues by these rules from now on. An interrupted call is completed by the next one
    /// with the same rules; until then some rows are in their former place.
    pub async fn set_queue_order(&self, rules: Vec<OrderRule>) -> Result<(), OfficeError> {
        self.store.write(move |tx| tx.set_queue_order(&rules)).await?;
        while self.store.write(|tx| tx.rekey(REKEY_BATCH)).await? {}
        Ok(())
    }
}
