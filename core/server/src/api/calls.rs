//! The router behind the front door.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use tower_http::timeout::TimeoutBody;
use tower_service::Service as _;

use crate::front::{Handler, Visitor};
use crate::node::Node;
use crate::spawn::WaitsFor;

/// Gives each request to the router, with the client's address as `ConnectInfo`, and a body that ends with an error if no more of it comes.
pub(crate) struct Calls {
    pub(crate) node: Arc<Node>,
    pub(crate) router: Router,
}

impl Handler for Calls {
    async fn handle(&self, visitor: Visitor, request: Request<Incoming>) -> Response<Body> {
        let patience = self.node.live().settings.api.clientheadertimeout;
        let mut request = request.map(|body| Body::new(TimeoutBody::new(patience, body)));
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(visitor.client));
        visitor.doing.waits_for(WaitsFor::Answer);
        let Ok(response) = self.router.clone().call(request).await;
        visitor.doing.waits_for(WaitsFor::Request);
        response
    }
}
