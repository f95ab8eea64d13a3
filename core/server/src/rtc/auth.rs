//! The authentication hook: another server says who is let in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::{Problem, RtcSettings, Settings};
use crate::control::Prepare;
use crate::front::refuse;
use crate::gauges::Gauges;
use crate::node::{RETRY_AFTER, http_client};

/// Lets connections in, or not.
#[derive(Debug)]
pub(crate) struct Gate {
    hook: ArcSwapOption<Hook>,
}

#[derive(Debug)]
struct Hook {
    url: reqwest::Url,
    patience: Duration,
    client: reqwest::Client,
    /// Questions that are open. A slow hook must not hold up the server.
    open: Semaphore,
}

impl Gate {
    /// # Errors
    /// If no HTTP client can be made, such as on a system without TLS roots.
    pub(crate) fn new(rtc: &RtcSettings) -> Result<Self, reqwest::Error> {
        Ok(Self { hook: ArcSwapOption::new(Hook::new(rtc)?) })
    }

    /// Asks the hook, if there is one. Whatever goes wrong, the connection is not let in.
    pub(super) async fn ask<B>(&self, remote: SocketAddr, request: &Request<B>) -> Result<(), NotLetIn> {
        let Some(hook) = self.hook.load_full() else { return Ok(()) };
        let Ok(_permit) = hook.open.try_acquire() else { return Err(NotLetIn::Busy) };
        let url = request.uri().path_and_query().map_or("", |path| path.as_str());
        let body = json!({
            "type": "ws",
            "remoteaddr": remote.to_string(),
            "url": url,
            "headers": headers(request.headers()),
        });
        let answer = timeout(hook.patience, hook.client.post(hook.url.clone()).json(&body).send()).await;
        match answer {
            Ok(Ok(response)) if response.status() == StatusCode::OK => Ok(()),
            Ok(Ok(_)) => Err(NotLetIn::Refused),
            Ok(Err(error)) => {
                // The URL may hold a secret.
                let error = error.without_url();
                tracing::warn!(%error, "authurl cannot be asked");
                Err(NotLetIn::Failed)
            }
            Err(_) => {
                tracing::warn!("authurl gave no answer in authtimeout");
                Err(NotLetIn::Failed)
            }
        }
    }
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotLetIn {
    /// The hook says so.
    Refused,
    /// The hook says nothing.
    Failed,
    /// Too many questions are open.
    Busy,
}

impl NotLetIn {
    /// The answer. It is counted.
    pub(super) fn answer(self, gauges: &Gauges) -> Response<Body> {
        let (status, counter) = match self {
            Self::Refused => (StatusCode::FORBIDDEN, &gauges.auth_refused),
            Self::Failed => (StatusCode::FORBIDDEN, &gauges.auth_failed),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, &gauges.auth_busy),
        };
        counter.fetch_add(1, Relaxed);
        let mut response = refuse(status, "not let in");
        if self == Self::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}

impl Hook {
    fn new(rtc: &RtcSettings) -> Result<Option<Arc<Self>>, reqwest::Error> {
        let Some(url) = rtc.authurl.clone() else { return Ok(None) };
        // Where a redirect leads is not what the hook answers.
        let client = http_client(reqwest::redirect::Policy::none())?;
        let open = Semaphore::new(rtc.max_auth);
        Ok(Some(Arc::new(Self { url, patience: rtc.authtimeout, client, open })))
    }
}

/// A new hook takes the old one's place; questions that are open are answered by the old one.
impl Prepare for Arc<Gate> {
    fn prepare(&self, settings: &Settings) -> Result<Box<dyn FnOnce() + Send>, Vec<Problem>> {
        let hook =
            Hook::new(&settings.rtc).map_err(|error| vec![Problem::new("rtc.authurl", error.to_string())])?;
        let gate = self.clone();
        Ok(Box::new(move || gate.hook.store(hook)))
    }
}

/// The headers by canonical name (`Sec-Websocket-Key`), each with all its values; without `Host`.
pub(crate) fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in headers {
        if name == "host" {
            continue;
        }
        let values = map.entry(canonical(name.as_str())).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
    }
    map
}

fn canonical(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
        })
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_canonical_form() {
        assert_eq!(canonical("sec-websocket-key"), "Sec-Websocket-Key");
        assert_eq!(canonical("upgrade"), "Upgrade");
    }
}
