//! How many bytes a device asks for in one reply (rule R5).

use crate::sync::message::DEFAULT_REPLY_BYTES;

/// The smallest reply to ask for on a link that keeps breaking.
const MIN: u32 = 16 * 1024;
/// The largest, on a fast link: some pages hold a thousand records, and a page is decoded at once.
const MAX: u32 = 1024 * 1024;
/// How much the size recovers with each reply that arrives.
const STEP: u32 = 16 * 1024;
/// A full page that comes within this time, ms, shows a fast link: little is lost with a larger one.
const FAST_MS: i64 = 2_000;

/// The size to ask for: halved when a reply does not arrive, so that a link that keeps breaking loses
/// little each time; recovered step by step, and doubled while full pages come fast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSize {
    bytes: u32,
    /// When the last request went out, ms.
    sent_at: i64,
}

impl PageSize {
    pub(crate) fn new() -> Self {
        Self { bytes: DEFAULT_REPLY_BYTES, sent_at: 0 }
    }

    pub(crate) fn bytes(self) -> u32 {
        self.bytes
    }

    pub(crate) fn sent(&mut self, now_ms: i64) {
        self.sent_at = now_ms;
    }

    /// A reply of `size` bytes has come.
    pub(crate) fn arrived(&mut self, size: usize, now_ms: i64) {
        // The clock may have been set back.
        let is_fast = (0..=FAST_MS).contains(&now_ms.saturating_sub(self.sent_at));
        // The office estimates the size, and rather too high.
        let is_full = size >= self.bytes as usize / 2;
        self.bytes = if self.bytes < DEFAULT_REPLY_BYTES {
            (self.bytes + STEP).min(DEFAULT_REPLY_BYTES)
        } else if !is_fast {
            DEFAULT_REPLY_BYTES
        } else if is_full {
            (self.bytes * 2).min(MAX)
        } else {
            self.bytes
        };
    }

    /// No reply has come.
    pub(crate) fn lost(&mut self) {
        self.bytes = (self.bytes.min(DEFAULT_REPLY_BYTES) / 2).max(MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes to ask for after replies of a size, each after some ms.
    fn sizes(page: &mut PageSize, replies: &[(usize, i64)]) -> Vec<u32> {
        let mut now = 1_000_000;
        let after = |(size, took): &(usize, i64)| {
            page.sent(now);
            now += took;
            page.arrived(*size, now);
            page.bytes() / 1024
        };
        replies.iter().map(after).collect()
    }

    #[test]
    fn r5_the_page_grows_only_while_full_pages_come_fast() {
        let mut page = PageSize::new();
        let full = 900 * 1024;
        assert_eq!(sizes(&mut page, &[(400, 10); 3]), [256, 256, 256], "short replies");
        assert_eq!(sizes(&mut page, &[(full, 10); 4]), [512, 1024, 1024, 1024]);
        assert_eq!(sizes(&mut page, &[(full, 5_000), (full, 5_000)]), [256, 256], "slow");
        assert_eq!(sizes(&mut page, &[(full, 10), (full, -10)]), [512, 256], "clock set back");
    }

    #[test]
    fn r5_the_page_shrinks_when_replies_are_lost() {
        let mut page = PageSize::new();
        sizes(&mut page, &[(900 * 1024, 10); 3]);
        let lost = [(); 6].map(|()| {
            page.lost();
            page.bytes() / 1024
        });
        assert_eq!(lost, [128, 64, 32, 16, 16, 16]);
        assert_eq!(sizes(&mut page, &[(900 * 1024, 10); 2]), [32, 48]);
    }
}
