//! Accepts connections and reads one HTTP request from each.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{Gate, upgrade};
use crate::node::Node;
use crate::spawn::{Doing, Kind, WaitsFor, Who};

/// Serves until it is dropped.
pub(crate) async fn serve(node: Arc<Node>, gate: Arc<Gate>, listener: TcpListener) {
    /// How long accepting rests when the process has no descriptors left.
    const REST: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let number = node.next_connection();
                let (task_node, gate) = (node.clone(), gate.clone());
                node.spawned.spawn(Kind::Connection, Who::Remote(remote), WaitsFor::Request, |doing| {
                    connection(task_node, gate, stream, (remote, number), doing)
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                sleep(REST).await;
            }
        }
    }
}

async fn connection(
    node: Arc<Node>,
    gate: Arc<Gate>,
    stream: TcpStream,
    (remote, number): (SocketAddr, u64),
    doing: Doing,
) {
    // Small frames must not wait for an acknowledgement. A socket that refuses is closing.
    let _ = stream.set_nodelay(true);
    let header_timeout = node.live().settings.rtc.clientheadertimeout;
    let service = service_fn(move |request| {
        let (node, gate, doing) = (node.clone(), gate.clone(), doing.clone());
        async move {
            let response = upgrade::handle(&node, &gate, (remote, number), request, doing).await;
            node.events.upgrade(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%remote, %error, "connection ended");
    }
}
