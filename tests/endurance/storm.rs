//! Everybody is cut off in mid-call, and comes back at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::gauges::{Fresh, Metrics};
use super::line::Cut;
use super::pair::Pair;
use super::scale;
use super::usage::Usage;
use crate::common::{Folder, PORTS, Program};

/// Time decides nothing here: no request gives up while clients come back.
const SETTINGS: &str = "jsip: {transtimer: 60s, away_grace: 1s}\n";

const ROUTES: &str = "slps: {default: call}\nroutes: []\napis: {}\nhops: []\n";

/// All are back after so long.
const COMING_BACK: Duration = Duration::from_secs(2);

/// Pairs that set up their calls at once.
const AT_ONCE: usize = 128;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_come_back_in_mid_call() {
    let pairs = scale::count("RTCD_USERS", 200, 10_000) / 2;
    let folder = Folder::new("storm");
    folder.write("conf/rtcd.yaml", &format!("{PORTS}{SETTINGS}")).write("routes.yaml", ROUTES);
    let program = Program::start(&folder);
    let fresh = Fresh::look(&program).await;

    let mut calls = set_up(&program, pairs).await;
    let before = Usage::of(program.id());
    let since = Instant::now();
    for call in &mut calls {
        call.say().await;
        call.cut();
    }
    let cut = Instant::now();
    let (calls, resumed) = come_back(calls, cut).await;
    let after = Usage::of(program.id());

    let repeats: u64 = calls.iter().map(|call| call.caller.repeats + call.callee.repeats).sum();
    println!(
        "{} users cut off within {:?}; the last call went on {resumed:?} later; {repeats} repeats; \
         server: {:?} of CPU, {} MiB before, {} MiB after",
        2 * pairs,
        cut - since,
        after.cpu - before.cpu,
        before.rss / 1024,
        after.rss / 1024,
    );
    calls.iter().for_each(Pair::check);
    let metrics = Metrics::of(&program).await;
    assert_eq!(metrics.value("rtcd_sessions"), 2.0 * pairs as f64);
    assert_eq!(metrics.value("rtcd_accept_errors_total"), 0.0);

    end(calls).await;
    let settled = fresh.again(&program).await;
    println!("all gauges as before the first client {settled:?} after the last call");
    program.signal("TERM");
    assert!(program.ended().await.success());
}

async fn set_up(program: &Program, pairs: usize) -> Vec<Pair> {
    let (rtc, room) = (program.rtc, Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = JoinSet::new();
    for number in 0..pairs {
        let room = room.clone();
        tasks.spawn(async move {
            let _permit = room.acquire().await.unwrap();
            // Half of them say so when they go, half are gone.
            let cut = if number % 2 == 0 { Cut::Reset } else { Cut::Finish };
            Pair::call(rtc, "storm", number, cut, 600).await
        });
    }
    tasks.join_all().await
}

/// All pairs, and how long after the cut the last call went on.
async fn come_back(calls: Vec<Pair>, cut: Instant) -> (Vec<Pair>, Duration) {
    const BEATS: u32 = 50;
    let turns = Arc::new(Semaphore::new(0));
    let beats = BEATS * COMING_BACK.as_secs() as u32;
    let a_beat = calls.len().div_ceil(beats as usize);
    let mut tasks = JoinSet::new();
    for mut call in calls {
        let turns = turns.clone();
        tasks.spawn(async move {
            turns.acquire().await.unwrap().forget();
            call.come_back().await;
            call.answered().await;
            call.say().await;
            call.answered().await;
            (call, cut.elapsed())
        });
    }
    let mut beat = scale::beat(BEATS);
    for _ in 0..beats {
        beat.tick().await;
        turns.add_permits(a_beat);
    }
    let calls = tasks.join_all().await;
    let last = calls.iter().map(|(_, resumed)| *resumed).max().unwrap_or_default();
    (calls.into_iter().map(|(call, _)| call).collect(), last)
}

async fn end(calls: Vec<Pair>) {
    let mut tasks = JoinSet::new();
    for call in calls {
        tasks.spawn(call.end());
    }
    tasks.join_all().await;
}
