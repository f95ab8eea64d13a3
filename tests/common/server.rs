//! A server in this process, on ports of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtcd as _;
use rtcd_server::{Config, Ended, Logs, Server, Signal, Source, Text};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use super::{Client, PATIENCE};

/// What a test's server is made from.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    settings: serde_yaml::Value,
    routes: String,
    services: Vec<(&'static str, String)>,
    logs: Option<Logs>,
}

/// The files of a test, which it may change while the server runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(Arc<Mutex<BTreeMap<String, String>>>);

impl Files {
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.0.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}

impl Source for Files {
    fn read(&self, name: &str) -> std::io::Result<Option<Text>> {
        let text = self.0.lock().unwrap().get(name).cloned();
        Ok(text.map(|text| Text { file: name.to_owned(), text }))
    }
}

/// A number for each folder of this process.
static FOLDERS: AtomicU32 = AtomicU32::new(0);

fn state_dir() -> PathBuf {
    let number = FOLDERS.fetch_add(1, Relaxed);
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// Ports of its own, a realm for snapshots, little patience with what has ended, and none is refused because the machine is slow.
const SETTINGS: &str = "
rtc: {listen: '127.0.0.1:0'}
api: {listen: '127.0.0.1:0'}
jsip: {realm: rtc.test, linger: 300ms, away_grace: 300ms}
limits: {overload: 0s}
";

/// A disk that others use as well may take its time.
const STORE: &str = "timeout: 60s";

/// The routing table of a test that names none.
pub(crate) const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, call: call}
routes:
  - {when: {method: INVITE, request_uri: '*@*'}, slp: call}
