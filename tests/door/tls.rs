//! TLS on both ports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rcgen::generate_simple_self_signed;
use rtcd_server::{Config, Server, Signal, StartError, check};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::common::{Files, PATIENCE, Setup, TEXT, TestServer, answer, masked, request};
use crate::http::{self, ask, closed, counter, folder, not_let_in, tcp};

/// A certificate and its key, as files of a folder.
struct Issued {
    der: CertificateDer<'static>,
    cert: String,
    key: String,
}

impl Issued {
    fn new() -> Self {
        let issued = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self {
            der: issued.cert.der().clone(),
            cert: issued.cert.pem(),
            key: issued.signing_key.serialize_pem(),
        }
    }

    fn write(&self, files: &Pair) {
        std::fs::write(&files.cert, &self.cert).unwrap();
        std::fs::write(&files.key, &self.key).unwrap();
    }
}

/// Where a side's certificate lies.
struct Pair {
    folder: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        Self { cert: folder.join("cert.pem"), key: folder.join("key.pem"), folder }
    }

    fn settings(&self) -> String {
        let side = format!(
            "{{tlslisten: '127.0.0.1:0', cert: '{}', key: '{}', clientheadertimeout: 500ms}}",
            self.cert.display(),
            self.key.display()
        );
        format!("rtc: {side}\napi: {side}")
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn connector(trusted: &[&Issued]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for issued in trusted {
        roots.add(issued.der.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn connect(connector: &TlsConnector, address: SocketAddr) -> TlsStream<TcpStream> {
    let connecting = connector.connect("localhost".try_into().unwrap(), tcp(address).await);
    timeout(PATIENCE, connecting).await.unwrap().unwrap()
}

/// The certificate that a new connection sees.
async fn shown(connector: &TlsConnector, address: SocketAddr) -> CertificateDer<'static> {
    let stream = connect(connector, address).await;
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn socket(connector: &TlsConnector, server: &TestServer, user: &str) -> Socket {
    let stream = connect(connector, server.rtc_tls.unwrap()).await;
    let (socket, _) = client_async(format!("wss://localhost/rtc?userid={user}"), stream).await.unwrap();
    socket
}

/// Sends a request and waits for its 200.
async fn exchange(socket: &mut Socket, user: &str, number: u64) {
    let message = request("MESSAGE", "Recv_MESSAGE", user, &format!("dialog-{number}"), 1);
    socket.send(Message::text(message.to_string())).await.unwrap();
    let expected = answer(&message, 200);
    let answered = async {
        loop {
            if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
                let response: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(response["Code"], 200, "{response}");
                assert_eq!(response["DialogueID"], expected["DialogueID"]);
                return;
            }
        }
    };
    timeout(PATIENCE, answered).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ports_speak_it_beside_plain_ones() {
    let (files, issued) = (Pair::new("both"), Issued::new());
    issued.write(&files);
    let server = Setup::new().settings(&files.settings()).start().await;
    let connector = connector(&[&issued]);
    let get = "GET /apim/v1/apis HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut api = connect(&connector, server.api_tls.unwrap()).await;
    assert_eq!(api.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(ask(&mut api, get).await.status, 200);
    assert_eq!(ask(&mut tcp(server.api).await, get).await.status, 200);
    let mut secure = socket(&connector, &server, "secure@a").await;
    exchange(&mut secure, "secure@a", 1).await;
    let plain = crate::common::Client::connect(&server, "plain@a").await;
    secure.close(None).await.unwrap();
    while secure.next().await.is_some() {}
    drop(secure);
    server.end_with([plain]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_with_the_request_is_not_lost() {
    let (files, issued) = (Pair::new("early"), Issued::new());
    issued.write(&files);
    let server = Setup::new().settings(&files.settings()).start().await;
    let mut stream = connect(&connector(&[&issued]), server.rtc_tls.unwrap()).await;
    let mut both = http::upgrade("a@a", "").into_bytes();
    for number in 0..20 {
        let message = request("MESSAGE", "Recv_MESSAGE", "a@a", &format!("d{number}"), 1);
        both.extend(masked(TEXT, &message.to_string()));
    }
    stream.write_all(&both).await.unwrap();
    assert_eq!(http::answer(&mut stream).await.status, 101);
    let mut seen = Vec::new();
    let read = async {
        while (0..20).any(|number| {
            let dialog = format!("\"d{number}\"");
            !String::from_utf8_lossy(&seen).contains(&dialog)
        }) {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
        }
    };
    timeout(PATIENCE, read).await.unwrap();
    drop(stream);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_tls_is_closed() {
    let (files, issued) = (Pair::new("none"), Issued::new());
    issued.write(&files);
    let server = Setup::new().settings(&files.settings()).start().await;
    for address in [server.rtc_tls.unwrap(), server.api_tls.unwrap()] {
        closed(&mut tcp(address).await).await;
        let mut plain = tcp(address).await;
        plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut alert = Vec::new();
        let _ = timeout(PATIENCE, plain.read_to_end(&mut alert)).await.unwrap();
        assert!(!alert.starts_with(b"HTTP"));
        let mut half = tcp(address).await;
        half.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
        closed(&mut half).await;
        // Nobody trusts it.
        let connecting = connector(&[]).connect("localhost".try_into().unwrap(), tcp(address).await);
        assert!(timeout(PATIENCE, connecting).await.unwrap().is_err());
    }
    let mut tick = interval(Duration::from_millis(10));
    let all = timeout(PATIENCE, async {
        while not_let_in(&server, "tls").await < 8 {
            tick.tick().await;
        }
    });
    all.await.unwrap();
    server.end().await;
}

/// Exchanges without a pause, until it is told to stop.
async fn keep_talking(mut socket: Socket, user: String, stop: Arc<AtomicBool>, count: Arc<AtomicU64>) {
    let mut number = 0;
    while !stop.load(Relaxed) {
        exchange(&mut socket, &user, number).await;
        count.fetch_add(1, Relaxed);
        number += 1;
    }
    socket.close(None).await.unwrap();
    while let Some(frame) = socket.next().await {
        frame.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_under_load_drops_nobody() {
    let (files, old, new) = (Pair::new("swap"), Issued::new(), Issued::new());
    old.write(&files);
    let server = Setup::new().settings(&files.settings()).start().await;
    let address = server.rtc_tls.unwrap();
    let connector = connector(&[&old, &new]);
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut talking = Vec::new();
    for number in 0..20 {
        let user = format!("user-{number}@a");
        let socket = socket(&connector, &server, &user).await;
        talking.push(tokio::spawn(keep_talking(socket, user, stop.clone(), count.clone())));
    }
    for turn in 0..10 {
        let issued = if turn % 2 == 0 { &new } else { &old };
        let before = count.load(Relaxed);
        issued.write(&files);
        server.signal(Signal::Reload).await;
        let swapped = timeout(PATIENCE, async {
            while shown(&connector, address).await != issued.der || count.load(Relaxed) == before {}
        });
        swapped.await.expect("the old certificate is still shown");
        assert_eq!(shown(&connector, server.api_tls.unwrap()).await, issued.der);
    }
    stop.store(true, Relaxed);
    for talking in talking {
        talking.await.unwrap();
    }
    println!("{} exchanges, none lost", count.load(Relaxed));
    server.end().await;
}

/// Reloads, and waits until it has failed.
async fn reload_in_vain(server: &TestServer) -> Vec<String> {
    let bad = "rtcd_reloads_total{result=\"bad\"}";
    let before = counter(server, bad).await;
    server.signal(Signal::Reload).await;
    let mut tick = interval(Duration::from_millis(10));
    let failed = timeout(PATIENCE, async {
        while counter(server, bad).await == before {
            tick.tick().await;
        }
    });
    failed.await.expect("never reloaded");
    let (_, config) = server.api("GET", "/runtime/v1/config").await;
    serde_json::from_value(config["reloads"]["problems"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_certificate_changes_nothing() {
    let (files, good, other) = (Pair::new("bad"), Issued::new(), Issued::new());
    good.write(&files);
    let server = Setup::new().settings(&files.settings()).start().await;
    let connector = connector(&[&good, &other]);
    let mut up = socket(&connector, &server, "up@a").await;
    let mut told = String::new();
    let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for (name, cert, key) in [
        ("the key of another", &*good.cert, &*other.key),
        ("no key", &good.cert, ""),
        ("no certificate", "", &good.key),
        ("no PEM", "-----BEGIN CERTIFICATE-----\n*\n", "-----BEGIN PRIVATE KEY-----\n*\n"),
        ("half a file", &good.cert[..good.cert.len() / 2], &good.key),
        ("exchanged", &good.key, &good.cert),
        ("nonsense in PEM", no_certificate, &good.key),
    ] {
        // Something else that would change with it.
        let settings = server.files.text("conf/rtcd.yaml");
        server.files.write("conf/rtcd.yaml", &settings.replace("/rtc", "/other"));
        std::fs::write(&files.cert, cert).unwrap();
        std::fs::write(&files.key, key).unwrap();
        told += &format!("{name}:\n{}\n", reload_in_vain(&server).await.join("\n"));
        server.files.write("conf/rtcd.yaml", &settings);
        assert_eq!(shown(&connector, server.rtc_tls.unwrap()).await, good.der, "{name}");
        exchange(&mut up, "up@a", told.len() as u64).await;
    }
    std::fs::remove_file(&files.key).unwrap();
    told += &format!("missing:\n{}\n", reload_in_vain(&server).await.join("\n"));
    insta::assert_snapshot!(redacted(&told, &files.folder));
    // What is right again is taken.
    other.write(&files);
    server.signal(Signal::Reload).await;
    let taken =
        timeout(PATIENCE, async { while shown(&connector, server.rtc_tls.unwrap()).await != other.der {} });
    taken.await.unwrap();
    exchange(&mut up, "up@a", 0).await;
    up.close(None).await.unwrap();
    while up.next().await.is_some() {}
    drop(up);
    server.end().await;
}

fn redacted(text: &str, folder: &Path) -> String {
    let lines = regex::Regex::new(r"rtcd\.yaml:\d+").unwrap();
    lines
        .replace_all(&text.replace(&folder.display().to_string(), "<folder>"), "rtcd.yaml:<line>")
        .into_owned()
}

#[tokio::test]
async fn a_server_does_not_start_without_its_certificate() {
    let files = Pair::new("start");
    let source = Files::default();
    let state = format!("server: {{state_dir: '{}'}}", files.folder.display());
    let ports = files.settings().replace("{tls", "{listen: '127.0.0.1:0', tls");
    source.write("conf/rtcd.yaml", &format!("{state}\n{ports}\n"));
    source.write("routes.yaml", crate::common::ROUTES);
    let config = Config::load(Arc::new(source.clone())).unwrap();
    let error = Server::bind(config).await.unwrap_err();
    assert!(matches!(error, StartError::Config(_)));
    let checked = check(Arc::new(source)).await.unwrap_err();
    insta::assert_snapshot!(redacted(&format!("{error}\n---\n{checked}"), &files.folder));
}
