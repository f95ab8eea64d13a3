//! The router behind the front door.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::front::{Handler, Visitor};
use crate::spawn::WaitsFor;

/// Gives each request to the router, with the client's address as `ConnectInfo`.
pub(crate) struct Calls(pub(crate) Router);

impl Handler for Calls {
    async fn handle(&self, visitor: Visitor, request: Request<Incoming>) -> Response<Body> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(visitor.client));
        visitor.doing.waits_for(WaitsFor::Answer);
        let Ok(response) = self.0.clone().call(request).await;
        visitor.doing.waits_for(WaitsFor::Request);
        response
    }
}
