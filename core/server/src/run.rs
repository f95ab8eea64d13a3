//! The life of a server: bind, run, reload, stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, interval, timeout, timeout_at};

use crate::config::{Config, ConfigErrors};
use crate::control::{Control, OverlayFile, Prepare, StateError};
use crate::logs::Logs;
use crate::node::Node;
use crate::routes::RouteTable;
use crate::spawn::{Kind, WaitsFor, Who};
use crate::{api, rtc};

/// A server that is ready: its ports are bound.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    control: Arc<Control>,
    gate: Arc<rtc::Gate>,
    logs: Logs,
    rtc: TcpListener,
    api: TcpListener,
}

/// What an operator tells a running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Read settings and routes again, all or nothing.
    Reload,
    /// Open the log files again.
    Reopen,
    /// Stop gracefully: let nothing new in, wait for calls to end, at most `stop_timeout`. A second one ends at once.
    Stop,
    /// End at once.
    Kill,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By [`Signal::Stop`]; what was still up was told.
    Gracefully,
    /// By [`Signal::Kill`].
    AtOnce,
    /// By a second signal, while it was stopping gracefully.
    Forced,
}

/// A server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration does not check.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// What was switched at run time cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The authentication hook cannot be asked.
    #[error("rtc.authurl: {0}")]
    Gate(reqwest::Error),
    /// A port cannot be bound.
    #[error("{what} {address}")]
    Bind {
        /// Which setting.
        what: &'static str,
        /// Its value.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

impl Server {
    /// Builds everything, then binds the ports. The logs are not the server's: as [`Server::bind_with`] without any.
    ///
    /// # Errors
    /// If the routing table does not check, a service cannot be loaded, or a port cannot be bound.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        Self::bind_with(config, Logs::none()).await
    }

    /// Builds everything, then binds the ports. The logs follow the settings when these are reloaded, and [`Signal::Reopen`].
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn bind_with(config: Config, logs: Logs) -> Result<Self, StartError> {
        let Config { settings, effective, routes, source } = config;
        let (rtc, api) = (settings.rtc.listen, settings.api.listen);
        let file = OverlayFile::new(&settings.server.state_dir);
        let overlay = file.read()?;
        let node = Node::new(settings, source.clone());
        let table = RouteTable::build(&routes, &overlay, node.services()).map_err(ConfigErrors)?;
        node.start_routes(table);
        let gate = Arc::new(rtc::Gate::new(&node.live().settings.rtc).map_err(StartError::Gate)?);
        let followers: Vec<Arc<dyn Prepare>> = vec![Arc::new(gate.clone()), Arc::new(logs.clone())];
        let control = Arc::new(Control::new(
            node.clone(),
            source,
            (file, overlay),
            routes,
            effective,
            followers,
            logs.clone(),
        ));
        Ok(Self {
            control,
            gate,
            logs,
            rtc: listen("rtc.listen", rtc).await?,
            api: listen("api.listen", api).await?,
            node,
        })
    }

    /// Where clients connect.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn rtc_address(&self) -> std::io::Result<SocketAddr> {
        self.rtc.local_addr()
    }

    /// Where operators connect.
    ///
    /// # Errors
    /// As [`Server::rtc_address`].
    pub fn api_address(&self) -> std::io::Result<SocketAddr> {
        self.api.local_addr()
    }

    /// Serves until a signal ends it. A closed channel counts as [`Signal::Stop`].
    pub async fn run(self, mut signals: mpsc::Receiver<Signal>) -> Ended {
        let Self { node, control, gate, logs, rtc, api } = self;
        let serving = rtc::serve(node.clone(), gate, rtc);
        let rtc = node.spawned.spawn(Kind::Listener, Who::Named("rtc"), WaitsFor::Connections, |_| serving);
        let router = api::router(control.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let api = node.spawned.spawn(Kind::Listener, Who::Named("api"), WaitsFor::Connections, async |_| {
            if let Err(error) = axum::serve(api, router).await {
                tracing::error!(%error, "the API side has ended");
            }
        });
        let reload = Arc::new(Notify::new());
        let reloads = tokio::spawn(reload_when_told(control, reload.clone()));
        let ended = loop {
            match signals.recv().await {
                Some(Signal::Reload) => reload.notify_one(),
                Some(Signal::Reopen) => logs.reopen(),
                Some(Signal::Kill) => break Ended::AtOnce,
                Some(Signal::Stop) | None => {
                    rtc.abort();
                    break stop(&node, &logs, &mut signals).await;
                }
            }
        };
        reloads.abort();
        rtc.abort();
        api.abort();
        ended
    }
}

/// Reloads on a thread that may block: it reads files, and plugins may compute. Beside the loop that takes signals, so that none
/// waits for it; signals that come meanwhile make one more reload.
async fn reload_when_told(control: Arc<Control>, told: Arc<Notify>) {
    loop {
        told.notified().await;
        let control = control.clone();
        // What went wrong has been logged and is shown by `/runtime`.
        let _ = tokio::task::spawn_blocking(move || control.reload()).await;
    }
}

async fn stop(node: &Node, logs: &Logs, signals: &mut mpsc::Receiver<Signal>) -> Ended {
    let forced = async {
        loop {
            match signals.recv().await {
                Some(Signal::Stop | Signal::Kill) => return,
                Some(Signal::Reopen) => logs.reopen(),
                Some(Signal::Reload) => {}
                // Nobody is there to force it.
                None => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        () = forced => Ended::Forced,
        () = stop_gracefully(node) => Ended::Gracefully,
    }
}

async fn stop_gracefully(node: &Node) {
    /// How often it is looked whether all has ended.
    const LOOK: Duration = Duration::from_millis(20);
    /// How long telling those that are left may take.
    const TELL: Duration = Duration::from_millis(400);
    /// How long closing may take.
    const CLOSE: Duration = Duration::from_millis(400);
    let patience = node.live().settings.server.stop_timeout;
    let deadline = Instant::now() + patience;
    node.drain();
    tracing::info!(?patience, dialogs = node.gauges.dialogs.load(Relaxed), "stopping");
    let ended = timeout_at(deadline, async {
        let mut look = interval(LOOK);
        while node.gauges.dialogs.load(Relaxed) > 0 {
            look.tick().await;
        }
    });
    if ended.await.is_err() {
        let left = node.gauges.sessions.load(Relaxed);
        tracing::warn!(sessions = left, "stop_timeout is over; what is still up ends now");
        if timeout(TELL, node.hang_up()).await.is_err() {
            tracing::warn!("not all could be told in time");
        }
    }
    if timeout(CLOSE, node.stop()).await.is_err() {
        tracing::warn!("not all sockets could be closed in time");
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Bind { what, address, source })
}
