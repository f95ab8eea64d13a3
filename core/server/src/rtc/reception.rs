//! What an HTTP request wants: the WebSocket, an API for users, a file of the page.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::Gate;
use super::upgrade::upgrade;
use crate::api::{BELOW, call_of_user};
use crate::front::{Handler, Refusal, Visitor, refuse};
use crate::node::Node;
use crate::spawn::WaitsFor;

/// What the RTC side does with requests.
pub(crate) struct Reception {
    pub(crate) node: Arc<Node>,
    pub(crate) gate: Arc<Gate>,
}

impl Handler for Reception {
    async fn handle(&self, visitor: Visitor, request: Request<Incoming>) -> Response<Body> {
        let node = &self.node;
        let live = node.live().clone();
        let (path, rtc) = (request.uri().path(), &live.settings.rtc);
        if path == rtc.location.as_str() {
            let response = upgrade(node, &self.gate, visitor, request).await;
            node.events.upgrade(response.status());
            return response;
        }
        if path.strip_prefix(BELOW).is_some_and(|rest| rest.starts_with('/')) {
            return call(node, visitor, request).await;
        }
        if rtc.demo
            && let Some(file) = rtcd_web::answer(request.method(), path, request.headers())
        {
            let response = match is_let_in(node, &visitor, live.settings.limits.address_requests) {
                Ok(()) => file.map(Body::from),
                Err(refusal) => refusal.answer(&node.gauges),
            };
            node.events.file(response.status());
            return response;
        }
        let response = refuse(StatusCode::NOT_FOUND, "nothing is here");
        node.events.upgrade(response.status());
        response
    }
}

/// Whether a file may be had.
fn is_let_in(node: &Node, visitor: &Visitor, rate: u32) -> Result<(), Refusal> {
    if node.is_draining() {
        return Err(Refusal::Draining);
    }
    match &visitor.pass {
        Some(pass) if rate > 0 => pass.request(Instant::now(), rate).map_err(Refusal::AddressRequests),
        Some(_) | None => Ok(()),
    }
}

async fn call(node: &Node, visitor: Visitor, request: Request<Incoming>) -> Response<Body> {
    let Visitor { client, pass, doing, .. } = visitor;
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo::<SocketAddr>(client));
    doing.waits_for(WaitsFor::Answer);
    let response = call_of_user(node, pass.as_deref(), request).await;
    doing.waits_for(WaitsFor::Request);
    response
}
