//! The program as a user has it: arguments, output, exit status.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn rtest(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtest"));
    command.args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripts"));
    command
}

fn run(args: &[&str]) -> Output {
    rtest(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running `rtest` that listens; ended when dropped.
struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = rtest(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.strip_prefix("listening on ").unwrap().to_owned();
        Self { child, lines, address }
    }

    fn url(&self) -> String {
        format!("ws://{}/rtc?userid=a{{n}}@test.local", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn uac_and_uas_play_a_call_with_each_other() {
    let mut uas = Server::start(&["-t", "uas", "-l", "127.0.0.1:0", "-f", "answer.json", "-n", "5"]);
    let uac = run(&["-t", "uac", "-u", &uas.url(), "-f", "call.json", "-n", "5", "-c", "2"]);
    let printed = text(&uac.stdout);
    assert_eq!(printed.lines().last(), Some("failed: 0, successd: 5"), "{printed}");
    assert_eq!(uac.status.code(), Some(0));
    let last = uas.lines.by_ref().map_while(Result::ok).last();
    assert_eq!(last.as_deref(), Some("failed: 0, successd: 5"));
    assert_eq!(uas.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_call_as_it_is_printed() {
    let uas = Server::start(&["-t", "uas", "-l", "127.0.0.1:0", "-f", "answer.json", "-n", "1"]);
    let uac = run(&["-t", "uac", "-u", &uas.url(), "-f", "call.json"]);
    insta::assert_snapshot!(text(&uac.stdout));
}

#[test]
fn a_failed_run_is_counted_and_gives_status_1() {
    let echo = Server::start(&["echo", "-l", "127.0.0.1:0"]);
    let uac = run(&["-t", "uac", "-u", &echo.url(), "-f", "refused.json", "-n", "2"]);
    insta::assert_snapshot!(text(&uac.stdout), @r#"
    [1] > {"Type":"MESSAGE","Request-URI":"b@h","From":"a@h","To":"b@h","DialogueID":"d-1","CSeq":1}
    [1] < {"Type":"RESPONSE","Code":200,"Desc":"OK","From":"a@h","To":"b@h","DialogueID":"d-1","CSeq":1}
    [1] failed: stage 2 (recv): field `Code`: expected 404, got 200
    [2] > {"Type":"MESSAGE","Request-URI":"b@h","From":"a@h","To":"b@h","DialogueID":"d-2","CSeq":1}
    [2] < {"Type":"RESPONSE","Code":200,"Desc":"OK","From":"a@h","To":"b@h","DialogueID":"d-2","CSeq":1}
    [2] failed: stage 2 (recv): field `Code`: expected 404, got 200
    failed: 2, successd: 0
    "#);
    assert_eq!(uac.status.code(), Some(1));
}

#[test]
fn what_cannot_be_reached_is_a_failed_run() {
    // The port is free: it was bound a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uac = run(&["-t", "uac", "-u", &format!("ws://127.0.0.1:{port}/rtc?userid=a"), "-f", "refused.json"]);
    insta::assert_snapshot!(text(&uac.stdout), @r#"
    [1] failed: cannot connect: Connection refused (os error 111)
    failed: 1, successd: 0
    "#);
    assert_eq!(uac.status.code(), Some(1));
}

/// The reference server stands in for the other one, so that nothing else must be built.
#[test]
fn a_comparison_is_printed_as_a_table() {
    let bench = rtest(&["bench", "--quick", "--rows", "start", "--server", "./server.sh"])
        .env("RTEST", env!("CARGO_BIN_EXE_rtest"))
        .output()
        .unwrap();
    let printed = text(&bench.stdout);
    assert_eq!(bench.status.code(), Some(0), "{printed}{}", text(&bench.stderr));
    let row = printed.lines().last().unwrap();
    assert!(row.starts_with("| start, to the first answer | echo ") && row.contains("≤ 50 ms"), "{printed}");
}

#[test]
fn a_comparison_needs_servers_that_start() {
    for (server, expected) in [
        (
            "missing",
            "rtest: no program missing: `cargo build --release -p rtcd` makes it, or --server names another\n",
        ),
        ("/bin/false", "rtest: a server did not start: \n"),
    ] {
        let bench = run(&["bench", "--rows", "start", "--server", server]);
        assert_eq!((bench.status.code(), text(&bench.stderr).as_str()), (Some(2), expected));
    }
}

#[test]
fn nothing_to_run_gives_status_2() {
    let url = "ws://127.0.0.1:1/rtc?userid=a";
    let mut texts = Vec::new();
    for args in [
        &[][..],
        &["-t", "uac", "-f", "call.json"],
        &["-t", "uas", "-f", "call.json"],
        &["-t", "udp", "-u", url, "-f", "call.json"],
        &["-t", "uac", "-u", url, "-f", "missing.json"],
        &["-t", "uac", "-u", url, "-f", "call.json", "-n", "0"],
        &["-t", "uas", "-l", "192.0.2.1:9", "-f", "call.json"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        texts.push(format!("rtest {}\n{}", args.join(" "), text(&output.stderr)));
    }
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn help() {
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help_bench", &["bench", "--help"]),
        ("help_echo", &["echo", "--help"]),
        ("help_load", &["load", "--help"]),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0));
        insta::assert_snapshot!(name, text(&output.stdout));
    }
}
