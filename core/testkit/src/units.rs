//! What the work of crate jsip is counted in: the same units for instructions and for allocations.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use jsip::{ByteString, CSeq, Detach, Message, Method, Output, Request, Stack, StackConfig, StatusCode, Uri};

use crate::builders::{self, MessageExt as _};

/// How many messages or calls come before the ones that are counted: then all lists have the size that they keep.
const WARM_UP: usize = 512;
/// How many are counted: as many as there are between two pings, so that each batch has one, and one pong.
const BATCH: usize = 128;

/// Some work of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Unit {
    /// What it is.
    pub name: &'static str,
    /// How many times [`Unit::prepare`]'s work does it.
    pub times: u64,
    /// How many instructions it took, each time, when this was written (x86-64): `cargo bench -p jsip --bench instructions`
    /// prints the sum, and fails if it is 5 % higher.
    pub instructions: u64,
    work: fn() -> Work,
}

/// Work that is prepared and warmed up: to be called once, and dropped when nothing is counted any more.
pub type Work = Box<dyn FnMut()>;

impl Unit {
    /// Does all that is not counted.
    pub fn prepare(&self) -> Work {
        (self.work)()
    }
}

/// All of them, in the order of the tables.
pub const UNITS: &[Unit] = &[
    DECODE_MESSAGE,
    DECODE_INVITE,
    PARSE_URI,
    ENCODE_RESPONSE,
    MESSAGE_IN,
    MESSAGE_OUT,
    CALL,
    PONG,
    REFUSED,
    RECONNECT,
];

/// A MESSAGE with a body of 64 bytes.
pub const DECODE_MESSAGE: Unit = Unit {
    name: "decode a MESSAGE",
    times: BATCH as u64,
    instructions: 5014,
    work: || {
        batch(messages(), |frame| {
            let _ = black_box(Message::decode(frame));
        })
    },
};

/// An INVITE of 1 KiB, with SDP and headers that the protocol does not know.
pub const DECODE_INVITE: Unit = Unit {
    name: "decode an INVITE of 1 KiB",
    times: BATCH as u64,
    instructions: 12298,
    work: || {
        batch(vec![invite().encode(); WARM_UP + BATCH], |frame| {
            let _ = black_box(Message::decode(frame));
        })
    },
};

/// A URI, as the dispatcher reads one of each new dialog.
pub const PARSE_URI: Unit = Unit {
    name: "read a URI",
    times: BATCH as u64,
    instructions: 670,
    work: || {
        batch(vec!["bob@rtc.test.com"; WARM_UP + BATCH], |uri| {
            let _ = black_box(Uri::parse(uri));
        })
    },
};

/// The 200 to a MESSAGE.
pub const ENCODE_RESPONSE: Unit = Unit {
    name: "encode a 200",
    times: BATCH as u64,
    instructions: 1111,
    work: || {
        let decoded = |frame: &ByteString| Message::decode(frame).expect("a request");
        batch(messages().iter().map(decoded).collect(), |message| {
            if let Message::Request(request) = message {
                black_box(request.response(StatusCode::OK).encode());
            }
        })
    },
};

/// A MESSAGE of the peer and its 200: decode, dispatch, answer, encode, remember for repeats.
pub const MESSAGE_IN: Unit = Unit {
    name: "MESSAGE in, 200 out",
    times: BATCH as u64,
    instructions: 9023,
    work: || {
        let mut driver = Driver::new(StackConfig::default());
        batch(messages(), move |frame| driver.frame(frame))
    },
};

/// A MESSAGE to the peer and its 200, as each delivery in a chat room.
pub const MESSAGE_OUT: Unit = Unit {
    name: "MESSAGE out, 200 in",
    times: BATCH as u64,
    instructions: 9438,
    work: || {
        let with_answer = |request: Request| {
            let answer = request.response(StatusCode::OK).encode();
            (Some(request), answer)
        };
        let mut driver = Driver::new(StackConfig::default());
        batch(requests().into_iter().map(with_answer).collect(), move |(request, answer)| {
            driver.open(request.take().expect("once"));
            driver.frame(answer);
        })
    },
};

/// INVITE 180 200 ACK BYE 200, one leg.
pub const CALL: Unit = Unit {
    name: "call: INVITE 180 200 ACK BYE 200",
    times: BATCH as u64,
    instructions: 30401,
    work: || {
        let invite = invite();
        let follow_up = |method, cseq| invite.follow_up(method, CSeq::new(cseq).expect("not 0")).encode();
        let frames = [invite.encode(), follow_up(Method::Ack, 2), follow_up(Method::Bye, 3)];
        let mut driver = Driver::new(StackConfig::default());
        batch(vec![(); WARM_UP + BATCH], move |()| frames.iter().for_each(|frame| driver.frame(frame)))
    },
};

/// The pong that confirms 100 answers.
pub const PONG: Unit = Unit {
    name: "pong that confirms 100 answers",
    times: 1,
    instructions: 2993,
    work: || {
        let mut driver = Driver::new(StackConfig::default());
        let frames = messages();
        frames.iter().for_each(|frame| driver.frame(frame));
        driver.confirm();
        frames.iter().take(100).for_each(|frame| driver.frame(frame));
        Box::new(move || driver.confirm())
    },
};

