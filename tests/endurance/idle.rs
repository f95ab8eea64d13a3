//! Many clients that are there and say nothing. `RTCD_CONNECTIONS` says how many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::gauges::{Fresh, Metrics};
use super::line::{Cut, Frame, Line};
use super::scale;
use super::usage::Usage;
use crate::common::{Folder, PATIENCE, PORTS, Program, request};

const ROUTES: &str = "slps: {default: conformance}\nroutes: []\napis: {}\nhops: []\n";

/// Those that connect at once.
const AT_ONCE: usize = 64;

/// Pings that each gets: one asks whether the answer to its MESSAGE has come, one is for the silence.
const PINGS: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_clients_are_kept() {
    let clients = scale::count("RTCD_CONNECTIONS", 1000, 18_000);
    // As it is by default, or so that a ping comes soon.
    let keepalive = if scale::is_whole() { "25s" } else { "2s" };
    let folder = Folder::new("idle");
    let settings = format!("{PORTS}jsip: {{keepalive: {keepalive}, away_grace: 1s}}\n");
    folder.write("conf/rtcd.yaml", &settings).write("routes.yaml", ROUTES);
    let program = Program::start(&folder);
    let fresh = Fresh::look(&program).await;
    let empty = Usage::of(program.id());

    let (stop, stopped) = watch::channel(false);
    let (seen, mut pinged) = mpsc::channel(1024);
    let pings = Arc::new(AtomicU64::new(0));
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let client = Client {
            rtc: program.rtc,
            number,
            room: room.clone(),
            pings: pings.clone(),
            seen: seen.clone(),
            stop: stopped.clone(),
        };
        tasks.spawn(client.run());
    }
    drop(seen);
    // Each has had its pings, those of the silence among them.
    let mut had = 0;
    while had < clients {
        timeout(4 * PATIENCE, pinged.recv())
            .await
            .unwrap_or_else(|_| panic!("{had} had their pings"))
            .unwrap();
        had += 1;
    }
    let (before, pings_before, since) = (Usage::of(program.id()), pings.load(Relaxed), Instant::now());
    let mut seconds = scale::beat(1);
    for _ in 0..=scale::seconds(2, 60) {
        seconds.tick().await;
    }
    let (after, took) = (Usage::of(program.id()), since.elapsed());
    let metrics = Metrics::of(&program).await;
    assert_eq!(metrics.value("rtcd_connections"), clients as f64);
    assert_eq!(metrics.value("rtcd_closed_total{why=\"silent\"}"), 0.0);
    println!(
        "{clients} silent clients: {:.2} % of one core over {took:.0?}, {} pings answered, {:.2} KiB each",
        100.0 * (after.cpu - before.cpu).as_secs_f64() / took.as_secs_f64(),
        pings.load(Relaxed) - pings_before,
        (after.rss - empty.rss) as f64 / clients as f64,
    );

    stop.send_replace(true);
    tasks.join_all().await;
    let settled = fresh.again(&program).await;
    println!("all gauges as before the first client {settled:?} after the last has gone");
    program.signal("TERM");
    assert!(program.ended().await.success());
}

struct Client {
    rtc: SocketAddr,
    number: usize,
    room: Arc<Semaphore>,
    /// Of all clients.
    pings: Arc<AtomicU64>,
    /// Told when it has had so many that one was for its silence.
    seen: mpsc::Sender<()>,
    stop: watch::Receiver<bool>,
}

impl Client {
    async fn run(mut self) {
        let user = format!("idle{}@endurance", self.number);
        let permit = self.room.acquire().await.unwrap();
        let mut line = Line::connect(self.rtc, &user, self.number, Cut::Reset).await.unwrap();
        line.text(&request("MESSAGE", "Recv_MESSAGE", &user, "d", 1).to_string()).await.unwrap();
        while !matches!(line.frame().await.unwrap(), Frame::Text(_)) {}
        drop(permit);
        let mut had = 0;
        loop {
            let frame = tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => break,
                frame = line.frame() => frame.unwrap_or_else(|error| panic!("{user}: {error}")),
            };
            let Frame::Ping(payload) = frame else { panic!("{user}: {frame:?}") };
            line.pong(&payload).await.unwrap();
            self.pings.fetch_add(1, Relaxed);
            had += 1;
            if had == PINGS {
                self.seen.send(()).await.unwrap();
            }
        }
        line.close().await.unwrap();
    }
}
