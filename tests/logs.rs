//! Logs: nothing that comes from outside forges a line, and no line is lost when files are opened again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use common::{Client, Setup, request};
use rtcd_sdk::prelude::*;
use rtcd_server::{Logs, Settings, Signal};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};
use tracing::{Dispatch, dispatcher};

/// A folder of its own.
fn folder_of(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("logs-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn settings(yaml: &str) -> Settings {
    serde_yaml::from_str(yaml).unwrap()
}

fn logs(settings: &Settings) -> (Logs, Dispatch) {
    let (logs, subscriber) = Logs::subscriber(settings).unwrap();
    (logs, Dispatch::new(subscriber))
}

/// What is written while this runs.
fn lines(format: &str, level: &str, act: impl FnOnce()) -> String {
    let file = folder_of(&format!("{format}-{level}")).join("log");
    let (logs, dispatch) =
        logs(&settings(&format!("log: {{file: '{}', format: {format}, level: '{level}'}}", file.display())));
    dispatcher::with_default(&dispatch, act);
    logs.flush();
    let text = std::fs::read_to_string(file).unwrap();
    redacted(&text)
}

/// Without times.
fn redacted(text: &str) -> String {
    regex::Regex::new(r#"(?m)^(\{"time":")?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"#)
        .unwrap()
        .replace_all(text, "$1<time>")
        .into_owned()
}

/// What strangers send to be put into a log.
const EVIL: [&str; 7] = [
    "bob\n2026-01-01T00:00:00.000000Z  INFO rtcd: all is well",
    "\u{1b}[31mred\u{1b}[0m \u{9b}2J",
    "\" level=ERROR x=\"",
    "{\"level\":\"ERROR\"},\\",
    "a b=c}",
    "right\u{202e}left\u{2028}\u{200b}\r\t\0",
    "Jürgen@例え.jp",
];

fn log_evil() {
    let long = format!("\n{}", "é".repeat(500_000));
    for evil in EVIL.into_iter().chain([long.as_str()]) {
        let span = tracing::info_span!("task", service = "call", peer = evil, dialog = ?evil, later = tracing::field::Empty);
        span.record("later", evil);
        span.in_scope(
            || tracing::info!(user = evil, %evil, debug = ?evil, number = 7, flag = true, "refused"),
        );
        tracing::warn!("{evil}");
    }
}

#[test]
fn nothing_forges_a_line_of_text() {
    let text = lines("text", "info", log_evil);
    assert_eq!(text.lines().count(), 16);
    for line in text.lines() {
        assert!(line.starts_with("<time>  INFO logs: ") || line.starts_with("<time>  WARN logs: "), "{line}");
        assert!(line.len() < 10_000 && !line.contains(|letter: char| letter.is_control()), "{line}");
    }
    insta::assert_snapshot!(text.replace(&"é".repeat(500), "<500 times é>"));
}

#[test]
fn nothing_forges_a_line_of_json() {
    let text = lines("json", "info", log_evil);
    assert_eq!(text.lines().count(), 16);
    for (line, evil) in text.lines().step_by(2).zip(EVIL) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "refused");
        assert_eq!(line["fields"]["user"], evil);
        assert_eq!(line["fields"]["evil"], evil);
        assert_eq!(line["spans"][0]["peer"], evil);
        assert_eq!(line["spans"][0]["later"], evil);
    }
    insta::assert_snapshot!(text.replace(&"é".repeat(500), "<500 times é>"));
}

#[test]
fn a_side_has_a_file_and_levels_of_its_own() {
    let folder = folder_of("sides");
    let yaml = format!(
        "log: {{file: '{0}/all', level: 'warn,other=info'}}
rtc: {{logfile: '{0}/rtc', loglevel: debug}}
api: {{logfile: '{0}/api', loglevel: 'rtcd::audit=info'}}",
        folder.display()
    );
    let (logs, dispatch) = logs(&settings(&yaml));
    dispatcher::with_default(&dispatch, || {
        tracing::debug!(target: "rtcd_server::actor::tasks", "rtc");
        tracing::trace!(target: "rtcd_server::actor::tasks", "no");
        tracing::debug!(target: "jsip::stack::receive", "rtc");
        tracing::info!(target: "rtcd::audit", "api");
        tracing::info!(target: "rtcd_server::api", "no");
        tracing::warn!(target: "rtcd_server::api", "api");
        tracing::info!(target: "rtcd_server::run", "no");
        tracing::info!(target: "other", "all");
        tracing::warn!(target: "rtcd_server::apiary", "all");
    });
    logs.flush();
    for (name, lines) in [("all", 2), ("rtc", 2), ("api", 2)] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text.lines().filter(|line| line.ends_with(name)).count(), lines, "{name}: {text}");
        assert_eq!(text.lines().count(), lines, "{name}: {text}");
    }
}

