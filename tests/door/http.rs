//! HTTP by hand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{PATIENCE, TestServer};

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// The head of an upgrade, with more headers.
pub(crate) fn upgrade(user: &str, more: &str) -> String {
    format!(
        "GET /rtc?userid={user} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// Reads one answer.
pub(crate) async fn answer(io: &mut (impl AsyncRead + Unpin)) -> Answer {
    let read = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap();
        let status = head[9..12].parse().unwrap();
        let headers: BTreeMap<String, String> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        io.read_exact(&mut body).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body).unwrap() }
    };
    timeout(PATIENCE, read).await.unwrap()
}

/// Sends a head and reads the answer.
pub(crate) async fn ask(io: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &str) -> Answer {
    io.write_all(head.as_bytes()).await.unwrap();
    answer(io).await
}

/// Waits until the other side has closed; nothing may come before.
pub(crate) async fn closed(io: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    // A reset ends it too.
    let _ = timeout(PATIENCE, io.read_to_end(&mut rest)).await.expect("it stays open");
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
}

pub(crate) async fn tcp(address: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(address).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}

/// Tries to get in; the socket is open as long as the second value is.
pub(crate) async fn enter(server: &TestServer, user: &str, more: &str) -> (Answer, TcpStream) {
    let mut tcp = tcp(server.rtc).await;
    let answer = ask(&mut tcp, &upgrade(user, more)).await;
    (answer, tcp)
}

/// A folder of a test, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("door-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A counter of `/metrics`.
pub(crate) async fn counter(server: &TestServer, sample: &str) -> u64 {
    let (_, text) = server.curl("GET", "/metrics").await;
    let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{sample} is not in {text}")).parse().unwrap()
}

/// How many were not let in for this reason.
pub(crate) async fn not_let_in(server: &TestServer, why: &str) -> u64 {
    counter(server, &format!("rtcd_not_let_in_total{{why=\"{why}\"}}")).await
}
