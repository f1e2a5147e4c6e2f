//! Cheap requests that cause much work, slow or incomplete bodies, and many devices. Honest devices
//! must be answered as fast as without an attack.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use doorstep::ids::RecordId;
use doorstep::sync::message::{
    MAX_BODY, Outcome, Packed, Push, Request, Want, decode_reply, encode_request,
};

use crate::hostile::honest::Honest;
use crate::hostile::scene::Scene;
use crate::hostile::server::{Line, Server};

/// Senders at once, where it takes no more to be an attack.
const AT_ONCE: usize = 8;

/// Rounds of the honest phone during each attack: enough that the slowest of a hundred is one.
const ROUNDS: usize = if cfg!(debug_assertions) { 30 } else { 300 };

/// The longest that 99 of 100 honest rounds may take. Asked only of a program as it is shipped.
const SLOWEST: Duration = Duration::from_secs(1);

/// Between two tries of one connection or sender: it shares the machine with the office.
const PAUSE: Duration = Duration::from_millis(10);

type Attacker = Box<dyn Fn(&AtomicBool) + Send + Sync>;

pub(crate) fn attack(scene: &mut Scene, server: &Server, honest: &Honest) {
    let line = &scene.line;
    let crowd = server.crowd();
    let large = large_aside(line);
    let id = scene.phone.ids()[0];
    let own: Vec<RecordId> = scene.phone.ids();
    let junk = |record| Push { record, changes: vec![Packed::plain(b"x")] };
    let nobodys =
        |n: u16| RecordId([&n.to_be_bytes()[..], &[0xee; 14]].concat().try_into().unwrap());
    let mut attacks: Vec<(&str, Vec<Attacker>)> = vec![
        ("24 bodies announced", vec![idle(line, 24, b"")]),
        ("200 bodies announced", vec![idle(line, 200, b"")]),
        ("200 bodies, a byte a second", vec![dripping(line, 200)]),
        ("300 pushes of one record", {
            let change = scene.stage(id).honest();
            let push = Push { record: id, changes: vec![Packed::plain(change.raw_bytes())] };
            senders(line, Request { push: vec![push; 300], ..Request::default() })
        }),
        ("4,096 pushes of a byte", {
            let push = (0..4_096).map(|n| junk(nobodys(n))).collect();
            senders(line, Request { push, ..Request::default() })
        }),
        ("1,024 questions about one number", {
            let undecided = Some(vec![large; 1_024]);
            senders(line, Request { undecided, ..Request::default() })
        }),
        ("every record wanted, of which all is held", {
            let want = |record: &RecordId| Want {
                record: *record,
                have: scene.phone.confirmed(*record).clone(),
            };
            let want: Vec<Want> = own.iter().map(want).collect();
            senders(line, Request { want, max_bytes: u32::MAX, ..Request::default() })
        }),
        ("200,000 records to be kept", {
            let push = (0..4_096).map(|n| junk(nobodys(n))).collect();
            let keep = (0..200_000_u32).map(|n| {
                RecordId([&n.to_be_bytes()[..], &[0xdd; 12]].concat().try_into().unwrap())
            });
            senders(line, Request { push, quarantine: Some(keep.collect()), ..Request::default() })
        }),
    ];
    let whole = encode_request(&Request { max_bytes: u32::MAX, ..Request::default() });
    let many = crowd.iter().map(|line| sender(line, whole.clone()));
    attacks.push(("24 devices of one user", many.collect()));
    for (name, attackers) in attacks {
        press(server, honest, name, &attackers);
    }
}

/// Attacks until the honest phone has done its rounds, and tells how long they took.
fn press(server: &Server, honest: &Honest, name: &str, attackers: &[Attacker]) {
    let over = AtomicBool::new(false);
    let first = honest.rounds();
    thread::scope(|scope| {
        for attacker in attackers {
            scope.spawn(|| attacker(&over));
        }
        // Also where the honest phone gives up.
        let _over = Over(&over);
        while honest.rounds() < first + ROUNDS {
            thread::sleep(PAUSE);
        }
    });
    let took = honest.took_since(first);
    let of = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    let (median, p99, most) = (of(50), of(99), took[took.len() - 1]);
    let memory = server.program.memory_mib("VmHWM");
    println!(
        "{name}: {} rounds, median {median:.0?}, 99 of 100 within {p99:.0?}, all within {most:.0?}; \
         at most {memory} MiB so far",
        took.len(),
    );
    let shipped = !cfg!(debug_assertions);
    assert!(!shipped || p99 < SLOWEST, "{name}: {p99:?}");
}

/// Ends an attack when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Work in quarantine that is as large as it can be; gives its number.
fn large_aside(line: &Line) -> u64 {
    // Bytes that do not deflate.
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    let bytes: Vec<u8> = (0..MAX_BODY - 1_024).map(|_| byte()).collect();
    let push = Push { record: RecordId([0xee; 16]), changes: vec![Packed::plain(&bytes)] };
    let body = encode_request(&Request { push: vec![push], ..Request::default() });
    let answer = line.patiently(&body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    match &decode_reply(&answer.body).unwrap().results[..] {
        [Outcome::Refused { quarantine, .. }] => *quarantine,
        other => panic!("{other:?}"),
    }
}

/// Connections that announce the largest body, say a little of it and no more; whichever is
/// answered or closed is opened again.
fn idle(line: &Line, count: usize, said: &'static [u8]) -> Attacker {
    let line = line.clone();
    Box::new(move |over| {
        let mut open = Vec::new();
        while !over.load(Ordering::Relaxed) {
            open.retain(is_open);
            while open.len() < count {
                open.push(begin(&line, said));
            }
            thread::sleep(PAUSE);
        }
    })
}

/// The same, of which a byte comes each second.
fn dripping(line: &Line, count: usize) -> Attacker {
    let line = line.clone();
    Box::new(move |over| {
        let mut open: Vec<TcpStream> = Vec::new();
        let mut ticks = 0_u32;
        while !over.load(Ordering::Relaxed) {
            open.retain(is_open);
            while open.len() < count {
                open.push(begin(&line, &[3]));
            }
            if ticks.is_multiple_of(100) {
                open.retain_mut(|stream| stream.write_all(&[3]).is_ok());
            }
            ticks += 1;
            thread::sleep(PAUSE);
        }
    })
}

fn begin(line: &Line, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(line.address).unwrap();
    let head = line.head(MAX_BODY);
    // It may be hung up on already.
    let _ = stream.write_all(&[head.as_bytes(), said].concat());
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Neither answered nor closed.
fn is_open(mut stream: &TcpStream) -> bool {
    stream.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn senders(line: &Line, request: Request) -> Vec<Attacker> {
    let body = encode_request(&request);
    (0..AT_ONCE).map(|_| sender(line, body.clone())).collect()
}

/// Sends a body again and again, whatever it is told, and does not always wait for an answer.
fn sender(line: &Line, body: Vec<u8>) -> Attacker {
    let line = line.clone();
    Box::new(move |over| {
        let mut sent = 0_u32;
        while !over.load(Ordering::Relaxed) {
            if sent.is_multiple_of(4) {
                let mut stream = TcpStream::connect(line.address).unwrap();
                let _ = stream.write_all(&[line.head(body.len()).as_bytes(), &body].concat());
            } else {
                line.try_post(&body);
            }
            sent += 1;
            thread::sleep(PAUSE);
        }
    })
}
