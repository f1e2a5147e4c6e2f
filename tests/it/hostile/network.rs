//! Connections that say nothing whole: bodies that stop coming, heads that never end, and what
//! is not HTTP.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use doorstep::sync::message::{Request, encode_request};

use crate::hostile::scene::Scene;
use crate::hostile::server::{answer, say};

/// Connections that are kept open and never finish what they say.
const HELD: usize = 64;

pub(crate) fn attack(scene: &mut Scene) {
    let body = encode_request(&Request::default());
    let head = scene.line.head(100_000);
    let mut held = Vec::new();
    for n in 0..HELD {
        let mut stream = TcpStream::connect(scene.line.address).unwrap();
        // Nothing, a part of the head, the head, the head and a part of the body.
        let said =
            [&b""[..], &head.as_bytes()[..n], head.as_bytes(), &[head.as_bytes(), &body].concat()];
        stream.write_all(said[n % said.len()]).unwrap();
        held.push(stream);
    }
    let bodies = [&body[..], &[3; 5_000]];
    for cut in bodies.map(|body| [head.as_bytes(), body].concat()) {
        let mut stream = TcpStream::connect(scene.line.address).unwrap();
        stream.write_all(&cut).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = answer(&mut stream);
        // More of one user's bodies are under way than the office takes.
        let told = answer.is_none_or(|answer| [400, 429].contains(&answer.status));
        assert!(told, "a body that breaks off");
    }
    for (name, said, statuses) in [
        ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[400][..]),
        ("zeros", vec![0; 4_096], &[400]),
        (
            "a head of a megabyte",
            [b"GET / HTTP/1.1\r\nA: ", &vec![b'a'; 1 << 20][..]].concat(),
            &[400, 431],
        ),
        (
            "100,000 headers",
            [b"GET / HTTP/1.1\r\n", &b"A: b\r\n".repeat(100_000)[..]].concat(),
            &[400, 431],
        ),
        (
            "two lengths",
            [head.trim_end(), "\r\nContent-Length: 5\r\n\r\nhello"].concat().into_bytes(),
            &[400],
        ),
        (
            "a length below nothing",
            scene.line.head(0).replace("Length: 0", "Length: -1").into_bytes(),
            &[400],
        ),
        (
            "a length past counting",
            scene.line.head(0).replace("Length: 0", "Length: 99999999999999999999").into_bytes(),
            &[400, 413],
        ),
        (
            "pieces of no length",
            chunked(&scene.line.head(0), b"zz\r\nhello\r\n0\r\n\r\n"),
            &[400, 429],
        ),
        (
            "a piece past counting",
            chunked(&scene.line.head(0), b"ffffffffffffffffff\r\n"),
            &[400, 429],
        ),
    ] {
        let answer = say(scene.line.address, &said);
        let status = answer.map(|answer| answer.status);
        assert!(status.is_none_or(|status| statuses.contains(&status)), "{name}: {status:?}");
    }
    // All of them were open so far, and the honest phone's rounds went on. Once they are closed the
    // one who lies is heard again too.
    assert_eq!(held.len(), HELD);
    drop(held);
    assert_eq!(scene.line.patiently(&body).status, 200);
}

fn chunked(head: &str, body: &[u8]) -> Vec<u8> {
    let head = head.replace("Content-Length: 0", "Transfer-Encoding: chunked");
    [head.as_bytes(), body].concat()
}
