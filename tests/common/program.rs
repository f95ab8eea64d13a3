//! The program itself, in a process and a folder of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, interval, timeout};

use super::PATIENCE;

/// A folder of a test's own, below the build folder; it goes with the test if that ends well.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let name = format!("{test}-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("conf")).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.0.join(name), text).unwrap();
        self
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Settings for a program under test: ports of its own, state in its folder, none refused because the machine is slow.
pub(crate) const PORTS: &str =
    "rtc: {listen: '127.0.0.1:0'}\napi: {listen: '127.0.0.1:0'}\nlimits: {overload: 0s}\n";

const RTCD: &str = env!("CARGO_BIN_EXE_rtcd");

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    pub(crate) rtc: SocketAddr,
    pub(crate) api: SocketAddr,
    http: reqwest::Client,
    log: PathBuf,
    /// From exec to the greeting.
    pub(crate) started_in: Duration,
}

impl Program {
    /// Starts it in a folder, and waits until it listens.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Folder, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(RTCD);
        command.envs(environment.iter().copied());
        Self::run(folder, command)
    }

    /// One that may have so many open files.
    pub(crate) fn start_with_files(folder: &Folder, most: u32) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {most} && exec \"$0\""), RTCD]);
        Self::run(folder, command)
    }

    fn run(folder: &Folder, mut command: Command) -> Self {
        let path = folder.path().join("stderr.log");
        let log = std::fs::File::options().create(true).append(true).open(&path).unwrap();
        let since = Instant::now();
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C") {
            if output.read_line(&mut said).unwrap() == 0 {
                let log = std::fs::read_to_string(&path).unwrap_or_default();
                panic!("it did not start: {said}{log}");
            }
        }
        let started_in = since.elapsed();
        // What it says at its end must find a reader.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let address = |scheme: &str| -> SocketAddr {
            let rest = said.split(scheme).nth(1).unwrap();
            rest.split('/').next().unwrap().parse().unwrap()
        };
        let (rtc, api) = (address("ws://"), address("http://"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, rtc, api, http, log: path, started_in }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until its log has this text.
    pub(crate) async fn logged(&self, text: &str) {
        let mut tick = interval(Duration::from_millis(20));
        let waited = timeout(PATIENCE, async {
            while !std::fs::read_to_string(&self.log).unwrap_or_default().contains(text) {
                tick.tick().await;
            }
        });
        assert!(waited.await.is_ok(), "{text:?} was not logged");
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let wait = tokio::task::spawn_blocking(move || self.child.wait());
        timeout(PATIENCE, wait).await.unwrap().unwrap().unwrap()
    }

    /// Asks the API side: status and JSON.
    pub(crate) async fn api(&self, method: &str, path: &str) -> Result<(u16, Value), reqwest::Error> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{path}", self.api);
        let request = self.http.request(method, url).header("Accept", "application/json").timeout(PATIENCE);
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// Asks the API side as `curl` does: status and text.
    pub(crate) async fn curl(&self, method: &str, path: &str) -> (u16, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("http://{}{path}", self.api)).timeout(PATIENCE);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// How long a test of endurance runs: `RTCD_SECONDS`, or a few.
pub(crate) fn seconds() -> u64 {
    std::env::var("RTCD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}
