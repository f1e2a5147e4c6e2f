//! Cards of the user's past visits: what remains when a record leaves the device (rule F6).
//!
//! A card identifies the visit and says nothing about the borrower. Cards are encrypted rows of
//! the table `meta` under a prefix of their own, so erasing the store erases them too.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::entry::RecordEntry;
use crate::ids::RecordId;
use crate::record::Record;
use crate::record::terms::{Disposition, Stage};
use crate::record::view::VisitView;
use crate::types::TsType;
use crate::vault::encode;
use crate::workspace::Workspace;
use crate::workspace::output::Table;
use crate::workspace::storage::journal::Journal;

/// Most cards on a device; those whose records left first are dropped first.
const MAX_CARDS: usize = 500;

/// How long a card stays after its record has left, ms.
const RETENTION_MS: i64 = 180 * 86_400_000;

/// Key prefix of cards; the record's id follows.
const PREFIX: &str = "card/";

TsType! {
/// A visit of this device's user whose record has left the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Record id.
    pub record: String,
    /// Case number.
    pub case_no: String,
    /// When the user visited, ms.
    pub visited_at: i64,
    /// Its outcome, as the device last knew it.
    pub disposition: Option<Disposition>,
    /// The office had accepted it.
    pub accepted: bool,
    /// When the record left, ms by the office's clock.
    pub left_at: i64,
}
}

#[derive(Encode, Decode)]
struct StoredCard {
    #[n(0)]
    case_no: String,
    #[n(1)]
    visited_at: i64,
    #[n(2)]
    disposition: Option<String>,
    #[n(3)]
    accepted: bool,
    #[n(4)]
    left_at: i64,
}

/// All cards, in memory as in the store.
#[derive(Debug, Default)]
pub(crate) struct Cards(BTreeMap<RecordId, Card>);

impl Cards {
    /// Loads a decrypted row of `meta`; ignores rows that are no cards.
    pub(crate) fn load_row(&mut self, key: &str, plain: &[u8]) {
        let id = key.strip_prefix(PREFIX).and_then(|id| id.parse::<RecordId>().ok());
        let (Some(id), Ok(stored)) = (id, minicbor::decode::<StoredCard>(plain)) else { return };
        let StoredCard { case_no, visited_at, disposition, accepted, left_at } = stored;
        let disposition = disposition.and_then(|word| Disposition::parse(&word));
        let record = id.to_string();
        self.0.insert(id, Card { record, case_no, visited_at, disposition, accepted, left_at });
    }

    fn add(&mut self, id: RecordId, card: Card, journal: &mut Journal) {
        let stored = StoredCard {
            case_no: card.case_no.clone(),
            visited_at: card.visited_at,
            disposition: card.disposition.map(|word| word.as_str().to_owned()),
            accepted: card.accepted,
            left_at: card.left_at,
        };
        journal.put(Table::Meta, key(id), encode(&stored));
        self.0.insert(id, card);
    }

    /// The record is on the device again.
    pub(crate) fn remove(&mut self, id: RecordId, journal: &mut Journal) {
        if self.0.remove(&id).is_some() {
            journal.delete(Table::Meta, key(id));
        }
    }

    /// Drops cards that are too old at this time, and the oldest where there are too many.
    pub(crate) fn prune(&mut self, now_ms: i64, journal: &mut Journal) {
        let mut by_age: Vec<(i64, RecordId)> =
            self.0.iter().map(|(id, card)| (card.left_at, *id)).collect();
        by_age.sort_unstable();
        let too_many = by_age.len().saturating_sub(MAX_CARDS);
        for (at, (left_at, id)) in by_age.into_iter().enumerate() {
            if at < too_many || left_at < now_ms.saturating_sub(RETENTION_MS) {
                self.remove(id, journal);
            }
        }
    }

    /// The store is erased.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn key(id: RecordId) -> String {
    format!("{PREFIX}{id}")
}

impl Workspace {
    /// Cards of the user's past visits, the last visit first.
    pub fn past_work(&self) -> Vec<Card> {
        let mut cards: Vec<Card> = self.cards.0.values().cloned().collect();
        cards.sort_unstable_by(|one, other| {
            (other.visited_at, &other.record).cmp(&(one.visited_at, &one.record))
        });
        cards
    }

