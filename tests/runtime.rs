//! What operators and their monitors see while the server runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{Client, RawSocket, Setup, TestServer, ack, fields, request};
use regex::Regex;
use rtcd_server::Signal;
use serde_json::json;
use tokio::time::{Instant, interval, timeout};

/// What differs from run to run.
fn redacted(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, name) in [
        (r"127\.0\.0\.1:[1-9]\d*", "<address>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"[^ ,\x22]*/state-\d+-\d+", "<state>"),
        (r"rustc \d[^\n\x22]*", "<rustc>"),
        (r"(workers|alive tasks|global queue): \d+", "$1: <n>"),
        (r"busy:( \d+\.\d+ s)+", "busy: <seconds>"),
        (r"\x22runtime\x22:\{[^}]*\}", "\"runtime\":{}"),
        (r"(uptime_seconds\W*) ?\d+", "$1 <n>"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

/// What `curl` and a program see.
async fn both(server: &TestServer, path: &str) -> String {
    let (status, text) = server.curl("GET", path).await;
    let (json_status, json) = server.api("GET", path).await;
    assert_eq!(status, json_status);
    redacted(&format!("GET {path}\n{status}\n{text}\nas JSON\n{json}\n"))
}

#[tokio::test]
async fn every_task_is_shown() {
    let server = Setup::new().start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("INVITE", "Recv_INVITE", "alice@a", "call-1", 7)).await;
    alice.expect(json!({"Code": 180})).await;
    // A connection that has sent nothing yet.
    let _silent = tokio::net::TcpStream::connect(server.rtc).await.unwrap();
    let mut tick = interval(Duration::from_millis(10));
    let shown = async {
        while !server.curl("GET", "/runtime/v1/stack?kind=connection").await.1.contains("connection  127") {
            tick.tick().await;
        }
    };
    timeout(common::PATIENCE, shown).await.unwrap();
    let mut seen = String::new();
    for path in [
        "/runtime/v1/stack",
        "/runtime/v1/stack?limit=1",
        "/runtime/v1/stack?limit=1&after=1",
        "/runtime/v1/stack?kind=task",
        "/runtime/v1/stack?user=alice@a",
        "/runtime/v1/stack?user=nobody",
        "/runtime/v1/stack?kind=nonsense",
    ] {
        seen += &both(&server, path).await;
    }
    insta::assert_snapshot!(seen);
    let cancel = request("CANCEL", "Recv_INVITE", "alice@a", "call-1", 8);
    alice.send(&fields(cancel, json!({"RelatedID": 7}))).await;
    alice.expect(json!({"Code": 200, "CSeq": 8})).await;
    let terminated = alice.expect(json!({"Code": 487, "CSeq": 7})).await;
    alice.send(&ack(&terminated, 9)).await;
    server.end_with([alice]).await;
}

/// All pages of a listing: the parameter and what `pick` finds on each.
async fn pages(server: &TestServer, path: &str, list: &str, pick: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = server.api("GET", &format!("{path}{after}")).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["busy"], json!([]));
        let rows = page[list].as_array().unwrap();
        pages.push(rows.iter().map(|row| row[pick].as_str().unwrap().to_owned()).collect());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return pages,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_peers_are_shown_page_by_page() {
    const PEERS: usize = 3000;
    // Who has gone is remembered for a while: a peer without socket.
    let server = Setup::new().settings("jsip: {away_grace: 1h}").start().await;
    for peer in 0..PEERS {
        let mut socket = RawSocket::connect(&server, &format!("user-{peer}")).await;
        if peer % 1000 == 500 {
            let message = request("MESSAGE", "Recv_nothing", "x", &format!("dialog-{peer}"), 1);
            socket.send(common::TEXT, &message.to_string()).await;
        }
    }
    server.until_all(&[("peers", PEERS as i64), ("connections", 0)]).await;

    // While others come, no page is lost and none shows a peer twice.
    let coming = async {
        for peer in 0..200 {
            drop(RawSocket::connect(&server, &format!("late-{peer}")).await);
        }
    };
    let began = Instant::now();
    let listing = pages(&server, "/runtime/v1/jstack?limit=250", "list", "peer");
    let (listed, ()) = tokio::join!(listing, coming);
    assert!(listed.len() >= PEERS / 250, "{}", listed.len());
    assert!(listed.iter().all(|page| page.len() <= 250));
    let names: Vec<String> = listed.concat();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    assert!((0..PEERS).all(|peer| distinct.contains(&format!("user-{peer}"))));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());

    // Names come from outside.
    drop(RawSocket::connect(&server, "evil%0apeer%20root%1b%5b2J").await);
    // It is attached after its upgrade, and away when it is seen to be closed.
    let mut tick = interval(Duration::from_millis(10));
    let mut text = String::new();
    let shown = async {
        while !text.ends_with("\npeer evil\\npeer root\\u{1b}[2J -\n") {
            tick.tick().await;
            text = server.curl("GET", "/runtime/v1/jstack?user=evil%0apeer%20root%1b%5b2J").await.1;
        }
    };
    timeout(common::PATIENCE, shown).await.unwrap_or_else(|_| panic!("{text}"));

    let usual = &pages(&server, "/runtime/v1/jstack?x", "list", "peer").await;
    assert_eq!(usual[0].len(), 100);
    let stack = pages(&server, "/runtime/v1/stack?limit=1000&kind=peer", "stack", "name").await;
    assert_eq!(stack.concat().len(), PEERS + 201);
    assert_eq!(stack[0].len(), 1000);
    let one = pages(&server, "/runtime/v1/jstack?user=user-1234", "list", "peer").await;
    assert_eq!(one, [["user-1234"]]);
    let (_, text) = server.curl("GET", "/runtime/v1/jstack?limit=1").await;
    assert!(text.ends_with("\nnext page: ?after=1\n"), "{text}");
    for wrong in ["limit=0", "limit=1001", "limit=-1", "limit=many", "after=x", "after=-1"] {
        for listing in ["jstack", "distribute", "stack"] {
            let (status, _) = server.api("GET", &format!("/runtime/v1/{listing}?{wrong}")).await;
            assert_eq!(status, 400, "{listing} {wrong}");
        }
    }
    server.signal(Signal::Kill).await;
    server.ended().await;
}

#[tokio::test]
async fn a_dialog_is_found_among_many() {
    let server = Setup::new().start().await;
    let mut clients = Vec::new();
    for user in 0..25 {
        let name = format!("user-{user}");
        let mut client = Client::connect(&server, &name).await;
        client.send(&request("INVITE", "Recv_INVITE", &name, &format!("call-{user}"), 7)).await;
        client.send(&request("INVITE", "Recv_INVITE", &name, &format!("other-{user}"), 7)).await;
        client.expect(json!({"Code": 180})).await;
        client.expect(json!({"Code": 180})).await;
        clients.push(client);
    }
    let found = pages(&server, "/runtime/v1/distribute?dialog=call-17&limit=10", "distribute", "peer").await;
    assert_eq!(found, [&[][..], &["user-17".to_owned()][..], &[][..]]);
    let mut seen = String::new();
    for path in [
        "/runtime/v1/distribute?dialog=call-17",
        "/runtime/v1/jstack?dialog=call-17",
        "/runtime/v1/stack?dialog=call-17",
        "/runtime/v1/jstack?user=user-17&dialog=call-17",
        "/runtime/v1/jstack?user=user-16&dialog=call-17",
    ] {
        seen += &both(&server, path).await;
    }
    insta::assert_snapshot!(Regex::new(r"(\W)\d+ s\b").unwrap().replace_all(&seen, "$1<age>"));
    server.signal(Signal::Kill).await;
    server.ended().await;
}

#[tokio::test]
async fn settings_and_routes_are_shown_with_their_source() {
    let routes = "
slps: {default: conformance, conformance: conformance}
routes:
  - {when: {method: INVITE, request_uri: '*@*'}, slp: default}
  - {when: {}, slp: conformance}
apis:
  echo.v1: {impl: echo}
  echo.v2: {impl: echo2, enabled: false}
hops: ['*.edge.example.net:8080']
";
    let server = Setup::new().settings("api: {token: 0123456789abcdef}").routes(routes).start().await;
    let mut config = server.api_with("/runtime/v1/config", "0123456789abcdef").await;
    assert!(!config.to_string().contains("0123456789abcdef"));
    insta::assert_snapshot!(redacted(&serde_json::to_string_pretty(&config).unwrap()));

    server.files.write("routes.yaml", &routes.replace("default: conformance", "default: nothing"));
    server.signal(Signal::Reload).await;
    let mut tick = interval(Duration::from_millis(10));
    while config["reloads"]["bad"] != 1 {
        tick.tick().await;
        config = server.api_with("/runtime/v1/config", "0123456789abcdef").await;
    }
    let text = serde_json::to_string_pretty(&config["reloads"]).unwrap();
    insta::assert_snapshot!("a_bad_reload", redacted(&text));
    server.stop().await;
}

#[tokio::test]
async fn a_reload_never_opens_a_public_port() {
    const TOKEN: &str = "0123456789abcdef";
    let server =
        Setup::new().settings(&format!("api: {{listen: '0.0.0.0:0', token: {TOKEN}}}")).start().await;
    let cases = ["", "# all gone\n", "jsip: {realm: rtc.test}\n", "api: {listen: '127.0.0.1:0'}\n"];
    let mut seen = String::new();
    for (index, text) in cases.iter().enumerate() {
        server.files.write("conf/rtcd.yaml", text);
        server.signal(Signal::Reload).await;
        let mut tick = interval(Duration::from_millis(10));
        let reloads = loop {
            tick.tick().await;
            let config = server.api_with("/runtime/v1/config", TOKEN).await;
            if config["reloads"]["bad"] == index + 1 {
                break config["reloads"].clone();
            }
            assert_eq!(config["reloads"]["good"], 0, "{text:?}: {config}");
        };
        seen += &format!("{text:?}: {}\n", reloads["problems"]);
        assert_eq!(server.curl("POST", "/slpm/v1/x?file=conformance").await.0, 401);
    }
    insta::assert_snapshot!(seen);
    server.stop().await;
}

#[tokio::test]
async fn version_and_health() {
    let server = Setup::new().start().await;
    let mut seen = both(&server, "/runtime/v1/version").await;
    for path in ["/healthz", "/readyz"] {
        seen += &format!("{path}: {:?}\n", server.curl("GET", path).await);
    }
    let revision = Regex::new(r#"("?revision"?: ?)"?\w+"?"#).unwrap();
    insta::assert_snapshot!(revision.replace_all(&seen, "$1<revision>"));
    // A call keeps the server from stopping.
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("INVITE", "Recv_INVITE", "alice@a", "call-1", 7)).await;
    alice.expect(json!({"Code": 180})).await;
    server.signal(Signal::Stop).await;
    let mut tick = interval(Duration::from_millis(10));
    let draining = async {
        while server.curl("GET", "/readyz").await != (503, "draining\n".to_owned()) {
            tick.tick().await;
        }
    };
    timeout(common::PATIENCE, draining).await.unwrap();
    assert_eq!(server.curl("GET", "/healthz").await.0, 200);
    server.signal(Signal::Kill).await;
    server.ended().await;
}

/// Each sample of `/metrics`.
async fn metrics(server: &TestServer) -> BTreeMap<String, f64> {
    let (status, text) = server.curl("GET", "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn metrics_have_these_names() {
    let server = Setup::new().start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", "d1", 1)).await;
    alice.expect(json!({"Code": 200})).await;
    server.until("tasks", 0).await;
    let (_, text) = server.curl("GET", "/metrics").await;
    // The guide has each of them.
    let guide = include_str!("../core/server/docs/operate.md");
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(name.starts_with("rtcd_stack_") || guide.contains(name), "{name}");
    }
    // Limits are the settings' own names; threads are the machine's.
    let value = Regex::new(r"(?m)^([^#].*) [-0-9.e+]+$").unwrap();
    let text = value.replace_all(&text, "$1 <value>");
    let text = Regex::new(r"(?m)^rtcd_runtime_busy_seconds_total\{worker=.[1-9].*\n")
        .unwrap()
        .replace_all(&text, "");
    let text = Regex::new(r#"revision="\w+""#).unwrap().replace_all(&text, r#"revision="<revision>""#);
    insta::assert_snapshot!(text);
    server.end_with([alice]).await;
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = Setup::new().start().await;
    let before = metrics(&server).await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let mut bob = Client::connect(&server, "bob@b").await;
    alice.send_text("no JSON").await;
    for dialog in ["d1", "d2", "d3"] {
        alice.send(&request("MESSAGE", "Recv_MESSAGE", "alice@a", dialog, 1)).await;
        alice.expect(json!({"Code": 200})).await;
    }
    // A call between two users; it rings for a while.
    let invite = request("INVITE", "bob@b", "alice@a", "call-1", 7);
    alice.send(&invite).await;
    let to_bob = bob.expect(json!({"Type": "INVITE"})).await;
    bob.reply(&to_bob, 180).await;
    alice.expect(json!({"Code": 180})).await;
    bob.reply(&to_bob, 200).await;
    let accepted = alice.expect(json!({"Code": 200})).await;
    alice.send(&ack(&accepted, 8)).await;
    bob.expect(json!({"Type": "ACK"})).await;
    let during = metrics(&server).await;
    alice.send(&request("BYE", "bob@b", "alice@a", "call-1", 9)).await;
    alice.expect(json!({"Code": 200, "CSeq": 9})).await;
    let bye = bob.expect(json!({"Type": "BYE"})).await;
    bob.reply(&bye, 200).await;
    alice.send(&request("INVITE", "nobody@b", "alice@a", "call-2", 7)).await;
    let refused = alice.expect(json!({"Code": 480})).await;
    alice.send(&ack(&refused, 8)).await;
    let message = request("MESSAGE", "x", "alice@a", "d4", 1);
    alice.send(&fields(message, json!({"Router": "x@rtc.test;type=nothing"}))).await;
    alice.expect(json!({"Code": 404})).await;
    server.until_all(&[("dialogs", 0), ("tasks", 0), ("connections", 2)]).await;
    assert_eq!(server.curl("GET", "/runtime/v1/nothing").await.0, 404);

    let after = metrics(&server).await;
    let during = |name: &str| during.get(name).copied().unwrap_or_default();
    assert_eq!(during("rtcd_sessions"), 2.0);
    assert_eq!(during(r#"rtcd_service_tasks{service="call",implementation="call"}"#), 1.0);
    let grown = |name: &str| {
        after.get(name).copied().unwrap_or_default() - before.get(name).copied().unwrap_or_default()
    };
    for (name, by) in [
        ("rtcd_connections", 2.0),
        ("rtcd_dialogs", 0.0),
        (r#"rtcd_upgrades_total{status="101"}"#, 2.0),
        (r#"rtcd_final_responses_total{from="peer",method="MESSAGE",class="2xx"}"#, 3.0),
        (r#"rtcd_final_responses_total{from="peer",method="MESSAGE",class="4xx"}"#, 1.0),
        (r#"rtcd_final_responses_total{from="peer",method="INVITE",class="2xx"}"#, 1.0),
        (r#"rtcd_final_responses_total{from="peer",method="INVITE",class="4xx"}"#, 1.0),
        (r#"rtcd_final_responses_total{from="peer",method="BYE",class="2xx"}"#, 1.0),
        (r#"rtcd_final_responses_total{from="application",method="INVITE",class="2xx"}"#, 1.0),
        (r#"rtcd_final_responses_total{from="application",method="BYE",class="2xx"}"#, 1.0),
        (r#"rtcd_final_codes_total{from="peer",code="480"}"#, 1.0),
        (r#"rtcd_final_codes_total{from="peer",code="404"}"#, 1.0),
        (r#"rtcd_call_setup_seconds_count{from="peer"}"#, 1.0),
        (r#"rtcd_call_setup_seconds_count{from="application"}"#, 1.0),
        (r#"rtcd_call_setup_seconds_bucket{le="+Inf",from="peer"}"#, 1.0),
        (r#"rtcd_transaction_seconds_count{from="peer"}"#, 5.0),
        (r#"rtcd_dispatched_total{to="service"}"#, 5.0),
        (r#"rtcd_dispatched_total{to="refused"}"#, 1.0),
        ("rtcd_stack_bad_frames_total", 1.0),
        ("rtcd_stack_sessions_opened_total", 3.0),
        (r#"rtcd_service_tasks_ended_total{service="call",implementation="call"}"#, 2.0),
        (r#"rtcd_service_tasks{service="call",implementation="call"}"#, 0.0),
        (r#"rtcd_api_calls_total{api="runtime.v1",status="404"}"#, 1.0),
    ] {
        assert_eq!(grown(name), by, "{name}\n{after:#?}");
    }
    assert!(grown("rtcd_stack_frames_received_total") >= 12.0);
    assert!(after["process_resident_memory_bytes"] > 1e6 && after["process_open_fds"] > 4.0);
    server.end_with([alice, bob]).await;
}
