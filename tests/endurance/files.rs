//! A server that may open few files.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::gauges::{Fresh, Metrics};
use super::line::{Cut, Line};
use super::pair::Pair;
use super::scale;
use super::usage::Usage;
use crate::common::{Folder, PATIENCE, PORTS, Program};

/// Who connects to the API side and says nothing is not sent away.
const SETTINGS: &str = "
rtc: {listen: '127.0.0.1:0'}
api: {listen: '127.0.0.1:0', clientheadertimeout: 10m}
jsip: {away_grace: 1s}
";

const ROUTES: &str = "slps: {default: call}\nroutes: []\napis: {}\nhops: []\n";

/// Files that the server may open; 60 of them are for clients.
const FILES: u32 = 100;
const FOR_CLIENTS: usize = 60;

/// How long accepting rests at least before it is tried again.
const REST: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_leave_files_to_the_rest() {
    let folder = Folder::new("files");
    folder
        .write("conf/rtcd.yaml", &format!("{PORTS}jsip: {{away_grace: 1s}}\n"))
        .write("routes.yaml", ROUTES);
    let program = Program::start_with_files(&folder, FILES);
    let fresh = Fresh::look(&program).await;
    let mut call = Pair::call(program.rtc, "files", 0, Cut::Reset, 600).await;
    let mut clients = Vec::new();
    let mut refused = Vec::new();
    for number in 0..2 * FOR_CLIENTS {
        match Line::connect(program.rtc, &format!("many{number}@endurance"), number, Cut::Reset).await {
            Ok(line) => clients.push(line),
            Err(error) => refused.push(error.to_string()),
        }
    }
    assert_eq!(clients.len(), FOR_CLIENTS - 2);
    assert!(refused.iter().all(|error| error.starts_with("HTTP/1.1 503 ")), "{refused:?}");
    // Callers of the API side come in, and take no more than their part, whatever they try.
    let mut callers = Vec::new();
    for _ in 0..2 * FILES {
        callers.push(TcpStream::connect(program.api).await.unwrap());
    }
    call.say().await;
    call.answered().await;
    drop(callers);
    let mut tick = interval(Duration::from_millis(10));
    while program.curl("GET", "/healthz").await.0 != 200 {
        tick.tick().await;
    }
    let metrics = Metrics::of(&program).await;
    assert_eq!(metrics.value("rtcd_upgrades_total{status=\"503\"}"), refused.len() as f64);
    assert_eq!(metrics.value("rtcd_accept_errors_total"), 0.0);
    call.say().await;
    call.answered().await;

    drop(clients);
    println!(
        "{FILES} files: a new client was let in {:?} after the others had gone",
        let_in(program.rtc).await
    );
    call.end().await;
    fresh.again(&program).await;
    program.signal("TERM");
    assert!(program.ended().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_file_left_calls_go_on() {
    let folder = Folder::new("no-files");
    folder.write("conf/rtcd.yaml", SETTINGS).write("routes.yaml", ROUTES);
    let program = Program::start_with_files(&folder, FILES);
    let fresh = Fresh::look(&program).await;
    let mut call = Pair::call(program.rtc, "files", 0, Cut::Reset, 600).await;

    let start = Instant::now();
    // It may open no more than it has.
    may_open(&program, Usage::of(program.id()).files as u64);
    let mut callers = Vec::new();
    for _ in 0..10 {
        callers.push(TcpStream::connect(program.api).await.unwrap());
    }
    until("the API side pauses", || lines(folder.path(), "cannot accept connections") == 1).await;
    let mut late = JoinSet::new();
    for number in 0..10 {
        let rtc = program.rtc;
        late.spawn(async move {
            let user = format!("late{number}@endurance");
            Line::connect(rtc, &user, number, Cut::Reset).await.unwrap()
        });
    }
    until("the RTC side pauses", || lines(folder.path(), "cannot accept connections") == 2).await;

    let (before, since) = (Usage::of(program.id()), Instant::now());
    let mut beat = scale::beat(10);
    for _ in 0..=10 * scale::seconds(1, 10) {
        beat.tick().await;
        call.say().await;
        call.answered().await;
    }
    let (cpu, took) = (Usage::of(program.id()).cpu - before.cpu, since.elapsed());
    println!("no file left: {cpu:?} of CPU in {took:?}, with a call going on");
    assert!(late.try_join_next().is_none());

    may_open(&program, FILES.into());
    println!("a new client was let in {:?} after there were files again", let_in(program.rtc).await);
    late.join_all().await;
    drop(callers);
    // Whoever pauses cannot fail more often; and each pause has one line.
    let errors = Metrics::of(&program).await.value("rtcd_accept_errors_total");
    let most = 2.0 * (1.0 + start.elapsed().as_secs_f64() / REST.as_secs_f64());
    assert!(errors >= 2.0 && errors <= most, "{errors}");
    println!("{errors} tries to accept failed");
    // Files that come free one by one may be used up again in between.
    let pauses = lines(folder.path(), "cannot accept connections");
    assert!(pauses >= 2, "{pauses}");
    assert_eq!(lines(folder.path(), "accepts connections again"), pauses);
    call.end().await;
    fresh.again(&program).await;
    program.signal("TERM");
    assert!(program.ended().await.success());
}

/// Sets how many files a process may open, from outside.
fn may_open(program: &Program, files: u64) {
    let pid = Pid::from_raw(program.id().try_into().unwrap());
    let limit = Rlimit { current: Some(files), maximum: Some(FILES.into()) };
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

/// How long it takes until a client is let in.
async fn let_in(rtc: SocketAddr) -> Duration {
    let since = Instant::now();
    let mut tick = interval(Duration::from_millis(5));
    let connected = async {
        while Line::connect(rtc, "next@endurance", 0, Cut::Reset).await.is_err() {
            tick.tick().await;
        }
    };
    timeout(PATIENCE, connected).await.unwrap();
    since.elapsed()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let mut tick = interval(Duration::from_millis(10));
    let waited = timeout(PATIENCE, async {
        while !is_so() {
            tick.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// How often the log says so.
fn lines(folder: &Path, text: &str) -> usize {
    std::fs::read_to_string(folder.join("stderr.log")).unwrap().matches(text).count()
}
