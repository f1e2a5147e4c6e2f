//! An office that listens, and a client that sends what no client should.

use std::net::{SocketAddr, TcpListener};

use doorstep::office::http::{TrafficConfig, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::http_office::HttpOffice;

/// An office on a port of its own.
pub(crate) struct Listening {
    pub(crate) http: HttpOffice,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    pub(crate) async fn behind(setup: TrafficConfig) -> Self {
        let http = HttpOffice::behind(setup).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (router, traffic, closing) =
            (http.router.clone(), http.traffic.clone(), http.closing.clone());
        let stopped = async move { drop(stopped.await) };
        let served = tokio::spawn(serve(router, listener, None, traffic, closing, stopped));
        Self { http, address, stop: Some(stop), served }
    }

    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn wire(&self) -> Wire {
        Wire(TcpStream::connect(self.address).await.unwrap())
    }

    /// Tries until a connection is answered.
    pub(crate) async fn until_answered(&self) -> Wire {
        loop {
            let Ok(stream) = TcpStream::connect(self.address).await else { continue };
            let mut wire = Wire(stream);
            if wire.get("/healthz").await.is_some() {
                return wire;
            }
        }
    }
}

/// One connection.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// A round of which the body comes later.
    pub(crate) async fn begin_round(&mut self, token: &str, length: usize) {
        self.send(format!(
            "POST /sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n"
        ))
        .await;
    }

    pub(crate) async fn get(&mut self, path: &str) -> Option<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.ok()?;
        self.answer().await
    }

    /// Status and the whole text of an answer; `None` where the office hung up instead.
    pub(crate) async fn answer(&mut self) -> Option<(u16, String)> {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some(at) = text.find("\r\n\r\n") {
                let head = text[..at].to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1);
                let length = length.and_then(|rest| rest.split('\r').next()?.parse().ok());
                if bytes.len() >= at + 4 + length.unwrap_or(0) {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return Some((status, text.into_owned()));
                }
            }
            match self.0.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend(&piece[..count]),
            }
        }
    }

    /// Whether the office hung up without another word.
    pub(crate) async fn is_hung_up(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 64]).await, Ok(0) | Err(_))
    }
}
