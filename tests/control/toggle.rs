//! Many writers switch, many readers look, under load: each sees the old or the new.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::common::{Folder, Load, PORTS, Program, seconds};

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance}
routes: []
apis: {echo.v1: {impl: echo}}
hops: []
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_and_readers_see_the_old_or_the_new() {
    let folder = Folder::new("toggles");
    folder.write("conf/rtcd.yaml", PORTS).write("routes.yaml", ROUTES);
    let program = Arc::new(Program::start(&folder));
    let load = Load::start(program.rtc, "--work call --connections 20 --rate 100");
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut tasks = JoinSet::new();
    for writer in 0..8 {
        let program = program.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while Instant::now() < end {
                // Two writers share each name, so that they meet.
                let name = writer / 2;
                let calls = if writer % 2 == 0 {
                    [
                        ("POST", format!("/apim/v1/echo.v{name}?file=echo")),
                        ("DELETE", format!("/apim/v1/echo.v{name}")),
                    ]
                } else {
                    [("POST", format!("/slpm/v1/s{name}?file=call")), ("DELETE", format!("/slpm/v1/s{name}"))]
                };
                for (method, path) in calls {
                    let (status, answer) = program.api(method, &path).await.unwrap();
                    assert!(
                        matches!((method, status), (_, 200) | ("DELETE", 404)),
                        "{method} {path}: {status} {answer}"
                    );
                    done += 1;
                }
            }
            done
        });
    }
    for reader in 0..8 {
        let program = program.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while Instant::now() < end {
                let path = match reader % 4 {
                    0 => "/apim/v1/apis",
                    1 => "/slpm/v1/slps",
                    2 => "/echo/v1/x?y=z",
                    _ => "/echo/v3/x",
                };
                let (status, answer) = program.api("GET", path).await.unwrap();
                let is_plugin = path.starts_with("/echo");
                assert!(status == 200 || is_plugin && status == 404, "{path}: {status} {answer}");
                done += 1;
            }
            done
        });
    }
    let calls: Vec<u64> = tasks.join_all().await;
    let report = load.end().await;
    println!("{} API calls, {} calls, {:?}", calls.iter().sum::<u64>(), report.units, report.latency);
    assert!(calls.iter().all(|done| *done > 0), "{calls:?}");
    assert_eq!(report.errors, 0, "{:?}", report.error_kinds);
    program.signal("TERM");
    assert!(Arc::into_inner(program).unwrap().ended().await.success());
}
