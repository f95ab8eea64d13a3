//! Reloads, many of them, of good and bad files, while calls go on.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt as _;
use tokio::time::{Instant, interval, interval_at};

use crate::common::{Folder, Load, PORTS, Program, seconds};

fn routes(extra: &str, implementation: &str) -> String {
    format!(
        "slps:\n  default: conformance\n  conformance: conformance\n  {extra}: {implementation}\n\
         routes:\n  - when: {{ method: SUBSCRIBE }}\n    slp: {extra}\n\
         apis:\n  echo.v1: {{ impl: echo }}\nhops: []\n"
    )
}

/// Puts one file in place of `routes.yaml`: good ones of two kinds and bad ones of four.
fn write(folder: &Folder, turn: usize) {
    let path = folder.path().join("routes.yaml");
    if path.is_dir() {
        std::fs::remove_dir(&path).unwrap();
    }
    let good = if turn.is_multiple_of(2) { routes("red", "call") } else { routes("blue", "conformance") };
    match turn % 6 {
        0 | 1 => drop(folder.write("routes.yaml", &good)),
        2 => drop(folder.write("routes.yaml", &good.replace("hops: []", "hops: {")).write("x", "")),
        3 => drop(folder.write("routes.yaml", "")),
        4 => {
            // Nobody can read a folder as a file, root included.
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir(&path).unwrap();
        }
        _ => {
            let half = rand::rng().random_range(1..good.len() - 1);
            folder.write("routes.yaml", &good[..half]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_reloads_loses_no_call() {
    let folder = Folder::new("reloads");
    folder.write("conf/rtcd.yaml", PORTS).write("routes.yaml", &routes("red", "call"));
    let program = Program::start(&folder);
    let load = Load::start(program.rtc, "--work call --connections 40 --rate 200");
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut beat = interval(Duration::from_millis(50));
    let mut look = interval_at(Instant::now(), Duration::from_millis(20));
    let (mut turn, mut looks) = (0, 0);
    let mut seen = BTreeSet::new();
    while Instant::now() < end {
        tokio::select! {
            _ = beat.tick() => {
                turn += 1;
                write(&folder, turn);
                program.signal("HUP");
            }
            _ = look.tick() => {
                looks += 1;
                let (status, listing) = program.api("GET", "/slpm/v1/slps").await.unwrap();
                assert_eq!(status, 200);
                let names: Vec<String> = listing["slps"].as_array().unwrap().iter()
                    .map(|slp| format!("{}={}", slp["slp"].as_str().unwrap(), slp["implementation"].as_str().unwrap()))
                    .collect();
                seen.insert(names.join(" "));
            }
        }
    }
    let report = load.end().await;
    println!("{turn} reloads, {looks} looks, {} calls, {:?}", report.units, report.latency);
    assert_eq!(report.errors, 0, "{:?}", report.error_kinds);
    assert!(report.units > 0);
    let good = [
        "blue=conformance conformance=conformance default=conformance",
        "conformance=conformance default=conformance red=call",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), good);
    program.signal("TERM");
    assert!(program.ended().await.success());
}
