//! The reference server: what a WebSocket and a typed parse cost, and nothing else.

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Sink, Stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

const READ_BUFFER: usize = 8 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// Answers each request but ACK with 200, until `shutdown`. All frames at hand are answered before one flush.
pub async fn echo(listener: TcpListener, shutdown: impl Future<Output = ()>) {
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // An error is one connection's own: the client sees that it is closed.
                Ok((stream, _)) => drop(tokio::spawn(serve(stream))),
                Err(error) => {
                    eprintln!("cannot accept: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            () = &mut shutdown => return,
        }
    }
}

async fn serve(stream: TcpStream) -> Result<(), tungstenite::Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    std::future::poll_fn(|cx| poll_turn(Pin::new(&mut socket), cx)).await
}

/// Reads and answers until nothing is at hand, then flushes. Ready when the connection has ended.
fn poll_turn(
    mut socket: Pin<&mut WebSocketStream<TcpStream>>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), tungstenite::Error>> {
    loop {
        match socket.as_mut().poll_next(cx)? {
            Poll::Ready(Some(Message::Text(text))) => {
                if let Some(answer) = answer(text.as_str())? {
                    // It may grow beyond the write buffer: a client with this many open requests asked for it.
                    socket.as_mut().start_send(Message::text(answer))?;
                }
            }
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Pending => break,
        }
    }
    // Pending or not, the next turn begins with what is read next, or when the socket can be written again.
    match socket.poll_flush(cx) {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
    }
}

/// A string that is copied only if it has escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "a server of this protocol would have to read them")]
struct Request<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(rename = "Request-URI")]
    request_uri: Option<Text<'a>>,
    from: Text<'a>,
    to: Text<'a>,
    #[serde(rename = "DialogueID")]
    dialogue_id: Text<'a>,
    #[serde(rename = "CSeq")]
    cseq: u64,
    code: Option<u16>,
    #[serde(rename = "RelatedID")]
    related_id: Option<u64>,
    router: Option<Text<'a>>,
    expire: Option<u64>,
    body: Option<&'a RawValue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'a> {
    r#type: &'static str,
    code: u16,
    desc: &'static str,
    from: &'a str,
    to: &'a str,
    #[serde(rename = "DialogueID")]
    dialogue_id: &'a str,
    #[serde(rename = "CSeq")]
    cseq: u64,
}

/// The 200 to `text`, if that needs one.
fn answer(text: &str) -> Result<Option<String>, tungstenite::Error> {
    let request: Request<'_> = serde_json::from_str(text).map_err(io::Error::from)?;
    if matches!(&*request.r#type.0, "RESPONSE" | "ACK") {
        return Ok(None);
    }
    let response = Response {
        r#type: "RESPONSE",
        code: 200,
        desc: "OK",
        from: &request.from.0,
        to: &request.to.0,
        dialogue_id: &request.dialogue_id.0,
        cseq: request.cseq,
    };
    Ok(Some(serde_json::to_string(&response).map_err(io::Error::from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_a_request() {
        let request = r#"{"Type":"MESSAGE","Request-URI":"b@h","From":"a\"@h","To":"b@h","DialogueID":"d","CSeq":7,"Body":{"x":1}}"#;
        let expected = r#"{"Type":"RESPONSE","Code":200,"Desc":"OK","From":"a\"@h","To":"b@h","DialogueID":"d","CSeq":7}"#;
        assert_eq!(answer(request).unwrap().as_deref(), Some(expected));
    }

    #[test]
    fn answers_no_ack_no_response_and_no_rubbish() {
        for quiet in ["ACK", "RESPONSE"] {
            let text = format!(r#"{{"Type":"{quiet}","From":"a","To":"b","DialogueID":"d","CSeq":7}}"#);
            assert!(answer(&text).unwrap().is_none());
        }
        assert!(answer("{}").is_err());
    }

    #[test]
    fn strings_without_escapes_are_not_copied() {
        let text = r#"{"Type":"ACK","Router":"r","From":"a","To":"b","DialogueID":"d","CSeq":7}"#;
        let request: Request<'_> = serde_json::from_str(text).unwrap();
        assert!(matches!(request.router, Some(Text(Cow::Borrowed("r")))));
        assert!(matches!(request.from.0, Cow::Borrowed("a")));
    }
}
