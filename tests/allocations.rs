//! What a message costs the whole server, in allocations: socket, WebSocket, protocol, dispatch, task, answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;

use allocation_counter::{AllocationInfo, measure};
use common::{PING, PONG, RawSocket, Setup, TEXT, masked};
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Messages before the ones that are counted: then all lists have the size that they keep.
const WARM_UP: usize = 1024;
/// Messages that are counted.
const COUNTED: usize = 1024;

/// The server has a thread of its own, so that the client's allocations are not counted.
#[test]
fn allocations_of_a_message() {
    let mut table = String::new();
    for batch in [1, 16] {
        let total = count(batch).count_total;
        let _ = writeln!(table, "| {batch} in flight | {:.0} |", total as f64 / COUNTED as f64);
    }
    insta::assert_snapshot!(table);
    let page = include_str!("../core/rtest/docs/profile.md");
    assert!(page.contains(&table), "core/rtest/docs/profile.md has another table than this:\n{table}");
}

fn count(batch: usize) -> AllocationInfo {
    let runtime = runtime();
    let server = runtime.block_on(Setup::new().start());
    let (warm, warmed) = oneshot::channel();
    let (start, started) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let counted = std::thread::scope(|scope| {
        scope.spawn(|| {
            self::runtime().block_on(async {
                let mut socket = RawSocket::connect(&server, "alice@test").await;
                exchange(&mut socket, batch, 0..WARM_UP).await;
                warm.send(()).unwrap();
                started.await.unwrap();
                exchange(&mut socket, batch, WARM_UP..WARM_UP + COUNTED).await;
                end.send(()).unwrap();
            });
        });
        runtime.block_on(warmed).unwrap();
        measure(|| {
            start.send(()).unwrap();
            runtime.block_on(ended).unwrap();
        })
    });
    runtime.block_on(server.stop());
    counted
}

/// All that runs, runs on the thread that waits.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends MESSAGEs, so many in one write, and takes their answers.
async fn exchange(socket: &mut RawSocket, batch: usize, mut numbers: std::ops::Range<usize>) {
    while !numbers.is_empty() {
        let frames: Vec<u8> =
            numbers.by_ref().take(batch).flat_map(|number| masked(TEXT, &message(number))).collect();
        socket.0.write_all(&frames).await.unwrap();
        let mut answers = 0;
        while answers < batch {
            match socket.frame().await {
                (TEXT, text) => {
                    assert!(text.contains(r#""Code":200,"#), "{text}");
                    answers += 1;
                }
                (PING, payload) => socket.send(PONG, &payload).await,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn message(number: usize) -> String {
    let body = "x".repeat(64);
    format!(
        r#"{{"Type":"MESSAGE","Request-URI":"Recv_MESSAGE","From":"alice@test","To":"bob@test","DialogueID":"1f2b38472f59{number:08}","CSeq":1,"Content-Type":"text","Body":"{body}"}}"#
    )
}
