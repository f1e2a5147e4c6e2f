//! An honest phone, the app's own workspace, that works while others lie.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use doorstep::ids::{DeviceId, RecordId};

use crate::hostile::server::{Line, Server};
use crate::support::phone::{TestPhone, contact};

/// The id byte of its device, and of another of the same user.
const DEVICE: u8 = 0x55;
const SECOND: u8 = 0x56;

/// Rounds that it does at the least.
const ROUNDS: usize = 10;

pub(crate) struct Honest {
    attack_over: Arc<AtomicBool>,
    work: JoinHandle<TestPhone>,
    second: Line,
    /// How long each round took, to the end of its answer.
    took: Arc<Mutex<Vec<Duration>>>,
}

impl Honest {
    pub(crate) fn start(server: &Server) -> Self {
        let line = Line::new(server, "wu.min", DeviceId([DEVICE; 16]));
        let second = Line::new(server, "wu.min", DeviceId([SECOND; 16]));
        let attack_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&attack_over);
        let took = Arc::new(Mutex::new(Vec::new()));
        let times = Arc::clone(&took);
        let work = std::thread::spawn(move || {
            let mut device = TestPhone::new("wu.min", DEVICE);
            sync(&mut device, &line, &times);
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) || rounds < ROUNDS {
                let ids = device.ids();
                let record = ids[rounds % ids.len()];
                device.apply(record, &contact(&id(rounds)));
                sync(&mut device, &line, &times);
                device.assert_in_step();
                rounds += 1;
            }
            device
        });
        Self { attack_over, work, second, took }
    }

    /// Rounds that it has had answered so far.
    pub(crate) fn rounds(&self) -> usize {
        assert!(!self.work.is_finished(), "its rounds go on");
        self.took.lock().unwrap().len()
    }

    /// How long each round took, from a number on, sorted.
    pub(crate) fn took_since(&self, first: usize) -> Vec<Duration> {
        let mut took = self.took.lock().unwrap()[first..].to_vec();
        took.sort();
        took
    }

    /// All that it was told is at the office is there for another phone of the same user.
    pub(crate) fn assert_all_there(self) {
        self.attack_over.store(true, Ordering::Relaxed);
        let mut device = self.work.join().expect("its rounds went on");
        let mut second = TestPhone::new("wu.min", SECOND);
        sync(&mut second, &self.second, &self.took);
        second.assert_in_step();
        let (ids, written) = (device.ids(), contacts(&mut device));
        assert_eq!(ids, second.ids());
        assert!(written.len() >= ROUNDS);
        assert_eq!(written, contacts(&mut second));
    }
}

fn contacts(device: &mut TestPhone) -> BTreeSet<(RecordId, String)> {
    let ids = device.ids();
    let all = ids.into_iter().flat_map(|id| {
        let contacts = device.view(id).contacts;
        contacts.into_iter().map(move |contact| (id, contact.id))
    });
    all.collect()
}

/// Requests and replies until nothing more is to be asked.
fn sync(device: &mut TestPhone, line: &Line, took: &Mutex<Vec<Duration>>) {
    if device.sent.is_none() {
        device.workspace.sync_now(device.now);
        device.run();
    }
    loop {
        while let Some(sent) = device.sent.take() {
            let began = Instant::now();
            // On a starved machine the office may not read a body in time: a phone sends it again.
            let answer = (0..5).find_map(|_| line.try_post(&sent.body)).expect("an answer");
            took.lock().unwrap().push(began.elapsed());
            assert_eq!(answer.status, 200, "{}", answer.text());
            device.workspace.replied(sent.round, &answer.body, device.now);
            device.run();
        }
        if !device.wake_if_due() {
            return;
        }
    }
}

fn id(n: usize) -> String {
    format!("018bcfe5-0000-7000-8000-{n:012}")
}
