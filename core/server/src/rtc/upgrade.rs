//! One HTTP request: the upgrade to WebSocket, or a refusal.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use rtcd_sdk::Glob;
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
    let Some(user) = request.uri().query().and_then(userid) else {
        return refuse(StatusCode::BAD_REQUEST, "userid must stand in the query, once and not empty");
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
    let upgrade = hyper::upgrade::on(&mut request);
    let task_node = node.clone();
    node.spawned.spawn(Kind::Upgrade, Who::Remote(client), WaitsFor::Upgrade, |_| async move {
        if let Some(ws) = upgraded(&task_node, upgrade).await {
            task_node.attach(&user, Attachment { ws, remote: client, number, pass });
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

/// `userid` of a query, decoded; `None` if it is missing, empty or not UTF-8, or stands there twice: then the authentication
/// hook might read another one.
fn userid(query: &str) -> Option<String> {
    let mut userids = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key)? == "userid").then_some(value)
    });
    let value = percent_decode(userids.next()?)?;
    (userids.next().is_none() && !value.is_empty()).then_some(value)
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
            assert_eq!(userid(query).as_deref(), user, "{query}");
        }
    }
}
