//! The commands, as an operator types them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use common::{Client, Setup, TestServer, request};
use serde_json::json;

const RTCD: &str = env!("CARGO_BIN_EXE_rtcd");

/// A folder with settings of its own: free ports, and a state folder inside.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("conf")).unwrap();
        let place = Self(folder);
        place.settings("rtc: {listen: '127.0.0.1:0'}\napi: {listen: '127.0.0.1:0'}\n");
        place
    }

    fn settings(&self, yaml: &str) {
        let state = self.0.join("state");
        let server = format!("server: {{state_dir: '{}', stop_timeout: 60s}}\n", state.display());
        std::fs::write(self.0.join("conf/rtcd.yaml"), server + yaml).unwrap();
    }

    fn rtcd(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(RTCD);
        command.arg("-c").arg(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    fn pid_file(&self) -> PathBuf {
        self.0.join("state/rtcd.pid")
    }

    fn pid(&self) -> Option<String> {
        std::fs::read_to_string(self.pid_file()).ok().map(|text| text.trim().to_owned())
    }

    /// What a server in the background has logged.
    fn log(&self) -> String {
        std::fs::read_to_string(self.0.join("state/rtcd.log")).unwrap_or_default()
    }

    /// What a command says, as a user sees it.
    fn run(&self, arguments: &[&str]) -> String {
        self.seen(&self.rtcd(arguments).output().unwrap())
    }

    fn seen(&self, output: &Output) -> String {
        let text = seen(output);
        let text = text.replace(&*self.0.to_string_lossy(), "<place>");
        let text = regex::Regex::new(r"pid \d+").unwrap().replace_all(&text, "pid <pid>").into_owned();
        regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "<address>").into_owned()
    }

    /// A server in the foreground that listens.
    fn serve(&self) -> Serving {
        let mut child = self.rtcd(&[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("stop:") {
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "it ended: {said}");
        }
        Serving { child, said, output }
    }
}

impl Drop for Place {
    /// What a failed test leaves running in the background.
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        }
    }
}

