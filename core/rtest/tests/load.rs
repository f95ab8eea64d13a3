//! The load maker against a small server of its own kind: every unit is answered, so there must be no error.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use rtest::cli::{Cli, Command};
use rtest::{LoadOptions, Report, Transcript, load};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

type Outbox = mpsc::UnboundedSender<String>;

/// Answers calls and messages, passes calls on to the user that they are for, and has one room.
struct Hub {
    state: Mutex<State>,
    /// Final responses seen or sent, and pongs.
    answered: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    users: HashMap<String, Outbox>,
    /// Who opened a dialog.
    openers: HashMap<String, String>,
    members: Vec<String>,
    deliveries: u64,
}

impl Hub {
    /// Starts a hub; gives its address.
    async fn start() -> (Arc<Self>, String) {
        let hub = Arc::new(Self { state: Mutex::default(), answered: watch::Sender::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/rtc", listener.local_addr().unwrap());
        let serving = Arc::clone(&hub);
        tokio::spawn(async move {
            loop {
                tokio::spawn(serve(Arc::clone(&serving), listener.accept().await.unwrap().0));
            }
        });
        (hub, url)
    }

    async fn answers(&self, count: u64) {
        self.answered.subscribe().wait_for(|answered| *answered >= count).await.unwrap();
    }

    fn handle(&self, user: &str, text: &str) {
        let message: Value = serde_json::from_str(text).unwrap();
        let state = &mut *self.state.lock().unwrap();
        let reply = |code: u16| {
            self.answered.send_modify(|count| *count += u64::from(code >= 200));
            let answer = json!({"Type": "RESPONSE", "Code": code, "Desc": "", "From": message["From"],
                "To": message["To"], "DialogueID": message["DialogueID"], "CSeq": message["CSeq"]});
            state.users[user].send(answer.to_string()).unwrap();
        };
        let dialog = message["DialogueID"].as_str().unwrap().to_owned();
        let uri = message["Request-URI"].as_str().unwrap_or_default();
        match (message["Type"].as_str().unwrap(), uri) {
            ("RESPONSE", _) => {
                self.answered.send_modify(|count| *count += 1);
                if let Some(opener) = state.openers.get(&dialog) {
                    state.users[opener].send(text.to_owned()).unwrap();
                }
            }
            ("MESSAGE", "Recv_MESSAGE") | ("INFO" | "BYE", "Recv_INFO" | "Recv_INVITE_Session_Timeout") => {
                reply(200);
            }
            ("INVITE", "Recv_FULL") => reply(503),
            ("INVITE", "Recv_INFO" | "Recv_INVITE_Session_Timeout") => {
                reply(180);
                reply(200);
            }
            ("ACK", "Recv_FULL" | "Recv_INFO" | "Recv_INVITE_Session_Timeout") => {
                assert_eq!(message["RelatedID"], 1)
            }
            ("SUBSCRIBE", _) => {
                assert_eq!(message["P-Asserted-Identity"], user);
                reply(200);
                state.members.retain(|member| member != user);
                if message["Expire"] != 0 {
                    state.members.push(user.to_owned());
                }
            }
            ("MESSAGE", _) => {
                reply(200);
                for member in state.members.iter().filter(|member| *member != user) {
                    state.deliveries += 1;
                    let mut copy = message.clone();
                    copy["DialogueID"] = format!("delivery-{}", state.deliveries).into();
                    state.users[member].send(copy.to_string()).unwrap();
                }
            }
            (_, callee) => {
                state.openers.entry(dialog).or_insert_with(|| user.to_owned());
                state.users[callee].send(text.to_owned()).unwrap();
            }
        }
    }
}

#[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
async fn serve(hub: Arc<Hub>, stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut user = String::new();
    let mut socket = accept_hdr_async(stream, |request: &Request, response: Response| {
        user = request.uri().query().unwrap().strip_prefix("userid=").unwrap().to_owned();
        Ok(response)
    })
    .await
    .unwrap();
    socket.send(Message::Ping("1".into())).await.unwrap();
    let (outbox, mut mail) = mpsc::unbounded_channel();
    hub.state.lock().unwrap().users.insert(user.clone(), outbox);
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => hub.handle(&user, text.as_str()),
                Some(Ok(Message::Pong(_))) => hub.answered.send_modify(|count| *count += 1),
                Some(Ok(_)) => {}
                _ => return,
            },
            Some(text) = mail.recv() => socket.send(Message::text(text)).await.unwrap(),
        }
    }
}

