//! `rtest hostile`: clients that do what they should not, for a while. Run `rtest load` beside it to see whether others suffer.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::dial::{Dial, DialError};
use crate::transcript::Transcript;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Asks without end and never reads an answer.
    NeverReads,
    /// Sends a message byte by byte, one a second.
    Dribbles,
    /// Sends frames that are no message.
    Nonsense,
    /// Sends frames over which the server closes: binary, too big, deeply nested.
    Closing,
    /// Connects and is gone.
    Vanishes,
}

const KINDS: [Kind; 5] = [Kind::NeverReads, Kind::Dribbles, Kind::Nonsense, Kind::Closing, Kind::Vanishes];

/// Runs clients of each kind, so many at a time, until the time is over. Tells how often each was done, by what came of it.
///
/// # Errors
/// If the server cannot be reached at the start.
pub async fn hostile(
    url: &str,
    clients: usize,
    length: Duration,
    transcript: &Transcript,
) -> Result<(), DialError> {
    drop(Dial::default().open(&format!("{url}?userid=first@hostile")).await?);
    let end = Instant::now() + length;
    let mut running = JoinSet::new();
    for (number, kind) in KINDS.iter().cycle().take(clients * KINDS.len()).enumerate() {
        running.spawn(again_and_again(format!("{url}?userid=hostile{number}@hostile"), *kind, end));
    }
    let mut outcomes: BTreeMap<(Kind, String), u64> = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        for (outcome, count) in done.unwrap_or_default() {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    for ((kind, outcome), count) in outcomes {
        transcript.line(&format!("{kind:?}: {outcome}: {count}"));
    }
    Ok(())
}

async fn again_and_again(url: String, kind: Kind, end: Instant) -> BTreeMap<(Kind, String), u64> {
    let mut outcomes = BTreeMap::new();
    // Not more than these a second, so that the load is the nonsense and not the number of connections.
    let mut tick = interval(Duration::from_millis(50));
    let mut time = 0;
    while Instant::now() < end {
        tick.tick().await;
        time += 1;
        let dial = Dial { zero_linger: true, ..Dial::default() };
        let outcome = match dial.open(&url).await {
            Ok(socket) => once(socket, kind, time, end).await,
            Err(error) => error.to_string(),
        };
        *outcomes.entry((kind, outcome)).or_default() += 1;
    }
    outcomes
}

type Socket = WebSocketStream<TcpStream>;

async fn once(mut socket: Socket, kind: Kind, time: u64, end: Instant) -> String {
    match kind {
        Kind::NeverReads => never_reads(&mut socket, end).await,
        Kind::Dribbles => dribbles(&mut socket, end).await,
        Kind::Nonsense => {
            for text in nonsense() {
                if socket.send(Message::text(text)).await.is_err() {
                    return "closed".to_owned();
                }
            }
            answers(&mut socket).await
        }
        Kind::Closing => closing(&mut socket, time).await,
        Kind::Vanishes => "gone".to_owned(),
    }
}

async fn never_reads(socket: &mut Socket, end: Instant) -> String {
    let mut cseq = 0u64;
    while Instant::now() < end {
        cseq += 1;
        match timeout_at(end, socket.send(Message::text(request(cseq, "x")))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "cut off".to_owned(),
            Err(_) => return "not cut off yet".to_owned(),
        }
    }
    "not cut off yet".to_owned()
}

async fn dribbles(socket: &mut Socket, end: Instant) -> String {
    let mut tick = interval(Duration::from_secs(1));
    // The head of a text frame of 100 bytes, with a mask of zeros, and then the bytes.
    let head = [0x81, 0x80 | 100, 0, 0, 0, 0];
    for byte in head.into_iter().chain(std::iter::repeat(b' ')) {
        tick.tick().await;
        if Instant::now() >= end {
            break;
        }
        if socket.get_mut().write_all(&[byte]).await.is_err() {
            return "cut off".to_owned();
        }
    }
    "went on".to_owned()
}

fn nonsense() -> Vec<String> {
    let rest = r#""Request-URI":"u","From":"f","To":"t","DialogueID":"d","CSeq":1"#;
    vec![
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        format!(r#"{{"Type":"MESSAGE",{rest},"From":"again"}}"#),
        format!(r#"{{"Type":"MESSAGE",{rest},"Body":{{"a":1,"a":2}}}}"#),
        format!(r#"{{"Type":"%s%n","Request-URI":"\u0000\u001b[2J",{rest}}}"#),
        format!(r#"{{"Type":"MESSAGE",{rest},"Body":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000)),
    ]
}

async fn closing(socket: &mut Socket, time: u64) -> String {
    /// More than a message may be.
    const TOO_BIG: usize = 65 * 1024 + 1;
    let frame = match time % 3 {
        0 => Message::Binary(Bytes::from_static(b"binary")),
        1 => Message::text("[".repeat(160_000)),
        _ => Message::text("x".repeat(TOO_BIG)),
    };
    // The server may close before all is written.
    let _ = socket.send(frame).await;
    answers(socket).await
}

/// How many messages came until the server closed, or was quiet.
async fn answers(socket: &mut Socket) -> String {
    /// An answer takes no longer.
    const QUIET: Duration = Duration::from_millis(500);
    let mut answers = 0;
    loop {
        match timeout(QUIET, socket.next()).await {
            Ok(Some(Ok(Message::Text(_)))) => answers += 1,
            Ok(Some(Ok(Message::Close(Some(frame))))) => {
                return format!("closed with {}", u16::from(frame.code));
            }
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) => return "closed".to_owned(),
            Err(_) => return format!("{answers} answers"),
        }
    }
}

fn request(cseq: u64, body: &str) -> String {
    format!(
        r#"{{"Type":"MESSAGE","Request-URI":"Recv_MESSAGE","From":"f","To":"t","DialogueID":"h{cseq}","CSeq":{cseq},"Router":"x@h;type=conformance","Body":"{body}"}}"#
    )
}
