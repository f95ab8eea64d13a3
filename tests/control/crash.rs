//! The process is killed in the middle of switching, again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt as _;

use crate::common::{Folder, PORTS, Program};

const ROUTES: &str = "slps: {default: conformance}\nroutes: []\napis: {}\nhops: []\n";

/// How often it is killed.
const KILLS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_file_is_always_whole() {
    let folder = Folder::new("crashes");
    folder.write("conf/rtcd.yaml", PORTS).write("routes.yaml", ROUTES);
    let state = folder.path().join("state/switched.json");
    let mut longest = Duration::ZERO;
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    // The last switch of a round may have been made without its answer.
    let mut in_doubt: Option<String> = None;
    for round in 0..KILLS {
        let program = Program::start(&folder);
        longest = longest.max(program.started_in);
        assert!(program.started_in < Duration::from_secs(1), "start {round} took {:?}", program.started_in);
        let (_, listing) = program.api("GET", "/slpm/v1/slps").await.unwrap();
        let mut bound: BTreeSet<String> = listing["slps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|slp| slp["slp"].as_str().unwrap().to_owned())
            .collect();
        assert!(bound.remove("default"));
        if let Some(name) = in_doubt.take() {
            // Either way is right; from here on it is known.
            let made = bound.contains(&name);
            if made {
                acknowledged.insert(name)
            } else {
                acknowledged.remove(&name)
            };
        }
        assert_eq!(bound, acknowledged, "round {round}");

        let after = Duration::from_micros(rand::rng().random_range(0..60_000));
        let pid = program.id();
        let kill = tokio::spawn(async move {
            // The moment is what this test is about.
            let _ = tokio::time::timeout(after, std::future::pending::<()>()).await;
            let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            assert!(killed.unwrap().success());
        });
        for number in 0.. {
            let name = format!("s{}", number % 7);
            let is_on = acknowledged.contains(&name);
            let (method, query) = if is_on { ("DELETE", "") } else { ("POST", "?file=call") };
            match program.api(method, &format!("/slpm/v1/{name}{query}")).await {
                Ok((status, answer)) => {
                    assert_eq!(status, 200, "{answer}");
                    if is_on {
                        acknowledged.remove(&name)
                    } else {
                        acknowledged.insert(name)
                    };
                }
                Err(_) => {
                    in_doubt = Some(name);
                    break;
                }
            }
        }
        kill.await.unwrap();
        program.ended().await;
        if let Ok(text) = std::fs::read_to_string(&state) {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
    println!("{KILLS} kills; the longest start took {longest:?}");
}
