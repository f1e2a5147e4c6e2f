//! Many phones and the office at once, and in every order.

use crate::support::office::TestOffice;
use crate::support::sync_client::{SyncClient, contact, notes, payment, propose};
use doorstep::ids::RecordId;
use doorstep::sync::message::Outcome;

#[tokio::test(flavor = "multi_thread")]
async fn r2_pushes_at_the_same_time_all_stand() {
    let office = TestOffice::ticking();
    let id = office.add_visit("C-1", &["chen.jie", "wu.min", "zhao.lei", "sun.yan"]).await;
    let users = ["chen.jie", "wu.min", "zhao.lei", "sun.yan"];
    let mut working = Vec::new();
    for (n, user) in (1u8..).zip(users) {
        let office = office.clone();
        working.push(tokio::spawn(async move {
            let mut phone = SyncClient::new(user, n);
            phone.sync(&office).await;
            for k in 0..10 {
                phone.write(id, contact(u64::from(n) * 100 + k));
                let reply = phone.sync(&office).await;
                assert!(matches!(reply.results[0], Outcome::Merged { .. }));
            }
            phone
        }));
    }
    let mut phones = Vec::new();
    for phone in working {
        phones.push(phone.await.unwrap());
    }
    for phone in &mut phones {
        let reply = phone.sync(&office).await;
        phone.assert_in_step(&reply);
        assert_eq!(phone.view(id).contacts.len(), 40);
    }
    office.assert_sound().await;
}

#[tokio::test]
async fn any_sequence_of_edits_and_rounds_converges() {
    for seed in 0..8 {
        Simulated::new(seed).run(60).await;
    }
}

/// A random walk over two phones and the office, the same for the same seed.
struct Simulated {
    office: TestOffice,
    phones: Vec<SyncClient>,
    records: Vec<RecordId>,
    state: u64,
    contacts: u64,
}

impl Simulated {
    fn new(seed: u64) -> Self {
        let mut phones = vec![
            SyncClient::new("chen.jie", 1),
            SyncClient::new("wu.min", 2),
            SyncClient::new("wu.min", 3),
        ];
        phones[1].max_bytes = 0;
        Self {
            office: TestOffice::ticking(),
            phones,
            records: Vec::new(),
            state: seed * 2 + 1,
            contacts: 0,
        }
    }

    /// Walks, then lets everybody catch up, and compares.
    async fn run(mut self, steps: u32) {
        for _ in 0..steps {
            self.step().await;
        }
        for _ in 0..4 {
            for phone in &mut self.phones {
                while phone.sync(&self.office).await.remaining > 0 {}
            }
        }
        for phone in &mut self.phones {
            let reply = phone.sync(&self.office).await;
            phone.assert_in_step(&reply);
        }
        self.office.assert_sound().await;
    }

    async fn step(&mut self) {
        let who = self.pick(3);
        match self.pick(10) {
            0 if self.records.len() < 8 => {
                let case_no = format!("C-{}", self.records.len());
                self.records.push(self.office.add_visit(&case_no, &["chen.jie", "wu.min"]).await);
            }
            1 if !self.records.is_empty() => {
                let some: &[&str] =
                    [&["chen.jie"][..], &["wu.min"], &["chen.jie", "wu.min"], &[]][self.pick(4)];
                let which = self.pick(self.records.len());
                let id = self.records[which];
                self.office.assign(id, some).await;
            }
            2..=6 => {
                let ids = self.phones[who].ids();
                if ids.is_empty() {
                    return;
                }
                let id = ids[self.pick(ids.len())];
                self.contacts += 1;
                let command = match self.pick(4) {
                    0 => contact(self.contacts),
                    1 => propose(i64::try_from(self.contacts).unwrap()),
                    2 => payment(self.contacts, 100),
                    _ => {
                        let text = format!("{}{}", self.phones[who].view(id).notes, self.contacts);
                        let cut = self.pick(2);
                        notes(&self.phones[who], id, &text[cut..])
                    }
                };
                self.phones[who].write(id, command);
            }
            // A round whose reply is lost.
            7 => drop(self.phones[who].exchange(&self.office, self.phones[who].request()).await),
            _ => drop(self.phones[who].sync(&self.office).await),
        }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % below
    }
}
