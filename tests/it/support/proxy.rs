//! A proxy that cuts, delays, holds and half closes the connections through it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// The client gets nothing more, but may send.
    HalfClosed,
    Cut,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: Arc<Mutex<Target>>,
}

impl Proxy {
    /// Serves on the current runtime until it ends.
    pub(crate) async fn start(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Open);
        let target = Arc::new(Mutex::new(target));
        let to = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, watched) = (to.lock().unwrap().clone(), watched.clone());
                tokio::spawn(async move { drop(forward(client, to, watched).await) });
            }
        });
        Self { address, mode, target }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub(crate) fn lead_to(&self, target: Target) {
        *self.target.lock().unwrap() = target;
    }
}

async fn forward(client: TcpStream, to: Target, mode: watch::Receiver<Mode>) -> io::Result<()> {
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
        pump(from_client, to_server, mode.clone(), false),
        pump(from_server, to_client, mode, true)
    );
    Ok(())
}

async fn pump(
    mut from: ReadHalf<Box<dyn Stream>>,
    mut to: WriteHalf<Box<dyn Stream>>,
    mut mode: watch::Receiver<Mode>,
    is_down: bool,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Cut => break,
            Mode::HalfClosed if is_down => break,
            Mode::Held => match mode.changed().await {
                Ok(()) => continue,
                Err(_) => break,
            },
            Mode::Open | Mode::Slow(_) | Mode::HalfClosed => {}
        }
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { break },
            read = from.read(&mut piece) => {
                let Ok(length @ 1..) = read else { break };
                if let Mode::Slow(wait) = now {
                    tokio::time::sleep(wait).await;
                }
                if to.write_all(&piece[..length]).await.is_err() {
                    break;
                }
            }
        }
    }
    // The other side may be gone.
    let _ = to.shutdown().await;
}
