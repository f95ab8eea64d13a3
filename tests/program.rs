//! The program as an operator starts it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use common::{PATIENCE, request};

const RTCD: &str = env!("CARGO_BIN_EXE_rtcd");

/// A folder of this test's own, with these files.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("conf")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// Ports and a state folder of its own.
fn settings(folder: &Path) -> String {
    let state_dir = folder.join("state");
    format!(
        "server: {{state_dir: '{}'}}\nrtc: {{listen: '127.0.0.1:0'}}\napi: {{listen: '127.0.0.1:0'}}\n",
        state_dir.display()
    )
}

#[test]
fn plugins_are_what_lies_in_the_folders() {
    rtcd::check_plugins().unwrap();
    let slps = rtcd_sdk::registered_slps();
    let apis = rtcd_sdk::registered_apis();
    let mut list = String::new();
    for entry in slps {
        let _ = writeln!(list, "service {} of {}", entry.implementation, entry.package);
    }
    for entry in apis {
        let _ = writeln!(list, "API {} of {}", entry.implementation, entry.package);
    }
    insta::assert_snapshot!(list);
}

#[test]
fn the_settings_in_the_repository_are_the_defaults() {
    let embedded = rtcd_server::Config::load(std::sync::Arc::new(rtcd::config_dir("nowhere"))).unwrap();
    assert_eq!(format!("{:#?}", embedded.settings), format!("{:#?}", rtcd_server::Settings::default()));
}

#[test]
fn wrong_files_stop_the_start() {
    let routes = "slps: {}\nroutes: []\napis: {}\nhops: []\n";
    let cases: &[(&str, &str)] = &[
        ("conf/rtcd.yaml", "rtc: {port: 1}\n"),
        ("conf/rtcd.yaml", "rtc:\n  listen: nowhere\n"),
        ("conf/rtcd.yaml", "jsip:\n  transtimer: 5\n"),
        ("conf/rtcd.yaml", "jsip:\n  transtimer: soon\n"),
        ("conf/rtcd.yaml", "rtc: {location: rtc}\n"),
        ("conf/rtcd.yaml", "rtc: [\n"),
        ("conf/rtcd.yaml", "log: {format: xml}\n"),
        ("conf/rtcd.yaml", "log: {level: 'a=b=c'}\n"),
        ("routes.yaml", ""),
        ("routes.yaml", "slps: {}\nroutes: []\napis: {}\n"),
        ("routes.yaml", "slps: {a: nothing, 'b c': call}\nroutes: []\napis: {}\nhops: []\n"),
        ("routes.yaml", "slps: {}\nroutes: [{when: {method: CALL}, slp: a}]\napis: {}\nhops: []\n"),
        ("routes.yaml", "slps: {}\nroutes: [{when: {method: INVITE}, slp: a}]\napis: {}\nhops: []\n"),
        ("routes.yaml", "slps: {}\nroutes: [{when: {verb: INVITE}, slp: a}]\napis: {}\nhops: []\n"),
        ("routes.yaml", "slps: {}\nroutes: []\napis: {echo: {impl: echo}, e.v1: {impl: no}}\nhops: []\n"),
        ("conf/chatroom.yaml", "qsizes: 4\n"),
        ("conf/chatroom.yaml", "qsize: many\n"),
    ];
    let mut table = String::new();
    for (index, (file, text)) in cases.iter().enumerate() {
        let folder = folder(&format!("wrong-{index}"), &[(file, text)]);
        let listen = settings(&folder);
        if *file != "conf/rtcd.yaml" {
            std::fs::write(folder.join("conf/rtcd.yaml"), listen).unwrap();
        } else {
            std::fs::write(folder.join("routes.yaml"), routes).unwrap();
        }
        let output = Command::new(RTCD).arg("-c").arg(&folder).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let _ = write!(table, "{file}: {text:?}\n  {} {error}", output.status.code().unwrap_or(-1));
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn it_starts_serves_and_stops() {
    let folder = folder("starts", &[("conf/chatroom.yaml", include_str!("../conf/chatroom.yaml"))]);
    std::fs::write(folder.join("conf/rtcd.yaml"), settings(&folder)).unwrap();
    let mut child = Command::new(RTCD).arg("-c").arg(&folder).stdout(Stdio::piped()).spawn().unwrap();
    let (said, address, rest) = read_greeting(&mut child);
    let ports = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    insta::assert_snapshot!(ports.replace_all(&said, "<address>"));

    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/rtc?userid=a@b");
    let (mut ws, _) = tokio_tungstenite::client_async(url, tcp).await.unwrap();
    let message = request("MESSAGE", "Recv_MESSAGE", "a@b", "d", 1);
    let message = common::fields(message, serde_json::json!({"Router": "x@h;type=conformance"}));
    ws.send(Message::text(message.to_string())).await.unwrap();
    let answer = timeout(PATIENCE, ws.next()).await.unwrap().unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains(r#""Code":200"#), "{answer}");

    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let close = loop {
        match timeout(PATIENCE, ws.next()).await.unwrap().unwrap().unwrap() {
            Message::Close(frame) => break frame.unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(close.code), 1001);
    let status = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(rest.lines().map(Result::unwrap).collect::<Vec<_>>(), ["rtcd is down"]);
}

/// What it says before it serves, and the address of the RTC side.
fn read_greeting(child: &mut Child) -> (String, SocketAddr, impl BufRead + use<>) {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C") {
        assert_ne!(output.read_line(&mut said).unwrap(), 0, "it ended: {said}");
    }
    let address =
        said.split("ws://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
    (said, address, output)
}

#[test]
fn a_start_tells_all_that_is_wrong_with_all_files() {
    let folder = folder(
        "all-wrong",
        &[
            ("conf/rtcd.yaml", "rtc: {port: 1}\njsip: {qsize: many}\n"),
            ("routes.yaml", "slps: {a: b}\nroutes: []\napis: {}\nhops: []\n"),
        ],
    );
    let start = |folder: &Path| {
        let output = Command::new(RTCD).arg("-c").arg(folder).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let mut seen = start(&folder);
    seen += &start(Path::new("/no/such/folder"));
    insta::assert_snapshot!(seen);
}