/// A frame that breaks a rule, and its 400.
pub const REFUSED: Unit = Unit {
    name: "refused frame, 400 out",
    times: BATCH as u64,
    instructions: 8980,
    work: || {
        let refused = |frame: &ByteString| frame.replace("\"To\":\"bob@test\"", "\"To\":7");
        let mut config = StackConfig::default();
        config.max_bad_frames = u32::MAX;
        let mut driver = Driver::new(config);
        batch(messages().iter().map(refused).collect(), move |frame| driver.frame(frame))
    },
};

/// A new socket, on which 100 requests go again.
pub const RECONNECT: Unit = Unit {
    name: "reconnect with 100 open requests",
    times: 1,
    instructions: 41333,
    work: || {
        let mut driver = Driver::new(StackConfig::default());
        requests().into_iter().take(100).for_each(|request| driver.open(request));
        driver.reconnect();
        Box::new(move || driver.reconnect())
    },
};

/// A driver whose application answers at once, and whose peer answers each ping at once.
struct Driver {
    now: Instant,
    stack: Stack<u64>,
    sent: u64,
}

impl Driver {
    #[expect(clippy::disallowed_methods, reason = "a time to begin with; it stands still")]
    fn new(config: StackConfig) -> Self {
        let now = Instant::now();
        let mut stack = Stack::new(Arc::new(config), 7);
        stack.handle_attached(now);
        Self { now, stack, sent: 0 }
    }

    fn frame(&mut self, frame: &str) {
        self.stack.handle_frame(self.now, frame);
        self.drain();
    }

    fn open(&mut self, request: Request) {
        self.stack.handle_open(self.now, 1, request).expect("allowed");
        self.drain();
    }

    fn confirm(&mut self) {
        self.stack.handle_arrived(self.now, self.sent);
        self.drain();
    }

    fn reconnect(&mut self) {
        self.stack.handle_detached(self.now, Detach::Lost);
        self.stack.handle_attached(self.now);
        self.sent = 0;
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                Output::Transmit(text) => {
                    self.sent += 1;
                    drop(black_box(text));
                }
                Output::Ping(count) => self.stack.handle_arrived(self.now, count),
                Output::Deliver { dialog, tag, message: Message::Request(request) } => {
                    if tag.is_none() {
                        self.stack.handle_bind(dialog, 1);
                    }
                    let answer = |code| request.response(code).into();
                    if request.method == Method::Invite {
                        self.stack
                            .handle_send(self.now, dialog, answer(StatusCode::RINGING))
                            .expect("allowed");
                    }
                    if matches!(request.method, Method::Invite | Method::Message) {
                        self.stack.handle_send(self.now, dialog, answer(StatusCode::OK)).expect("allowed");
                    }
                }
                Output::Deliver { message: Message::Response(response), .. } => drop(black_box(response)),
                Output::DialogEnded { .. } => {}
                Output::Close(reason) => panic!("closed: {reason:?}"),
            }
        }
        self.stack.drain_finished().for_each(drop);
        let _ = black_box(self.stack.poll_timeout());
    }
}

/// Warms up with the first of the items, and returns the work on the others.
fn batch<I: 'static>(mut items: Vec<I>, mut each: impl FnMut(&mut I) + 'static) -> Work {
    items.iter_mut().take(WARM_UP).for_each(&mut each);
    Box::new(move || items.iter_mut().skip(WARM_UP).for_each(&mut each))
}

/// MESSAGEs with a body of 64 bytes, no two alike: what warms up, and a batch.
fn requests() -> Vec<Request> {
    let request = |at: usize| {
        builders::request(Method::Message, 1)
            .in_dialog(&format!("1f2b38472f59{at:08}"))
            .text("Content-Type", "text")
            .text("Body", &"x".repeat(64))
    };
    (0..WARM_UP + BATCH).map(request).collect()
}

/// Their frames.
fn messages() -> Vec<ByteString> {
    requests().iter().map(Request::encode).collect()
}

fn invite() -> Request {
    let media = |media: &str| {
        let candidate = |at: u8| format!("a=candidate:{at} 1 UDP 2130706431 192.0.2.{at} 8998 typ host\r\n");
        format!("m={media}\r\na=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n")
            + &(1..=4).map(candidate).collect::<String>()
    };
    let sdp = format!(
        "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{}{}",
        media("audio 49170 RTP/AVP 0 8 97"),
        media("video 51372 RTP/AVP 31 32"),
    );
    let mut invite = builders::request(Method::Invite, 1)
        .in_dialog("1f2b38472f5900000000")
        .number("Expire", 300)
        .text("P-Asserted-Identity", "6666@rtc.test.com")
        .text("User-Agent", "phone/1.0 (tests)")
        .text("Content-Type", "application/sdp");
    let contact = ["alice@192.0.2.1:5060", "alice@client.test"];
    invite.headers.set_json("Contact", &contact[..]).expect("JSON");
    let invite = invite.text("Body", &sdp);
    assert!((1000..=1050).contains(&invite.encode().len()), "{}", invite.encode().len());
    invite
}
