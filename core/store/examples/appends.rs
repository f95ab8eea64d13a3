//! How many messages a second are kept, and how long each waits for its commit:
//! `cargo run --release -p rtcd-store --example appends -- FILE [AT ONCE] [MESSAGES] [BYTES]`.
//!
//! FILE is made, and left there; what counts is the disk that it is on. So many senders AT ONCE (256) append one message of BYTES
//! (300) after the other, until there are MESSAGES (100000).

#![allow(clippy::print_stdout, reason = "a program that prints")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rtcd_store::{Conversation, Kind, NewMessage, Settings, Store, StoreError};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = PathBuf::from(args.next().ok_or("FILE is missing")?);
    let mut number = |default| args.next().map_or(Ok(default), |arg| arg.parse::<usize>());
    let (at_once, messages, bytes) = (number(256)?, number(100_000)?, number(300)?);
    if file.exists() {
        return Err(format!("{} is there already", file.display()).into());
    }

    let store = Store::open(&file, &Settings::default());
    // It is open then.
    store.pending_count("nobody").await?;
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let senders: Vec<_> = (0..at_once)
        .map(|sender| {
            let (store, next) = (store.clone(), next.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < messages {
                    let message = message(sender, waits.len(), bytes);
                    let queued = Instant::now();
                    store.append(message).await?;
                    waits.push(queued.elapsed());
                }
                Ok::<_, StoreError>(waits)
            })
        })
        .collect();
    let mut waits = Vec::with_capacity(messages);
    for sender in senders {
        waits.extend(sender.await??);
    }
    let took = begin.elapsed();
    waits.sort_unstable();
    let at = |part: usize| waits.get(waits.len() * part / 1000).copied().unwrap_or_default();
    let ms = |wait: Duration| wait.as_secs_f64() * 1e3;
    println!("{at_once} at once, {bytes} bytes: {:.0} messages/s", waits.len() as f64 / took.as_secs_f64());
    println!(
        "until the commit: median {:.1} ms, 99 % {:.1} ms, 99.9 % {:.1} ms",
        ms(at(500)),
        ms(at(990)),
        ms(at(999))
    );
    Ok(())
}

fn message(sender: usize, n: usize, bytes: usize) -> NewMessage {
    let (sender, receiver) = (format!("user{sender}@example.net"), format!("user{}@example.net", sender + 1));
    NewMessage {
        conversation: Conversation::between(&sender, &receiver),
        id: format!("{n:036}"),
        sender,
        receiver,
        kind: Kind::Message,
        date: 4_102_444_800_000,
        content_type: None,
        headers: "{}".to_owned(),
        body: format!("\"{}\"", "x".repeat(bytes)),
        delivered: false,
    }
}
