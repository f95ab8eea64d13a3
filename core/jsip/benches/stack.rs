//! What a message costs the stack, decoding and encoding included: `cargo bench -p jsip`.
//!
//! A plain loop with the best of some rounds; no allocator or CPU is pinned, so compare runs on one machine only.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench reads the clock, and may stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use jsip::{CSeq, Message, Method, Output, Stack, StackConfig, StatusCode};

const ROUNDS: usize = 10;
const BATCH: usize = 20_000;

fn main() {
    let body = "x".repeat(200);
    let message = |id: usize| {
        format!(
            r#"{{"Type":"MESSAGE","Request-URI":"Recv_MESSAGE","From":"alice@rtc.test.com","To":"bob@rtc.test.com","DialogueID":"1f2b38472f5{id:08}","CSeq":1,"Content-Type":"text","Body":"{body}"}}"#
        )
    };
    let frames: Vec<String> = (0..BATCH).map(message).collect();

    measure("decode a MESSAGE", |_| {
        for frame in &frames {
            black_box(Message::decode(frame).unwrap());
        }
    });
    measure("decode it, encode its 200", |_| {
        for frame in &frames {
            if let Message::Request(request) = Message::decode(frame).unwrap() {
                black_box(request.response(StatusCode::OK).encode());
            }
        }
    });
    for batch in [1, 16] {
        measure(&format!("MESSAGE and 200 through the stack, {batch} a turn"), |now| {
            let mut stack = stack(now);
            for turn in frames.chunks(batch) {
                for frame in turn {
                    stack.handle_frame(now, frame);
                    drain(&mut stack, now);
                }
                let _ = black_box(stack.poll_timeout());
            }
        });
    }
    measure("a call: INVITE 180 200 ACK BYE 200", |now| {
        let mut stack = stack(now);
        let invite = Message::decode(
            r#"{"Type":"INVITE","Request-URI":"bob@test","From":"alice@rtc.test.com","To":"bob@test","DialogueID":"1f2b38472f596d72","CSeq":1,"Expire":300,"Body":"v=0"}"#,
        );
        let Ok(Message::Request(invite)) = invite else { return };
        let text = invite.encode();
        let ack = invite.follow_up(Method::Ack, CSeq::new(2).unwrap()).encode();
        let bye = invite.follow_up(Method::Bye, CSeq::new(3).unwrap()).encode();
        for _ in 0..BATCH {
            for frame in [&text, &ack, &bye] {
                stack.handle_frame(now, frame);
                drain(&mut stack, now);
                let _ = black_box(stack.poll_timeout());
            }
        }
    });
    println!("a stack without anything in it: {} bytes", size_of::<Stack<u64>>());
}

fn stack(now: Instant) -> Stack<u64> {
    let mut stack = Stack::new(Arc::new(StackConfig::default()), 7);
    stack.handle_attached(now);
    stack
}

/// A driver whose application answers at once.
fn drain(stack: &mut Stack<u64>, now: Instant) {
    while let Some(output) = stack.poll_output() {
        match output {
            Output::Transmit(text) => drop(black_box(text)),
            Output::Ping(count) => stack.handle_arrived(now, count),
            Output::Deliver { dialog, tag, message: Message::Request(request) } => {
                if tag.is_none() {
                    stack.handle_bind(dialog, 1);
                }
                if request.method == Method::Invite {
                    let ringing = request.response(StatusCode::RINGING);
                    stack.handle_send(now, dialog, ringing.into()).unwrap();
                }
                if matches!(request.method, Method::Invite | Method::Message) {
                    stack.handle_send(now, dialog, request.response(StatusCode::OK).into()).unwrap();
                }
            }
            Output::Deliver { message: Message::Response(_), .. } | Output::DialogEnded { .. } => {}
            Output::Close(_) => return,
        }
    }
}

fn measure(name: &str, mut run: impl FnMut(Instant)) {
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run(start);
            start.elapsed().as_nanos()
        })
        .min()
        .unwrap_or_default();
    println!("{name}: {} ns", best / BATCH as u128);
}
