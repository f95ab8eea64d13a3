//! A server in a process of its own.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::BenchError;
use super::place::Place;
use crate::dial::Dial;
use crate::frames::{Frame, Frames};

/// How long a line or the first answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The reference server.
    Echo,
    /// rtcd as it comes.
    Rtcd,
    /// rtcd with so many worker threads.
    Threads(usize),
}

#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Without a user.
    pub(super) url: String,
    since: Instant,
}

impl Server {
    /// Starts it, and waits until it has said where it listens.
    pub(super) async fn start(place: &Place, target: Target) -> Result<Self, BenchError> {
        let mut command = match target {
            Target::Echo => place.echo(),
            Target::Rtcd | Target::Threads(_) => place.server(),
        };
        command.env_remove("TOKIO_WORKER_THREADS");
        if let Target::Threads(threads) = target {
            command.env("TOKIO_WORKER_THREADS", threads.to_string());
        }
        let said = place.file("log");
        let log = File::create(&said).map_err(BenchError::io("make a log file"))?;
        Self::spawn(command.stderr(Stdio::from(log)), &said).await
    }

    async fn spawn(command: &mut Command, said: &Path) -> Result<Self, BenchError> {
        let since = Instant::now();
        let mut child = command.spawn().map_err(BenchError::io("start a server"))?;
        let output = child.stdout.take().map(BufReader::new);
        let mut lines = output.ok_or_else(|| BenchError::not_started(said))?.lines();
        let url = loop {
            match tokio::time::timeout(PATIENCE, lines.next_line()).await {
                Ok(Ok(Some(line))) => match url_in(&line) {
                    Some(url) => break url,
                    None => continue,
                },
                Ok(Ok(None) | Err(_)) | Err(_) => return Err(BenchError::not_started(said)),
            }
        };
        // What it says later must find a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, url, since })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        // It has one as long as nobody has waited for it.
        self.child.id().unwrap_or(0)
    }

    /// Sends a MESSAGE and waits for its answer: how long that is after the process was started.
    pub(super) async fn first_answer(&self) -> Result<Duration, BenchError> {
        let silent = |problem: String| BenchError::Silent(problem);
        let url = format!("{}?userid=first@bench.local", self.url);
        let socket = Dial::default().open(&url).await.map_err(|error| silent(error.to_string()))?;
        let mut frames = Frames::new(socket);
        let message = json!({"Type": "MESSAGE", "Request-URI": "Recv_MESSAGE", "From": "first@bench.local",
            "To": "Recv_MESSAGE", "DialogueID": "first", "CSeq": 1, "Router": "x@h;type=conformance"});
        frames.send(message.to_string()).await.map_err(|error| silent(error.to_string()))?;
        match frames.next(Some(PATIENCE)).await {
            Ok(Frame::Text(text)) if text.contains(r#""Code":200"#) => Ok(self.since.elapsed()),
            other => Err(silent(format!("{other:?}"))),
        }
    }

    /// Ends it at once.
    pub(super) async fn stop(mut self) -> Result<(), BenchError> {
        self.child.kill().await.map_err(BenchError::io("stop a server"))
    }
}

/// Where clients connect, if a server says it in this line: `listening on ADDR`, or a line with the URL.
fn url_in(line: &str) -> Option<String> {
    if let Some(address) = line.strip_prefix("listening on ") {
        return Some(format!("ws://{address}/rtc"));
    }
    let url = line.get(line.find("ws://")?..)?;
    Some(url.split('?').next().unwrap_or(url).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_server_listens() {
        for (line, url) in [
            ("listening on 127.0.0.1:81", Some("ws://127.0.0.1:81/rtc")),
            ("  clients:  ws://127.0.0.1:80/rtc?userid=NAME", Some("ws://127.0.0.1:80/rtc")),
            ("rtcd 0.1.0 is up", None),
        ] {
            assert_eq!(url_in(line).as_deref(), url);
        }
    }
}