fn options(url: &str, args: &[&str]) -> LoadOptions {
    let all = ["rtest", "load", "--warmup", "0", "--seconds", "600", "--url", url];
    match Cli::try_parse_from(all.iter().chain(args)).unwrap().command {
        Some(Command::Load(options)) => options,
        other => unreachable!("{other:?}"),
    }
}

/// Makes load until the hub has seen 200 answers.
async fn run(args: &[&str]) -> (Arc<Hub>, Report) {
    let (hub, url) = Hub::start().await;
    let until = hub.answers(200);
    let report = load(options(&url, args), &Transcript::new(|_| ()), until).await.unwrap();
    assert_eq!((report.errors, &report.error_kinds), (0, &Default::default()));
    (hub, report)
}

#[tokio::test]
async fn messages_closed_and_open() {
    let (_, report) = run(&["--work", "message", "--connections", "4", "--in-flight", "3"]).await;
    assert!(report.units > 0 && report.connected == 4, "{report:?}");
    let (_, report) = run(&["--work", "message", "--connections", "4", "--rate", "5000"]).await;
    assert!(report.units > 0 && report.latency.max_ms > 0.0, "{report:?}");
}

#[tokio::test]
async fn calls_with_the_server() {
    let (_, report) = run(&["--work", "call", "--connections", "4", "--spread"]).await;
    assert!(report.units > 0, "{report:?}");
}

#[tokio::test]
async fn units_in_calls_that_are_up() {
    let (_, report) = run(&["--work", "session", "--connections", "3", "--rate", "5000"]).await;
    assert!(report.units > 0, "{report:?}");
}

#[tokio::test]
async fn refusals_are_no_errors() {
    let (_, report) = run(&["--work", "call", "--to", "Recv_FULL", "--refusals"]).await;
    let refused = report.refused.unwrap();
    assert!(report.units == 0 && refused.units > 0 && refused.latency.max_ms > 0.0, "{report:?}");
}

#[tokio::test]
async fn calls_between_users() {
    let (hub, report) = run(&["--work", "call2", "--connections", "6", "--name", "x"]).await;
    assert!(report.units > 0, "{report:?}");
    let mut users: Vec<_> = hub.state.lock().unwrap().users.keys().cloned().collect();
    users.sort();
    let expected = ["a1", "a2", "a3", "b1", "b2", "b3"].map(|user| format!("{user}-x@load.local"));
    assert_eq!(users, expected);
}

#[tokio::test]
async fn a_room_which_all_leave() {
    let (hub, report) =
        run(&["--work", "chat", "--connections", "5", "--senders", "2", "--in-flight", "2"]).await;
    assert!(report.units > 0, "{report:?}");
    assert_eq!(hub.state.lock().unwrap().members, Vec::<String>::new());
}

#[tokio::test]
async fn idle_connections_have_sent_one_message_each_and_answer_pings() {
    let (hub, url) = Hub::start().await;
    let until = hub.answers(7 + 7);
    let options = options(&url, &["--work", "idle", "--connections", "7"]);
    let report = load(options, &Transcript::new(|_| ()), until).await.unwrap();
    assert_eq!((report.errors, report.connected), (0, 7));
}

#[tokio::test]
async fn the_json_file_has_the_report() {
    let (hub, url) = Hub::start().await;
    let dir = std::env::temp_dir().join(format!("rtest-load-{}", std::process::id()));
    let path = dir.to_str().unwrap();
    let pid = std::process::id().to_string();
    let options = options(&url, &["--json", path, "--pid", &pid]);
    load(options, &Transcript::new(|_| ()), hub.answers(200)).await.unwrap();
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(written["units"].as_u64() > Some(0));
    assert_eq!(written["server"]["pid"], std::process::id());
    let names: Vec<&String> = written.as_object().unwrap().keys().collect();
    insta::assert_debug_snapshot!(names);
}

#[tokio::test]
async fn errors_that_stop_a_run() {
    let fail = async |args: &[&str]| {
        let options = options("ws://127.0.0.1:1/rtc", args);
        load(options, &Transcript::new(|_| ()), std::future::pending()).await.unwrap_err().to_string()
    };
    let mut texts = Vec::new();
    for args in [
        &[][..],
        &["--work", "chat", "--connections", "1"],
        &["--work", "chat", "--connections", "2", "--senders", "3"],
        &["--work", "call2", "--connections", "3"],
        &["--work", "idle", "--rate", "1"],
        &["--pid", "4194305"],
    ] {
        texts.push(fail(args).await);
    }
    insta::assert_snapshot!(texts.join("\n"));
}
