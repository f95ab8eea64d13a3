//! Everything at once, for long.

use std::time::Duration;

use rtest::Transcript;
use tokio::time::Instant;

use super::gauges::{Fresh, Metrics};
use super::scale;
use super::usage::{Memory, Usage};
use super::wanderers::Wanderer;
use crate::common::{Folder, Load, PORTS, Program};

/// What waits, waits for seconds and not for minutes: so all of it happens often.
const SETTINGS: &str = "jsip: {prtimer: 5s, acktimer: 5s, keepalive: 5s, linger: 5s, away_grace: 2s}\n";

const ROUTES: &str = "
slps: {default: chatroom, chatroom: chatroom, conformance: conformance, call: call}
routes:
  - {when: {method: INVITE, request_uri: '*@*'}, slp: call}
apis: {chatroom.v1: {impl: chatroom}}
hops: []
";

/// Of each kind, of clients that do what they should not.
const HOSTILE: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_anything() {
    let seconds = scale::seconds(5, u64::MAX);
    let folder = Folder::new("soak");
    folder.write("conf/rtcd.yaml", &format!("{PORTS}{SETTINGS}")).write("routes.yaml", ROUTES);
    let program = Program::start(&folder);
    // It is opened in the background, with a task and files of its own.
    program.logged("the message store is open").await;
    let fresh = Fresh::look(&program).await;
    let empty = Usage::of(program.id());
    let (rtc, start) = (program.rtc, Instant::now());

    let rates = if scale::is_whole() { [100, 100, 200, 20] } else { [20, 20, 40, 4] };
    let works = [
        "call2 --connections 40",
        "call --connections 20",
        "message --connections 20",
        "chat --connections 20 --senders 2",
    ];
    let loads: Vec<Load> = works
        .iter()
        .zip(rates)
        .enumerate()
        .map(|(number, (work, rate))| {
            Load::start(rtc, &format!("--work {work} --rate {rate} --name soak{number}"))
        })
        .collect();
    let length = Duration::from_secs(seconds);
    let wanderers = tokio::spawn(Wanderer::wander(rtc, start + length));
    let hostile = tokio::spawn(async move {
        let quiet = Transcript::new(|_| {});
        rtest::hostile(&format!("ws://{rtc}/rtc"), HOSTILE, length, &quiet).await
    });

    let (mut memory, mut beat) = (Memory::default(), scale::beat(1));
    beat.tick().await;
    for second in 1..=seconds {
        beat.tick().await;
        let usage = Usage::of(program.id());
        memory.add(start.elapsed().as_secs_f64(), usage.rss);
        if second % 10 == 0 {
            let metrics = Metrics::of(&program).await;
            let there_are = |name: &str| metrics.value(&format!("rtcd_{name}"));
            println!(
                "{second:5} s: {} KiB, {} files, {} connections, {} peers, {} calls, {} tasks",
                usage.rss,
                usage.files,
                there_are("connections"),
                there_are("peers"),
                there_are("sessions"),
                there_are("tasks"),
            );
        }
    }
    for (work, load) in works.iter().zip(loads) {
        let report = load.end().await;
        println!("{work}: {} units, {} errors, {:?}", report.units, report.errors, report.latency);
        assert_eq!(report.errors, 0, "{work}: {:?}", report.error_kinds);
        assert!(report.units > 0, "{work}");
    }
    println!("{:?}", wanderers.await.unwrap());
    hostile.await.unwrap().unwrap();

    let settled = fresh.again(&program).await;
    let left = Usage::of(program.id());
    println!(
        "memory {} KiB before, slope {:.0} KiB/min, {} KiB at the end; {:?} of CPU; \
         all gauges as before the first client {settled:?} after the last has gone",
        empty.rss,
        memory.slope(),
        left.rss,
        left.cpu - empty.cpu,
    );
    let metrics = Metrics::of(&program).await;
    assert_eq!(metrics.value("rtcd_task_faults_total{why=\"panicked\"}"), 0.0);
    assert_eq!(metrics.value("rtcd_accept_errors_total"), 0.0);
    program.signal("TERM");
    assert!(program.ended().await.success());
}