apis: {}
hops: []
";

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            settings: serde_yaml::from_str(SETTINGS).unwrap(),
            routes: ROUTES.to_owned(),
            services: vec![("store", STORE.to_owned())],
            logs: None,
        }
    }

    /// Settings over the ones so far, as `rtcd.yaml` has them.
    pub(crate) fn settings(mut self, yaml: &str) -> Self {
        merge(&mut self.settings, serde_yaml::from_str(yaml).unwrap());
        self
    }

    /// Another routing table.
    pub(crate) fn routes(mut self, yaml: &str) -> Self {
        self.routes = yaml.to_owned();
        self
    }

    /// The settings of a service.
    pub(crate) fn service(mut self, name: &'static str, yaml: &str) -> Self {
        self.services.push((name, yaml.to_owned()));
        self
    }

    /// Logs that it reloads and opens again.
    pub(crate) fn logs(mut self, logs: Logs) -> Self {
        self.logs = Some(logs);
        self
    }

    pub(crate) async fn start(self) -> TestServer {
        start_logs();
        let state_dir = state_dir();
        let own = format!("server: {{state_dir: '{}'}}", state_dir.display());
        let setup = self.settings(&own);
        let files = Files::default();
        files.write("conf/rtcd.yaml", &serde_yaml::to_string(&setup.settings).unwrap());
        files.write("routes.yaml", &setup.routes);
        for (name, text) in setup.services {
            files.write(&format!("conf/{name}.yaml"), &text);
        }
        let config = Config::load(Arc::new(files.clone())).unwrap();
        let server = Server::bind_with(config, setup.logs.unwrap_or_else(Logs::none)).await.unwrap();
        let (rtc, api) = (server.rtc_address().unwrap(), server.api_address().unwrap());
        let (rtc_tls, api_tls) = (server.rtc_tls_address().unwrap(), server.api_tls_address().unwrap());
        let (signals, received) = mpsc::channel(16);
        let run = tokio::spawn(server.run(received));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        TestServer { rtc, api, rtc_tls, api_tls, files, signals, run, http, state_dir }
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct TestServer {
    pub(crate) rtc: SocketAddr,
    pub(crate) api: SocketAddr,
    pub(crate) rtc_tls: Option<SocketAddr>,
    pub(crate) api_tls: Option<SocketAddr>,
    /// What it reads when it reloads.
    pub(crate) files: Files,
    signals: mpsc::Sender<Signal>,
    run: JoinHandle<Ended>,
    http: reqwest::Client,
    state_dir: PathBuf,
}

impl TestServer {
    /// One with the settings of all tests.
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    /// Where a user connects.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("ws://{}/rtc?userid={user}", self.rtc)
    }

    /// A client for what the other functions do not do.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Asks the API side: status and JSON.
    pub(crate) async fn api(&self, method: &str, path: &str) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .http
            .request(method, format!("http://{}{path}", self.api))
            .header("Accept", "application/json");
        let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// What a GET with a token answers, in JSON.
    pub(crate) async fn api_with(&self, path: &str, token: &str) -> Value {
        let request = self.http.get(format!("http://{}{path}", self.api)).bearer_auth(token);
        let response = request.header("Accept", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Asks the API side as `curl` does: status and text.
    pub(crate) async fn curl(&self, method: &str, path: &str) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("http://{}{path}", self.api));
        let response = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// What there is now.
    pub(crate) async fn jstack(&self) -> Value {
        let (status, answer) = self.api("GET", "/runtime/v1/jstack").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Waits until a count of `jstack` is this.
    pub(crate) async fn until(&self, name: &str, count: i64) {
        self.until_all(&[(name, count)]).await;
    }

    /// Waits until nothing is left of what clients have done, and of the clients.
    pub(crate) async fn settled(&self) {
        self.until_all(
            &["connections", "peers", "dialogs", "sessions", "transactions", "lingering", "queued", "tasks"]
                .map(|name| (name, 0)),
        )
        .await;
    }

    /// Waits until a name is bound to an implementation.
    pub(crate) async fn until_bound(&self, name: &str, implementation: &str) {
        let mut tick = interval(Duration::from_millis(10));
        let bound = timeout(PATIENCE, async {
            loop {
                tick.tick().await;
                let (_, listing) = self.api("GET", "/slpm/v1/slps").await;
                let slps = listing["slps"].as_array().unwrap();
                if slps.iter().any(|slp| slp["slp"] == name && slp["implementation"] == implementation) {
                    break;
                }
            }
        });
        bound.await.unwrap();
    }

    pub(crate) async fn until_all(&self, counts: &[(&str, i64)]) {
        let mut tick = interval(Duration::from_millis(10));
        let mut seen = Value::Null;
        let waited = timeout(PATIENCE, async {
            loop {
                tick.tick().await;
                seen = self.jstack().await;
                if counts.iter().all(|(name, count)| seen[*name] == *count) {
                    break;
                }
            }
        });
        if waited.await.is_err() {
            panic!("never {counts:?}: {seen:#}");
        }
    }

    /// The end of most tests: no dialog is left, these clients have nothing more to read, and with them all goes.
    pub(crate) async fn end_with(self, clients: impl IntoIterator<Item = Client>) {
        self.until_all(&["dialogs", "sessions", "transactions", "tasks"].map(|name| (name, 0))).await;
        for client in clients {
            client.close().await;
        }
        self.end().await;
    }

    /// The end of each test: nothing may be left; then the server stops.
    pub(crate) async fn end(self) {
        self.settled().await;
        self.stop().await;
    }

    /// Stops, whatever is still there.
    pub(crate) async fn stop(self) {
        self.signal(Signal::Stop).await;
        self.ended().await;
    }

    /// Tells the server something.
    pub(crate) async fn signal(&self, signal: Signal) {
        self.signals.send(signal).await.unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) -> Ended {
        let ended = timeout(PATIENCE, self.run).await.unwrap().unwrap();
        let _ = std::fs::remove_dir_all(self.state_dir);
        ended
    }
}

/// `RUST_LOG=debug cargo test … -- --nocapture` shows what the server does.
fn start_logs() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive("off".parse().unwrap())
        .from_env_lossy();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}

fn merge(into: &mut serde_yaml::Value, from: serde_yaml::Value) {
    match (into, from) {
        (serde_yaml::Value::Mapping(into), serde_yaml::Value::Mapping(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(serde_yaml::Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
