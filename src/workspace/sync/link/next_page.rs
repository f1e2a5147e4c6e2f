//! The next page of the feed, requested while the last one is applied.

use super::Link;
use crate::sync::message::Reply;
use crate::workspace::sync::phase::{NextPage, Phase, SentRequest};

impl Link {
    /// The next page is requested; gives the number of its round.
    pub(crate) fn request_next_page(&mut self, now_ms: i64) -> u64 {
        self.page_size.sent(now_ms);
        let round = self.next_round;
        self.next_round += 1;
        self.next_page = Some(NextPage::Sent { round });
        round
    }

    pub(crate) fn awaits_next_page(&self, round: u64) -> bool {
        matches!(self.next_page, Some(NextPage::Sent { round: sent }) if sent == round)
    }

    /// The next page has come, at this time.
    pub(crate) fn next_page_arrived(&mut self, reply: Reply, size: usize, now_ms: i64) {
        self.page_size.arrived(size, now_ms);
        self.next_page = Some(NextPage::Arrived { reply: Box::new(reply), size, at: now_ms });
    }

    /// Continues with the next page, if one was requested.
    pub(crate) fn turn_page(&mut self) -> bool {
        match self.next_page.take() {
            Some(NextPage::Sent { round }) => {
                self.phase = Phase::Sent { round, sent: SentRequest::default() };
            }
            Some(NextPage::Arrived { reply, size, at }) => {
                self.begin_applying(*reply, SentRequest::default(), size, at);
            }
            None => return false,
        }
        true
    }
}