struct Serving {
    child: Child,
    said: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Serving {
    fn rtc(&self) -> SocketAddr {
        self.said.split("ws://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Its exit status, and what it said last.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seen(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    if !output.stderr.is_empty() {
        text += "--- standard error\n";
        text += std::str::from_utf8(&output.stderr).unwrap();
    }
    text + &format!("--- exit status {}\n", output.status.code().unwrap())
}

#[test]
fn help() {
    let commands = [
        "",
        "serve",
        "check",
        "apim",
        "apim ls",
        "apim load",
        "apim rm",
        "slpm",
        "slpm ls",
        "slpm load",
        "slpm rm",
        "runtime",
        "health",
        "plugins",
        "new",
        "new slp",
        "new api",
        "import",
    ];
    let mut text = String::new();
    for command in commands {
        let output = Command::new(RTCD).args(command.split_whitespace()).arg("--help").output().unwrap();
        assert!(output.status.success(), "{command}");
        let _ = writeln!(text, "$ rtcd {command} --help\n{}", String::from_utf8(output.stdout).unwrap());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn wrong_command_lines() {
    let mut text = String::new();
    for line in
        ["nothing", "-d -s quit", "-s die", "-d plugins", "apim", "apim load x.v1", "runtime heap", "new slp"]
    {
        let output = Command::new(RTCD).args(line.split_whitespace()).output().unwrap();
        let _ = writeln!(text, "$ rtcd {line}\n{}", seen(&output));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn plugins() {
    let mut text = String::new();
    for line in ["plugins", "plugins --json"] {
        let output = Command::new(RTCD).args(line.split_whitespace()).output().unwrap();
        let _ = writeln!(text, "$ rtcd {line}\n{}", seen(&output));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn in_the_background() {
    let place = Place::new("background");
    let mut text = String::new();
    let mut step = |arguments: &[&str]| {
        let seen = place.run(arguments);
        let _ = writeln!(text, "$ rtcd {}\n{seen}", arguments.join(" "));
    };
    step(&["-s", "reload"]);
    step(&["-d"]);
    let pid = place.pid().unwrap();
    step(&["-d"]);
    step(&["serve"]);
    step(&["-s", "reload"]);
    // A stop would overtake it.
    while !place.log().contains("settings and routes were read again") {
        std::thread::yield_now();
    }
    // The file of its logs, which it has given itself, is no setting that has changed.
    assert!(!place.log().contains("wait for a restart"), "{}", place.log());
    step(&["-s", "reopen"]);
    assert_eq!(place.pid().unwrap(), pid);
    step(&["serve", "-s", "quit"]);
    assert_eq!(place.pid(), None);
    step(&["serve", "-d"]);
    step(&["-s", "stop"]);
    step(&["-s", "stop"]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_server_in_the_background_has_left_the_terminal() {
    let place = Place::new("session");
    assert!(place.run(&["-d"]).contains("is up"));
    let pid = place.pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // pid (name) state parent group session terminal …
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((fields[2], fields[3], fields[4]), (&*pid, &*pid, "0"));
    for (number, expected) in [("0", "/dev/null"), ("1", "/dev/null")] {
        let to = std::fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap();
        assert_eq!(to, Path::new(expected));
    }
    assert!(place.run(&["-s", "quit"]).contains("has ended"));
}

#[test]
fn what_cannot_start_in_the_background() {
    let place = Place::new("background-errors");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut text = String::new();
    place.settings(&format!("rtc: {{listen: '{address}'}}\napi: {{listen: '127.0.0.1:0'}}\n"));
    text += &place.run(&["-d"]);
    place.settings("rtc: {port: 1}\n");
    text += &place.run(&["-d"]);
    assert_eq!(place.pid(), None);
    insta::assert_snapshot!(text);
}

#[test]
fn a_server_that_was_killed_is_no_hindrance() {
    let place = Place::new("killed");
    let serving = place.serve();
    serving.signal("-KILL");
    assert_eq!(serving.ended().0, None);
    assert!(place.pid().is_some());
    let stale = place.run(&["-s", "quit"]);
    let serving = place.serve();
    assert_eq!(place.pid().unwrap(), serving.child.id().to_string());
    serving.signal("-TERM");
    assert_eq!(serving.ended(), (Some(0), "rtcd is down\n".to_owned()));
    assert_eq!(place.pid(), None);
    insta::assert_snapshot!(stale);
}

#[test]
fn a_server_can_be_stopped_whatever_has_become_of_its_files() {
    let place = Place::new("spoilt");
    let serving = place.serve();
    place.settings("rtc: {port: 1}\nnothing: {}\n");
    std::fs::write(place.0.join("routes.yaml"), "slps: [").unwrap();
    let child = std::thread::spawn(move || serving.ended());
    assert!(place.run(&["-s", "quit"]).contains("has ended"));
    assert_eq!(child.join().unwrap(), (Some(0), "rtcd is down\n".to_owned()));
}

#[test]
fn a_pid_file_without_a_server_or_a_number() {
    let place = Place::new("pid-file");
    std::fs::create_dir_all(place.0.join("state")).unwrap();
    std::fs::write(place.pid_file(), "1\n").unwrap();
    let mut text = place.run(&["-s", "stop"]);
    std::fs::write(place.pid_file(), "").unwrap();
    let held = std::fs::File::open(place.pid_file()).unwrap();
    held.lock().unwrap();
    text += &place.run(&["-s", "stop"]);
    text += &place.run(&["serve"]);
    std::fs::remove_file(place.pid_file()).unwrap();
    std::fs::create_dir(place.pid_file()).unwrap();
    text += &place.run(&["serve"]);
    insta::assert_snapshot!(text);
}

#[test]
fn it_takes_as_many_files_as_it_may() {
    let place = Place::new("limit");
    let start = format!("ulimit -Sn 64; exec '{RTCD}' -d -c '{}'", place.0.display());
    assert!(Command::new("sh").args(["-c", &start]).stdout(Stdio::null()).status().unwrap().success());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", place.pid().unwrap())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<_> = files.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{limits}");
    assert!(place.run(&["-s", "stop"]).contains("has ended"));
}

/// A call that would hold a graceful stop up.
async fn call(rtc: SocketAddr) -> tokio_tungstenite::WebSocketStream<tokio::net::TcpStream> {
    use futures_util::{SinkExt as _, StreamExt as _};
    let tcp = tokio::net::TcpStream::connect(rtc).await.unwrap();
    let (mut ws, _) =
        tokio_tungstenite::client_async(format!("ws://{rtc}/rtc?userid=a@b"), tcp).await.unwrap();
    let invite = common::fields(
        request("INVITE", "Recv_INVITE", "a@b", "call", 1),
        json!({"Router": "x@h;type=conformance"}),
    );
    ws.send(tokio_tungstenite::tungstenite::Message::text(invite.to_string())).await.unwrap();
    let ringing = ws.next().await.unwrap().unwrap();
    assert!(ringing.to_text().unwrap().contains(r#""Code":180"#), "{ringing}");
    ws
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for second in ["-INT", "-QUIT", "-TERM"] {
        let place = Place::new(&format!("second{second}"));
        let serving = place.serve();
        let _call = call(serving.rtc()).await;
        serving.signal("-INT");
        // It is stopping when nobody gets in any more.
        while tokio::net::TcpStream::connect(serving.rtc()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        serving.signal(second);
        let ended = tokio::task::spawn_blocking(move || serving.ended()).await.unwrap();
        assert_eq!(ended, (Some(1), "rtcd is down\n".to_owned()));
        assert_eq!(place.pid(), None);
    }
}

#[tokio::test]
async fn term_ends_it_at_once() {
    let place = Place::new("term");
    let serving = place.serve();
    let _call = call(serving.rtc()).await;
    serving.signal("-TERM");
    let ended = tokio::task::spawn_blocking(move || serving.ended()).await.unwrap();
    assert_eq!(ended, (Some(0), "rtcd is down\n".to_owned()));
}

/// What commands say to a server that runs.
async fn transcript(server: &TestServer, lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let mut command = tokio::process::Command::new(RTCD);
        command.args(line.split_whitespace()).arg("--url").arg(format!("http://{}", server.api));
        let output = command.output().await.unwrap();
        let _ = writeln!(text, "$ rtcd {line}\n{}", seen(&output));
    }
    let since = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    let text = since.replace_all(&text, "<since>");
    regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap().replace_all(&text, "<address>").into_owned()
}

#[tokio::test]
async fn switches() {
    let routes = "
slps: {default: conformance, conformance: conformance}
routes: []
apis: {echo.v1: {impl: echo}}
hops: []
";
    let server = Setup::new().routes(routes).start().await;
    let lines = [
        "apim ls",
        "apim load echo.v2 echo2",
        "apim rm echo.v1",
        "apim rm echo.v1",
        "apim ls",
        "apim load echo.v3 nothing",
        "apim load echo echo",
        "apim load a/b.v1 echo",
        "apim rm apim.v1",
        "apim rm apim.v1 --json",
        "slpm load second conformance",
        "slpm ls",
        "slpm rm second",
        "slpm rm second",
        "slpm load x nothing",
        "slpm ls --json",
    ];
    insta::assert_snapshot!(transcript(&server, &lines).await);
    server.end().await;
}

#[tokio::test]
async fn what_goes_on() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d1", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    server.until_all(&[("tasks", 0), ("transactions", 0), ("lingering", 0), ("peers", 1)]).await;
    let seen = transcript(
        &server,
        &["runtime distribute", "runtime jstack --user nobody@a", "runtime jstack --user alice@a --limit 1"],
    )
    .await;
    insta::assert_snapshot!(seen);
    alice.close().await;
    server.end().await;
}

#[test]
fn no_server_and_no_access() {
    let mut text = String::new();
    let mut ask = |name: &str, url: &str, line: &str| {
        let output = Command::new(RTCD).args(line.split_whitespace()).args(["--url", url]).output().unwrap();
        let _ = writeln!(text, "# {name}\n{}", seen(&output).replace(url, "<url>"));
    };
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ask("nobody listens", &format!("http://{gone}"), "slpm ls");
    for (name, answer) in [
        ("no token", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        ("wrong token", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        ("an old server", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ("no rtcd", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x1b[m"),
        ("no HTTP", "SSH-2.0\r\n\r\n"),
    ] {
        ask(name, &answering(answer), "runtime version --token 0123456789abcdef");
    }
    ask("no URL", "localhost:2539", "apim ls");
    insta::assert_snapshot!(text);
}

/// A server that answers one request with this.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = BufReader::new(socket.try_clone().unwrap());
        let mut line = String::new();
        let mut bears = false;
        while head.read_line(&mut line).unwrap() > 2 {
            bears |= line.eq_ignore_ascii_case("authorization: Bearer 0123456789abcdef\r\n");
            line.clear();
        }
        assert!(bears);
        socket.write_all(answer.as_bytes()).unwrap();
    });
    url
}

#[test]
fn where_the_server_is_comes_from_the_settings() {
    let place = Place::new("address");
    let mut text = place.run(&["apim", "ls"]);
    // What is wrong elsewhere does not matter.
    place.settings("rtc: {port: 1}\napi: {listen: '0.0.0.0:1', token: 0123456789abcdef}\n");
    text += &place.run(&["apim", "ls"]);
    place.settings("rtc: {\n  port: 1}\napi:\n  listen: nowhere\n");
    text += &place.run(&["apim", "ls"]);
    place.settings("");
    let output =
        place.rtcd(&["apim", "ls"]).env("RTCD_API_LISTEN", "127.0.0.1:2").env("RTCD_RTC_X", "").output();
    text += &place.seen(&output.unwrap());
    insta::assert_snapshot!(text);
}

#[test]
fn imported_settings_are_good() {
    let place = Place::new("import");
    let ini = place.0.join("gortc.ini");
    let text = "logfile = logs/gortc.log\nloglevel = WARNING\n[RTCModule]\nlisten = :8080\nlocation = /rtc\nauthtimeout = 1.5s\n\
                qsize = 9\n[APIModule]\nlisten = localhost:2539\nkeepalived = 60s\n[JSIPStack]\nrealm = a.b\nqsize = 10\ntermnotify = true\n";
    std::fs::write(&ini, text).unwrap();
    let output = place.rtcd(&["import"]).arg(&ini).output().unwrap();
    std::fs::write(place.0.join("conf/rtcd.yaml"), &output.stdout).unwrap();
    let config = rtcd_server::Config::load(std::sync::Arc::new(rtcd::config_dir(&place.0))).unwrap();
    let settings = config.settings;
    assert_eq!((settings.jsip.qsize, settings.limits.mailbox), (9, 10));
    assert_eq!(settings.log.file, Path::new("logs/gortc.log"));
    insta::assert_snapshot!(place.seen(&output));
    insta::assert_snapshot!("import_without_a_file", place.run(&["import", "nowhere.ini"]));
}