#[test]
fn no_line_is_lost_when_files_are_opened_again() {
    const WRITERS: usize = 8;
    const LINES: usize = 4_000;
    const TURNS: usize = 40;
    let folder = folder_of("reopen");
    let file = folder.join("log");
    let (logs, dispatch) = logs(&settings(&format!("log: {{file: '{}', format: json}}", file.display())));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let dispatch = dispatch.clone();
                scope.spawn(move || {
                    dispatcher::with_default(&dispatch, || {
                        for line in 0..LINES {
                            tracing::info!(writer, line, "one of many");
                        }
                    });
                })
            })
            .collect();
        let (logs, file, folder, done) = (&logs, &file, &folder, &done);
        // As logrotate does it: rename, tell, and go on.
        let rotating = scope.spawn(move || {
            let mut turns = 0;
            while turns < TURNS || !done.load(Relaxed) {
                std::fs::rename(file, folder.join(format!("log.{turns}"))).unwrap();
                logs.reopen();
                logs.flush();
                turns += 1;
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Relaxed);
        rotating.join().unwrap();
    });
    logs.flush();
    assert_eq!(logs.dropped(), 0);
    let mut seen: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    let mut with_lines = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        with_lines += u32::from(!text.is_empty());
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let number = |name: &str| line["fields"][name].as_u64().unwrap();
            *seen.entry((number("writer"), number("line"))).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), WRITERS * LINES);
    assert!(seen.values().all(|times| *times == 1));
    assert!(with_lines > 1, "all lines are in one file: nothing was tried");
}

#[test]
fn a_full_disk_stops_nobody_and_is_counted() {
    let (logs, dispatch) = logs(&settings("log: {file: /dev/full}"));
    dispatcher::with_default(&dispatch, || (0..1000).for_each(|line| tracing::info!(line, "lost")));
    logs.flush();
    assert_eq!(logs.dropped(), 1000);
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    let error = Logs::subscriber(&settings("rtc: {logfile: /dev/null/rtc.log}")).map(drop).unwrap_err();
    insta::assert_snapshot!(error, @"rtc.logfile /dev/null/rtc.log: File exists (os error 17)");
}

/// The text of a file when all is written.
fn read(logs: &Logs, file: &Path) -> String {
    logs.flush();
    std::fs::read_to_string(file).unwrap()
}

async fn until_logged(logs: &Logs, file: &Path, text: &str) {
    let mut tick = interval(Duration::from_millis(10));
    let found = async {
        while !file.exists() || !read(logs, file).contains(text) {
            tick.tick().await;
        }
    };
    timeout(common::PATIENCE, found).await.unwrap();
}

/// Says something before it waits and after.
#[derive(Debug)]
struct Talker;

register_slp!("talker", Talker);

impl Slp for Talker {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        rtcd_sdk::tracing::info!(method = request.method.name(), "in place");
        tokio::task::yield_now().await;
        rtcd_sdk::tracing::info!(method = request.method.name(), "away");
        match request.method {
            Method::Ack | Method::Bye => Ok(()),
            _ => Ok(cx.reply(&request, StatusCode::OK)?),
        }
    }
}

/// What a server and its talker log, of a MESSAGE and of a call.
async fn talk(folder: &str, format: &str) -> String {
    let file = folder_of(folder).join("log");
    let (logs, dispatch) = logs(&settings(&format!("log: {{file: '{}', format: {format}}}", file.display())));
    let _logging = dispatcher::set_default(&dispatch);
    let routes = "{slps: {default: talker}, routes: [], apis: {}, hops: []}";
    let server = Setup::new().routes(routes).start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("MESSAGE", "x", "alice@a", "d1", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    alice.send(&request("INVITE", "x", "alice@a", "call 1\n", 1)).await;
    let accepted = alice.expect(json!({"Code": 200})).await;
    alice.send(&common::ack(&accepted, 2)).await;
    alice.send(&request("BYE", "x", "alice@a", "call 1\n", 3)).await;
    alice.expect(json!({"Code": 200})).await;
    server.end_with([alice]).await;
    let text = read(&logs, &file);
    let own: Vec<&str> =
        text.lines().filter(|line| line.contains("in place") || line.contains("away")).collect();
    redacted(&(own.join("\n") + "\n"))
}

#[tokio::test]
async fn lines_of_a_call_and_of_what_waits_say_whom_they_are_about() {
    let seen = talk("talk-text", "text").await + &talk("talk-json", "json").await;
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn a_server_reopens_and_reloads_its_logs() {
    let folder = folder_of("server");
    let file = folder.join("log");
    let yaml = |level: &str| format!("log: {{file: '{}', level: {level}}}", file.display());
    // For the whole process: a reload runs on a thread of its own.
    let logs = Logs::start(&settings(&yaml("info"))).unwrap();
    let server = Setup::new().settings(&yaml("info")).logs(logs.clone()).start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send_text("no JSON").await;
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d1", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    assert!(!read(&logs, &file).contains("bad frame"));

    server
        .files
        .write("conf/rtcd.yaml", &server.files.text("conf/rtcd.yaml").replace("level: info", "level: debug"));
    server.signal(Signal::Reload).await;
    until_logged(&logs, &file, "were read again").await;
    alice.send_text("no JSON\n2026-01-01 forged").await;
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d2", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    assert!(read(&logs, &file).contains("bad frame"));

    std::fs::rename(&file, folder.join("old")).unwrap();
    server.signal(Signal::Reopen).await;
    server.signal(Signal::Reload).await;
    until_logged(&logs, &file, "were read again").await;
    alice.close().await;
    server.end().await;
    assert!(read(&logs, &file).contains("stopping"));
}
