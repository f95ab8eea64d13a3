//! The access log: one JSON object for each request.
//!
//! A line is written when the answer has gone; that of a WebSocket, when it is open: with status 101 and the time that the upgrade
//! took. What no HTTP request can be read from leaves no line.

use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, Request, header};
use serde::Serialize;
use tokio::time::Instant;

use crate::logs::LogFile;

/// The status of a request whose client has gone before there was an answer.
const GONE: u16 = 499;

/// A longer field is cut.
const LONGEST: usize = 1024;

/// The access log of a side.
pub(crate) type AccessLog = LogFile;

/// Opens the file that a setting names, if it names one.
pub(crate) fn access_log(path: &Path) -> std::io::Result<Option<AccessLog>> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    LogFile::open(path).map(Some)
}

/// The line of a request that is under way. It is written when this is dropped.
pub(super) struct Line {
    log: AccessLog,
    began: Instant,
    fields: Fields,
}

#[derive(Serialize)]
struct Fields {
    remote_addr: String,
    request_time: String,
    request_method: String,
    host: String,
    request_uri: String,
    protocol: String,
    referrer: String,
    user_agent: String,
    status: u16,
    elapsed_time: f64,
    send_bytes: u64,
}

impl Line {
    pub(super) fn begin<B>(log: AccessLog, client: SocketAddr, request: &Request<B>) -> Self {
        let headers = request.headers();
        #[expect(clippy::disallowed_methods, reason = "shown to people; no decision depends on it")]
        let now = SystemTime::now();
        let fields = Fields {
            remote_addr: client.to_string(),
            request_time: humantime::format_rfc3339_millis(now).to_string(),
            request_method: cut(request.method().as_str()),
            host: field(headers, header::HOST),
            request_uri: cut(&request.uri().to_string()),
            protocol: format!("{:?}", request.version()),
            referrer: field(headers, header::REFERER),
            user_agent: field(headers, header::USER_AGENT),
            status: GONE,
            elapsed_time: 0.0,
            send_bytes: 0,
        };
        Self { log, began: Instant::now(), fields }
    }

    /// There is an answer.
    pub(super) fn answered(&mut self, status: u16) {
        self.fields.status = status;
    }

    /// So many more bytes of its body have gone.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.fields.send_bytes += bytes as u64;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Finer than a microsecond tells nothing.
        self.fields.elapsed_time = self.began.elapsed().as_micros() as f64 / 1e6;
        // Text and numbers always serialise.
        if let Ok(line) = serde_json::to_vec(&self.fields) {
            self.log.write_line(&line);
        }
    }
}

fn field(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).map(|value| cut(&String::from_utf8_lossy(value.as_bytes()))).unwrap_or_default()
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()
}
