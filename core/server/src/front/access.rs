//! The access log: one JSON object for each request.
//!
//! A line is written when the answer has gone; that of a WebSocket, when it is open: with status 101 and the time that the upgrade
//! took. What no HTTP request can be read from leaves no line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, Request, header};
use tokio::time::Instant;

use crate::logs::{LogFile, json_string};

/// The status of a request whose client has gone before there was an answer.
const GONE: u16 = 499;

/// The line of a request that is under way. It is written when this is dropped.
#[derive(Debug)]
pub(super) struct Line {
    log: LogFile,
    began: Instant,
    /// What was known when it began.
    text: String,
    status: u16,
    bytes: u64,
}

impl Line {
    pub(super) fn begin<B>(log: LogFile, client: SocketAddr, request: &Request<B>) -> Self {
        let headers = request.headers();
        #[expect(clippy::disallowed_methods, reason = "shown to people; no decision depends on it")]
        let now = SystemTime::now();
        let text = format!(
            r#"{{"remote_addr":"{client}","request_time":"{}","request_method":{},"host":{},"request_uri":{},"protocol":"{:?}","referrer":{},"user_agent":{}"#,
            humantime::format_rfc3339_millis(now),
            json_string(request.method()),
            json_string(field(headers, header::HOST)),
            json_string(request.uri()),
            request.version(),
            json_string(field(headers, header::REFERER)),
            json_string(field(headers, header::USER_AGENT)),
        );
        Self { log, began: Instant::now(), text, status: GONE, bytes: 0 }
    }

    /// There is an answer.
    pub(super) fn answered(&mut self, status: u16) {
        self.status = status;
    }

    /// So many more bytes of its body have gone.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { log, began, text, status, bytes } = self;
        let seconds = began.elapsed().as_secs_f64();
        // Writing to a string does not fail.
        let _ = write!(text, r#","status":{status},"elapsed_time":{seconds:.6},"send_bytes":{bytes}}}"#);
        log.write_line(text.as_bytes());
    }
}

fn field(headers: &HeaderMap, name: HeaderName) -> Cow<'_, str> {
    headers.get(name).map_or(Cow::Borrowed(""), |value| String::from_utf8_lossy(value.as_bytes()))
}
