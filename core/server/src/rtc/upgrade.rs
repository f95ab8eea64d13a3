//! One HTTP request: the upgrade to WebSocket, or a refusal.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use rtcd_sdk::{Glob, Peer};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{Attachment, Gate};
use crate::actor::WebSocket;
use crate::front::{Refusal, Stream, Visitor, refuse};
use crate::node::Node;
use crate::spawn::{Kind, WaitsFor, Who};

/// A request to the path of the WebSocket.
pub(super) async fn upgrade(
    node: &Arc<Node>,
    gate: &Gate,
    visitor: Visitor,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let live = node.live().clone();
    let gauges = &node.gauges;
    if node.is_draining() {
        return Refusal::Draining.answer(gauges);
    }
    let accept = match websocket_key(request.method(), request.headers()) {
        Ok(key) => derive_accept_key(key.as_bytes()),
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, problem),
    };
    let query = request.uri().query().unwrap_or_default();
    let Some(user) = once(query, "userid").filter(|user| !user.is_empty()) else {
        return refuse(StatusCode::BAD_REQUEST, "userid must stand in the query, once and not empty");
    };
    let peer = match device(query) {
        Ok(device) => Peer::new(&user, device.as_deref()),
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, problem),
    };
    if !is_allowed(request.headers(), &live.settings.rtc.origins) {
        gauges.refused_origins.fetch_add(1, Relaxed);
        return refuse(StatusCode::FORBIDDEN, "this Origin is not allowed");
    }
    let Visitor { client, number, pass, doing } = visitor;
    doing.waits_for(WaitsFor::Hook);
    let asked = gate.ask(client, &request).await;
    doing.waits_for(WaitsFor::Request);
    if let Err(refused) = asked {
        return refused.answer(gauges);
    }
    // Who is not let in must not use up what the user may do.
    if let Err(refusal) = node.visitors.connect(&user, &live.settings.limits) {
        return refusal.answer(gauges);
    }
    // Before the client is told that it is in: what others send it from then on waits for its socket.
    node.expect(&peer);
    let upgrade = hyper::upgrade::on(&mut request);
    let task_node = node.clone();
    node.spawned.spawn(Kind::Upgrade, Who::Remote(client), WaitsFor::Upgrade, |_| async move {
        if let Some(ws) = upgraded(&task_node, upgrade).await {
            task_node.attach(&peer, Attachment { ws, remote: client, number, pass });
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

async fn upgraded(node: &Node, upgrade: OnUpgrade) -> Option<WebSocket> {
    let upgraded = upgrade.await.ok()?;
    let most = node.live().settings.rtc.max_message_size;
    // A fast client's first frame can be in what was read with the request.
    Some(match upgraded.downcast::<TokioIo<Stream>>() {
        Ok(parts) => {
            let io = parts.io.into_inner().upgraded();
            WebSocket::new(io, parts.read_buf.to_vec(), Role::Server, most)
        }
        Err(upgraded) => WebSocket::new(TokioIo::<Upgraded>::new(upgraded), Vec::new(), Role::Server, most),
    })
}

/// The key of a WebSocket request (RFC 6455, 4.2.1).
fn websocket_key<'a>(method: &Method, headers: &'a HeaderMap) -> Result<&'a HeaderValue, &'static str> {
    if method != Method::GET {
        return Err("a WebSocket is opened by GET");
    }
    if !has_token(headers, header::CONNECTION, "upgrade") || !has_token(headers, header::UPGRADE, "websocket")
    {
        return Err("this is a WebSocket: Upgrade and Connection are missing");
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err("Sec-WebSocket-Version must be 13");
    }
    headers.get(header::SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key is missing")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Whether a page of this origin may connect, or call. Who names none is no browser, and could name any.
pub(crate) fn is_allowed(headers: &HeaderMap, origins: &[Glob]) -> bool {
    let is_listed = |origin: &HeaderValue| {
        origin.to_str().is_ok_and(|origin| origins.iter().any(|glob| glob.matches(origin)))
    };
    origins.is_empty() || headers.get_all(header::ORIGIN).iter().all(is_listed)
}

/// A value of a query, decoded; `None` if it is missing or not UTF-8, or stands there twice: then the authentication hook might
/// read another one.
fn once(query: &str, name: &str) -> Option<String> {
    let mut values = values(query, name);
    let value = percent_decode(values.next()?)?;
    values.next().is_none().then_some(value)
}

fn values<'a>(query: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key)? == name).then_some(value)
    })
}

/// The name of the device, if there is one: something that can stand in a URI as it is.
fn device(query: &str) -> Result<Option<String>, &'static str> {
    /// Characters.
    const MOST: usize = 64;
    if values(query, "device").next().is_none() {
        return Ok(None);
    }
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    once(query, "device")
        .filter(|device| !device.is_empty() && device.len() <= MOST && device.bytes().all(may_stand))
        .map(Some)
        .ok_or("device has 1 to 64 letters, digits, - _ . or ~, and stands in the query once")
}

fn percent_decode(text: &str) -> Option<String> {
    let text: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                rest = tail;
            }
            (b'%', _) => return None,
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        let long = format!("device={}", "x".repeat(65));
        for (query, expected) in [
            ("userid=a@b", Ok(None)),
            ("userid=a@b&device=Phone-1_2.3~", Ok(Some("Phone-1_2.3~"))),
            ("device=ph%6fne", Ok(Some("phone"))),
            ("device=", Err(())),
            ("device", Err(())),
            ("device=a&device=b", Err(())),
            ("device=a%3bb", Err(())),
            ("device=%c3%a9", Err(())),
            (&long, Err(())),
        ] {
            assert_eq!(device(query).as_ref().map(Option::as_deref).map_err(drop), expected, "{query}");
        }
    }

    #[test]
    fn userids() {
        for (query, user) in [
            ("userid=a@b", Some("a@b")),
            ("x=1&userid=a%40b&y", Some("a@b")),
            ("userid=a+b%C3%A9", Some("a bé")),
            ("user%69d=a", Some("a")),
            ("user%69d=good&userid=evil", None),
            ("userid=a&userid=a", None),
            ("userid=", None),
            ("user=a", None),
            ("userid=%", None),
            ("userid=%ff", None),
            ("", None),
        ] {
            let userid = once(query, "userid").filter(|user| !user.is_empty());
            assert_eq!(userid.as_deref(), user, "{query}");
        }
    }
}
