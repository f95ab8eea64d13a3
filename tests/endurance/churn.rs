//! Clients that come and go. `RTCD_RATE` says how many a second.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::gauges::{Fresh, Metrics};
use super::line::{Cut, Line};
use super::scale;
use super::usage::{Memory, Usage};
use crate::common::{Folder, PORTS, Program};

/// Each connection has a user of its own, and is forgotten soon.
const SETTINGS: &str = "jsip: {away_grace: 2s}\n";

/// How often a second some connect.
const BEATS: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_and_going_leaves_nothing() {
    let rate = scale::count("RTCD_RATE", 200, 1000);
    let folder = Folder::new("churn");
    folder.write("conf/rtcd.yaml", &format!("{PORTS}{SETTINGS}"));
    let program = Program::start(&folder);
    // It is opened in the background, with a task and files of its own.
    program.logged("the message store is open").await;
    let fresh = Fresh::look(&program).await;
    let empty = Usage::of(program.id());

    let (mut memory, mut visits) = (Memory::default(), JoinSet::new());
    let (mut beat, mut number, mut upgraded) = (scale::beat(BEATS), 0, 0);
    let since = Instant::now();
    for second in 0..scale::seconds(2, 120) {
        for _ in 0..BEATS {
            beat.tick().await;
            for _ in 0..rate.div_ceil(BEATS as usize) {
                visits.spawn(visit(program.rtc, number));
                number += 1;
            }
            while let Some(visit) = visits.try_join_next() {
                upgraded += visit.unwrap();
            }
        }
        let rss = Usage::of(program.id()).rss;
        memory.add(since.elapsed().as_secs_f64(), rss);
        if second % 10 == 9 {
            println!("{:4} s: {rss} KiB, {} visits under way", second + 1, visits.len());
        }
    }
    upgraded += visits.join_all().await.into_iter().sum::<u32>();
    let (full, took) = (Usage::of(program.id()), since.elapsed());
    let settled = fresh.again(&program).await;
    let left = Usage::of(program.id());
    println!(
        "{number} connections in {took:.1?}, {upgraded} of them WebSockets; {:?} of CPU; \
         memory {} KiB before, {} KiB at the end, {} KiB {settled:?} later; slope {:.0} KiB/min; \
         {} open files before, {} after",
        full.cpu - empty.cpu,
        empty.rss,
        full.rss,
        left.rss,
        memory.slope(),
        empty.files,
        left.files,
    );
    let metrics = Metrics::of(&program).await;
    assert_eq!(metrics.value("rtcd_upgrades_total{status=\"101\"}"), f64::from(upgraded));
    assert_eq!(metrics.value("rtcd_accept_errors_total"), 0.0);
    program.signal("TERM");
    assert!(program.ended().await.success());
}

/// Comes and goes, in one of four ways. How many WebSockets that were.
pub(crate) async fn visit(rtc: SocketAddr, number: usize) -> u32 {
    let user = format!("guest{number}@endurance");
    match number % 4 {
        // Says goodbye.
        0 => Line::connect(rtc, &user, number, Cut::Reset).await.unwrap().close().await.unwrap(),
        // Is gone as soon as it is in.
        1 => drop(Line::connect(rtc, &user, number, Cut::Reset).await.unwrap()),
        // The same, but what it sent before arrives.
        2 => drop(Line::connect(rtc, &user, number, Cut::Finish).await.unwrap()),
        // Does not get to the end of its request.
        _ => {
            let mut tcp = TcpStream::connect(rtc).await.unwrap();
            tcp.write_all(b"GET /rtc?userid=").await.unwrap();
            return 0;
        }
    }
    1
}