    /// Adds a card, in the batch that erases the record, if this device's user visited.
    pub(crate) fn add_card(&mut self, id: RecordId) {
        let Some(RecordEntry { summary: Some(summary), visited: Some(visited_at), .. }) =
            self.records.get(&id)
        else {
            return;
        };
        let card = Card {
            record: id.to_string(),
            case_no: summary.case_no.clone(),
            visited_at: *visited_at,
            disposition: summary.disposition,
            accepted: summary.stage == Stage::Reviewed,
            left_at: self.link.office_time(),
        };
        self.cards.add(id, card, &mut self.journal);
    }
}

/// When a user visited, ms; `None` where the visit is not over or was another user's. A visit is
/// that of users who are named as visitors, sealed it or signed it; where no visitor is named,
/// also that of users who wrote in the record.
pub(crate) fn visited_at(record: &Record, view: &VisitView, user: &str) -> Option<i64> {
    let visit = &view.visit;
    let over = match view.stage {
        Stage::Recorded | Stage::Sealed | Stage::Reviewed => true,
        Stage::Assigned | Stage::Contacted | Stage::Scheduled | Stage::OnSite => {
            visit.left_at.is_some()
        }
    };
    let seal = view.seal.as_ref();
    let own = visit.visitors.iter().any(|visitor| visitor == user)
        || seal.is_some_and(|seal| {
            seal.by == user || seal.signatures.iter().any(|one| one.by == user)
        })
        || (over && visit.visitors.is_empty() && has_written(record, user));
    let times = [visit.arrived_at, visit.departed_at, visit.left_at, seal.map(|seal| seal.at)];
    times.into_iter().flatten().next().filter(|_| over && own)
}

fn has_written(record: &Record, user: &str) -> bool {
    let changes = record.document().get_changes_meta(&[]);
    changes.iter().any(|change| change.message.as_deref() == Some(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn card(n: u16, left_at: i64) -> (RecordId, Card) {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let id = RecordId(id);
        let card = Card {
            record: id.to_string(),
            case_no: format!("C-{n}"),
            visited_at: left_at - DAY,
            disposition: Some(Disposition::Ptp),
            accepted: true,
            left_at,
        };
        (id, card)
    }

    fn of(count: u16) -> (Cards, Journal) {
        let (mut cards, mut journal) = (Cards::default(), Journal::default());
        for n in 0..count {
            let (id, card) = card(n, i64::from(n));
            cards.add(id, card, &mut journal);
        }
        (cards, journal)
    }

    #[test]
    fn f6_drops_the_oldest_of_too_many_cards() {
        let (mut cards, mut journal) = of(503);
        cards.prune(1_000, &mut journal);
        let left: Vec<i64> = cards.0.values().map(|card| card.left_at).collect();
        assert_eq!(left, (3..503).collect::<Vec<_>>());
    }

    #[test]
    fn f6_drops_a_card_after_180_days() {
        let (mut cards, mut journal) = of(3);
        cards.prune(180 * DAY, &mut journal);
        assert_eq!(cards.0.len(), 3);
        cards.prune(180 * DAY + 2, &mut journal);
        assert_eq!(cards.0.values().map(|card| card.left_at).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn f6_loads_a_card_as_it_was_stored() {
        let (id, card) = card(7, 5 * DAY);
        let bare = Card { disposition: None, accepted: false, ..card.clone() };
        for card in [card, bare] {
            let (mut cards, mut journal) = (Cards::default(), Journal::default());
            cards.add(id, card.clone(), &mut journal);
            let mut vault = crate::vault::Vault::new(&[7; 32], [1; 16]);
            let (_, writes) = journal.poll(&mut vault).expect("a batch");
            let value = writes[0].value.as_ref().expect("a row");
            let plain = vault.decrypt(Table::Meta, &writes[0].key, value).expect("sealed");
            let mut read = Cards::default();
            read.load_row(&writes[0].key, &plain);
            read.load_row("cursor", &plain);
            assert_eq!(read.0.into_values().collect::<Vec<_>>(), [card]);
        }
    }
}
