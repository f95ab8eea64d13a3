//! `rtest demo`: two users chat and call each other, so that a newcomer sees the server work.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::dial::{Dial, DialError};
use crate::frames::{Frame, FrameError, Frames};
use crate::script::Fields;
use crate::transcript::Transcript;

/// How long an expected message may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the demonstration stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// No connection.
    #[error("{url}: {source}")]
    Dial {
        /// Where to.
        url: String,
        /// Why not.
        source: DialError,
    },
    /// A message was expected and did not come.
    #[error("{who} waited for {what}: {problem}")]
    Missing {
        /// Who waited.
        who: &'static str,
        /// What for.
        what: String,
        /// What came instead.
        problem: String,
    },
}

/// Runs it against the server at `url` (without userid), and tells what happens line by line.
///
/// # Errors
/// If the server cannot be reached or does not do what it should.
pub async fn demo(url: &str, transcript: &Transcript) -> Result<(), DemoError> {
    // Rooms and dialogs of their own, so that it can run many times and beside others.
    let run = std::process::id();
    let mut alice = User::connect(url, "alice", run, transcript).await?;
    let mut bob = User::connect(url, "bob", run, transcript).await?;

    transcript.line("");
    transcript.line("A chat message: both join a room, alice writes, bob reads.");
    let room = format!("room:demo{run}@rtc.example");
    for user in [&mut alice, &mut bob] {
        let mut join = user.request("SUBSCRIBE", &room, 1);
        set(&mut join, "Expire", json!(60));
        user.send(join).await?;
        user.expect("RESPONSE", Some(200)).await?;
    }
    let mut text = alice.request("MESSAGE", &room, 2);
    set(&mut text, "Body", json!("Hello, bob!"));
    alice.send(text).await?;
    alice.expect("RESPONSE", Some(200)).await?;
    let delivery = bob.expect("MESSAGE", None).await?;
    bob.send(answer(&delivery, 200)).await?;

    transcript.line("");
    transcript.line("A call: alice calls bob, bob answers, alice hangs up.");
    let bobs_address = bob.address.clone();
    let mut invite = alice.request("INVITE", &bobs_address, 3);
    set(&mut invite, "Content-Type", json!("sdp"));
    set(&mut invite, "Body", json!("v=0 (alice's session description)"));
    alice.send(invite).await?;
    let incoming = bob.expect("INVITE", None).await?;
    bob.send(answer(&incoming, 180)).await?;
    alice.expect("RESPONSE", Some(180)).await?;
    let mut accept = answer(&incoming, 200);
    set(&mut accept, "Body", json!("v=0 (bob's session description)"));
    bob.send(accept).await?;
    alice.expect("RESPONSE", Some(200)).await?;
    let mut ack = alice.request("ACK", &bobs_address, 4);
    set(&mut ack, "RelatedID", json!(3));
    set(&mut ack, "DialogueID", json!(alice.dialog(3)));
    alice.send(ack).await?;
    bob.expect("ACK", None).await?;
    let mut bye = alice.request("BYE", &bobs_address, 5);
    set(&mut bye, "DialogueID", json!(alice.dialog(3)));
    alice.send(bye).await?;
    alice.expect("RESPONSE", Some(200)).await?;
    let bye = bob.expect("BYE", None).await?;
    bob.send(answer(&bye, 200)).await?;

    for user in [&mut alice, &mut bob] {
        let mut leave = user.request("SUBSCRIBE", &room, 6);
        set(&mut leave, "Expire", json!(0));
        user.send(leave).await?;
        user.expect("RESPONSE", Some(200)).await?;
    }
    alice.frames.close().await;
    bob.frames.close().await;
    transcript.line("");
    transcript.line("A chat message and a whole call went through.");
    Ok(())
}

/// In the order in which it is shown.
type Message = Fields<Value>;

struct User<'a> {
    name: &'static str,
    address: String,
    frames: Frames<TcpStream>,
    transcript: &'a Transcript,
}

impl<'a> User<'a> {
    async fn connect(
        url: &str,
        name: &'static str,
        run: u32,
        transcript: &'a Transcript,
    ) -> Result<Self, DemoError> {
        let address = format!("{name}{run}@rtc.example");
        let url = format!("{url}?userid={address}");
        transcript.line(&format!("{name:>5} connects to {url}"));
        match Dial::default().open(&url).await {
            Ok(socket) => Ok(Self { name, address, frames: Frames::new(socket), transcript }),
            Err(source) => Err(DemoError::Dial { url, source }),
        }
    }

    fn dialog(&self, cseq: u64) -> String {
        format!("{}-{cseq}", self.address)
    }

    fn request(&self, method: &str, to: &str, cseq: u64) -> Message {
        let fields = [
            ("Type", json!(method)),
            ("Request-URI", json!(to)),
            ("From", json!(self.address)),
            ("To", json!(to)),
            ("DialogueID", json!(self.dialog(cseq))),
            ("CSeq", json!(cseq)),
            ("P-Asserted-Identity", json!(self.address)),
        ];
        Fields(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    async fn send(&mut self, message: Message) -> Result<(), DemoError> {
        // Strings and numbers always serialise.
        let text = serde_json::to_string(&message).unwrap_or_default();
        self.transcript.line(&format!("{:>5} > {text}", self.name));
        let sent = self.frames.send(text).await;
        sent.map_err(|error| self.missing("a free line", error.to_string()))
    }

    async fn expect(&mut self, kind: &str, code: Option<u16>) -> Result<Value, DemoError> {
        let what = code.map_or_else(|| kind.to_owned(), |code| format!("{kind} {code}"));
        let frame = self.frames.next(Some(PATIENCE)).await;
        let text = match frame {
            Ok(Frame::Text(text)) => text,
            Ok(Frame::Binary(_)) => return Err(self.missing(&what, "a binary frame came".to_owned())),
            Err(error @ (FrameError::Closed(_) | FrameError::TimedOut(_) | FrameError::Stalled)) => {
                return Err(self.missing(&what, error.to_string()));
            }
        };
        self.transcript.line(&format!("{:>5} < {text}", self.name));
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        let fits = message.get("Type") == Some(&json!(kind))
            && code.is_none_or(|code| message.get("Code") == Some(&json!(code)));
        if fits { Ok(message) } else { Err(self.missing(&what, format!("{text} came"))) }
    }

    fn missing(&self, what: &str, problem: String) -> DemoError {
        DemoError::Missing { who: self.name, what: what.to_owned(), problem }
    }
}

fn set(message: &mut Message, field: &str, value: Value) {
    match message.0.iter_mut().find(|(name, _)| name == field) {
        Some((_, old)) => *old = value,
        None => message.0.push((field.to_owned(), value)),
    }
}

/// A response: From, To, DialogueID and CSeq of the request.
fn answer(request: &Value, code: u16) -> Message {
    let mut response = Fields(vec![("Type".to_owned(), json!("RESPONSE")), ("Code".to_owned(), json!(code))]);
    for field in ["From", "To", "DialogueID", "CSeq"] {
        set(&mut response, field, request.get(field).cloned().unwrap_or_default());
    }
    response
}
