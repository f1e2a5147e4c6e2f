//! A proxy that cuts, delays, holds and half closes the connections through it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// Where connections go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// How the proxy treats its connections, open ones and new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// Each piece waits.
    Slow(Duration),
    /// Bytes are held back while the connections stay open.
    Held,
    /// The same for the client alone: requests arrive and answers do not.
    HeldDown,
    /// The client gets nothing more, but may send.
    HalfClosed,
    /// The server gets nothing more, but may send.
    HalfClosedUp,
    Cut,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Bytes of the client, and what takes their place in one of two cases.
type Tampering = Option<(&'static [u8], &'static [u8])>;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: Arc<Mutex<Target>>,
    tampers: Arc<AtomicBool>,
    tampered: Arc<AtomicUsize>,
}

impl Proxy {
    /// Serves on the current runtime until it ends.
    pub(crate) async fn start(target: Target) -> Self {
        Self::tampering(target, None).await
    }

    /// The same for one that can change bytes of clients: a fault that nothing allows for.
    pub(crate) async fn tampering(target: Target, tampering: Tampering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Open);
        let target = Arc::new(Mutex::new(target));
        let tampers = Arc::new(AtomicBool::new(false));
        let tampered = Arc::new(AtomicUsize::new(0));
        let (to, tampers_now) = (Arc::clone(&target), Arc::clone(&tampers));
        let counted = Arc::clone(&tampered);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, watched) = (to.lock().unwrap().clone(), watched.clone());
                let (tampers, counted) = (Arc::clone(&tampers_now), Arc::clone(&counted));
                let change = move |piece: &mut [u8]| {
                    if let Some((from, to)) = tampering
                        && tampers.load(Ordering::Relaxed)
                        && let Some(at) = piece.windows(from.len()).position(|part| part == from)
                        && fastrand::bool()
                    {
                        piece[at..at + from.len()].copy_from_slice(to);
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                };
                tokio::spawn(async move { drop(forward(client, to, watched, change).await) });
            }
        });
        Self { address, mode, target, tampers, tampered }
    }

    pub(crate) fn tamper(&self, on: bool) {
        self.tampers.store(on, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How often bytes were changed.
    pub(crate) fn tampered(&self) -> usize {
        self.tampered.load(Ordering::Relaxed)
    }

    pub(crate) fn lead_to(&self, target: Target) {
        *self.target.lock().unwrap() = target;
    }
}

async fn forward(
    client: TcpStream,
    to: Target,
    mode: watch::Receiver<Mode>,
    change: impl Fn(&mut [u8]),
) -> io::Result<()> {
    if *mode.borrow() == Mode::Cut {
        return Ok(());
    }
    let server: Box<dyn Stream> = match to {
        Target::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        Target::Unix(path) => Box::new(UnixStream::connect(path).await?),
    };
    let client: Box<dyn Stream> = Box::new(client);
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    tokio::join!(
        pump(from_client, to_server, mode.clone(), false, change),
        pump(from_server, to_client, mode, true, |_| ())
    );
    Ok(())
}

async fn pump(
    mut from: ReadHalf<Box<dyn Stream>>,
    mut to: WriteHalf<Box<dyn Stream>>,
    mut mode: watch::Receiver<Mode>,
    is_down: bool,
    change: impl Fn(&mut [u8]),
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Cut => break,
            Mode::HalfClosed if is_down => break,
            Mode::HalfClosedUp if !is_down => break,
            Mode::HeldDown if !is_down => {}
            Mode::Held | Mode::HeldDown => match mode.changed().await {
                Ok(()) => continue,
                Err(_) => break,
            },
            Mode::Open | Mode::Slow(_) | Mode::HalfClosed | Mode::HalfClosedUp => {}
        }
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { break },
            read = from.read(&mut piece) => {
                let Ok(length @ 1..) = read else { break };
                if let Mode::Slow(wait) = now {
                    tokio::time::sleep(wait).await;
                }
                change(&mut piece[..length]);
                if to.write_all(&piece[..length]).await.is_err() {
                    break;
                }
            }
        }
    }
    // The other side may be gone.
    let _ = to.shutdown().await;
}
