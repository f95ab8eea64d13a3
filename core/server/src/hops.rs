//! Connections to other servers that this one opens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jsip::StatusCode;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async_with_config;

use crate::actor::{Address, Hop, Mail, Metered, WebSocket, socket_config};
use crate::node::Node;
use crate::rtc::Attachment;
use crate::spawn::{Doing, WaitsFor};

/// Dials a hop until it answers or the tries are used up, and tells the hop's actor. So many tries count as made.
pub(crate) async fn dial(node: Arc<Node>, hop: Arc<Hop>, actor: Address, made: u32, doing: Doing) {
    let jsip = node.live().settings.jsip.clone();
    let mut code = StatusCode::SERVICE_UNAVAILABLE;
    for attempt in made.min(jsip.retry)..jsip.retry.max(1) {
        if attempt > 0 {
            doing.waits_for(WaitsFor::Pause);
            sleep(pause(attempt)).await;
            doing.waits_for(WaitsFor::Hop);
        }
        match timeout(jsip.conntimeout, connect(&node, &hop)).await {
            Ok(Ok((ws, remote))) => {
                let _ = actor.send(Mail::Attach(Box::new(Attachment {
                    ws,
                    remote,
                    number: node.next_connection(),
                    pass: None,
                })));
                return;
            }
            Ok(Err(error)) => {
                code = StatusCode::SERVICE_UNAVAILABLE;
                tracing::debug!(hop = %actor.name(), attempt, %error, "cannot connect");
            }
            Err(_) => {
                code = StatusCode::REQUEST_TIMEOUT;
                tracing::debug!(hop = %actor.name(), attempt, "no answer in conntimeout");
            }
        }
    }
    tracing::warn!(hop = %actor.name(), tries = jsip.retry, "given up; what waited for it is dropped");
    let _ = actor.send(Mail::Unreachable(code));
}

async fn connect(node: &Node, hop: &Hop) -> Result<(WebSocket, SocketAddr), HopError> {
    let stream = TcpStream::connect((hop.host.trim_matches(['[', ']']), hop.port)).await?;
    stream.set_nodelay(true)?;
    let remote = stream.peer_addr()?;
    let io = Metered::new(stream);
    let live = node.live().clone();
    let location = live.settings.jsip.location.as_str();
    let url = format!("ws://{}:{}{}?userid={}", hop.host, hop.port, location, node.realm);
    let config = socket_config(live.settings.rtc.max_message_size);
    let (ws, _) = client_async_with_config(url, io, Some(config)).await.map_err(Box::new)?;
    Ok((ws, remote))
}

/// A hop cannot be reached.
#[derive(Debug, thiserror::Error)]
enum HopError {
    #[error(transparent)]
    Connect(#[from] std::io::Error),
    #[error(transparent)]
    Upgrade(#[from] Box<tokio_tungstenite::tungstenite::Error>),
}

/// Twice as long each time, and never the same for two servers.
fn pause(attempt: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    let longest = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    longest.mul_f64(rand::random_range(0.5..1.0))
}
