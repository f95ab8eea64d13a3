//! `rtest load` in a process of its own, so that its CPU time does not mix with that of the bench.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::BenchError;
use super::place::Place;
use super::server::Server;
use crate::load::Report;

#[derive(Debug)]
pub(super) struct Maker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    json: PathBuf,
    arguments: String,
}

impl Maker {
    /// Starts `rtest load` with `arguments`, separated by blanks, against `server`.
    pub(super) fn start(place: &Place, server: &Server, arguments: String) -> Result<Self, BenchError> {
        let json = place.file("json");
        let mut command = place.load();
        command.args(["--url", &server.url, "--pid", &server.id().to_string(), "--json"]).arg(&json);
        command.args(arguments.split_whitespace()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(BenchError::io("start the load maker"))?;
        let Some(output) = child.stdout.take() else {
            return Err(BenchError::Load { arguments, said: String::new() });
        };
        Ok(Self { child, lines: BufReader::new(output).lines(), json, arguments })
    }

    /// Waits until its connections are open and units begin.
    pub(super) async fn begun(&mut self) -> Result<(), BenchError> {
        match self.lines.next_line().await {
            Ok(Some(line)) if line.ends_with("connections") => Ok(()),
            _ => Err(self.failed().await),
        }
    }

    /// Waits for its end.
    pub(super) async fn report(mut self) -> Result<Report, BenchError> {
        while let Ok(Some(_)) = self.lines.next_line().await {}
        // Its status says whether there were errors, and so does the report.
        let ended = self.child.wait().await;
        ended.map_err(BenchError::io("wait for the load maker"))?;
        let text = std::fs::read_to_string(&self.json).unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(report) => Ok(report),
            Err(_) => Err(self.failed().await),
        }
    }

    async fn failed(&mut self) -> BenchError {
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            // What cannot be read is not told.
            let _ = errors.read_to_string(&mut said).await;
        }
        BenchError::Load { arguments: self.arguments.clone(), said }
    }
}
