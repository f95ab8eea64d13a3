//! The life of a server: bind, run, reload, stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, interval, timeout, timeout_at};

use crate::config::{Config, ConfigErrors, Effective, Settings};
use crate::control::{Control, OverlayFile, Prepare, StateError};
use crate::front::{Certificate, Door, Ports, Side};
use crate::logs::{LogFile, Logs};
use crate::node::Node;
use crate::routes::RouteTable;
use crate::spawn::{Kind, WaitsFor, Who};
use crate::{api, overload, rtc};

/// A server that is ready: its ports are bound.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    control: Arc<Control>,
    gate: Arc<rtc::Gate>,
    logs: Logs,
    rtc: Ports,
    api: Ports,
    /// Access logs of both.
    access: [Option<LogFile>; 2],
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
    /// An access log cannot be opened.
    #[error("{setting} {}", path.display())]
    Access {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
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
        let rtc = (settings.rtc.listen, settings.rtc.tlslisten);
        let api = (settings.api.listen, settings.api.tlslisten);
        let (rtc_certificate, api_certificate) = certificates(&settings, &effective)?;
        let access = [
            access(&logs, "rtc.accessfile", &settings.rtc.accessfile)?,
            access(&logs, "api.accessfile", &settings.api.accessfile)?,
        ];
        let file = OverlayFile::new(&settings.server.state_dir);
        let overlay = file.read()?;
        let node = Node::new(settings, source.clone());
        node.keep_state(&node.live().settings.server.state_dir);
        let table = RouteTable::build(&routes, &overlay, node.services()).map_err(ConfigErrors)?;
        node.start_routes(table);
        let gate = Arc::new(rtc::Gate::new(&node.live().settings.rtc).map_err(StartError::Gate)?);
        let mut followers: Vec<Arc<dyn Prepare>> = vec![Arc::new(gate.clone()), Arc::new(logs.clone())];
        for certificate in [&rtc_certificate, &api_certificate].into_iter().flatten() {
            followers.push(Arc::new(certificate.clone()));
        }
        let control = Arc::new(Control::new(node.clone(), source, file, effective, followers, logs.clone()));
        Ok(Self {
            control,
            gate,
            logs,
            rtc: Ports::bind(["rtc.listen", "rtc.tlslisten"], rtc, rtc_certificate)?,
            api: Ports::bind(["api.listen", "api.tlslisten"], api, api_certificate)?,
            access,
            node,
        })
    }

    /// Where clients connect.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn rtc_address(&self) -> std::io::Result<SocketAddr> {
        self.rtc.address()
    }

    /// Where operators connect.
    ///
    /// # Errors
    /// As [`Server::rtc_address`].
    pub fn api_address(&self) -> std::io::Result<SocketAddr> {
        self.api.address()
    }

    /// Where clients connect with TLS, if they can.
    ///
    /// # Errors
    /// As [`Server::rtc_address`].
    pub fn rtc_tls_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.rtc.tls_address()
    }

    /// Where operators connect with TLS, if they can.
    ///
    /// # Errors
    /// As [`Server::rtc_address`].
    pub fn api_tls_address(&self) -> std::io::Result<Option<SocketAddr>> {
        self.api.tls_address()
    }

    /// Serves until a signal ends it. A closed channel counts as [`Signal::Stop`].
    pub async fn run(self, mut signals: mpsc::Receiver<Signal>) -> Ended {
        let Self { node, control, gate, logs, rtc, api, access } = self;
        let [rtc_access, api_access] = access;
        let reception = rtc::Reception { node: node.clone(), gate };
        let rtc = rtc.open(Door::new(node.clone(), Side::Rtc, rtc_access, reception));
        let calls = api::Calls { node: node.clone(), router: api::router(control.clone()) };
        let _api = api.open(Door::new(node.clone(), Side::Api, api_access, calls));
        let reload = Arc::new(Notify::new());
        let told = reload.clone();
        let reloads = node.spawned.spawn(Kind::Reloader, Who::Named("reload"), WaitsFor::Signal, |_| {
            reload_when_told(control, told)
        });
        let watched = node.clone();
        let watch = node
            .spawned
            .spawn(Kind::Watch, Who::Named("load"), WaitsFor::Pause, |_| overload::watch(watched));
        let ended = loop {
            match signals.recv().await {
                Some(Signal::Reload) => reload.notify_one(),
                Some(Signal::Reopen) => logs.reopen(),
                Some(Signal::Kill) => break Ended::AtOnce,
                Some(Signal::Stop) | None => {
                    // Before the ports close: who is in by then is told so.
                    node.drain();
                    drop(rtc);
                    break stop(&node, &logs, &mut signals).await;
                }
            }
        };
        reloads.abort();
        watch.abort();
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
    /// How long plugins may take for what they have begun.
    const FINISH: Duration = Duration::from_secs(1);
    let patience = node.live().settings.server.stop_timeout;
    let deadline = Instant::now() + patience;
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
    if timeout(FINISH, node.finish()).await.is_err() {
        tracing::warn!("not all plugins have finished in time");
    }
}

type Certificates = (Option<Arc<Certificate>>, Option<Arc<Certificate>>);

/// Those of both sides.
fn certificates(settings: &Settings, effective: &Effective) -> Result<Certificates, ConfigErrors> {
    match (Certificate::load(Side::Rtc, settings), Certificate::load(Side::Api, settings)) {
        (Ok(rtc), Ok(api)) => Ok((rtc, api)),
        (rtc, api) => {
            let problems = rtc.err().into_iter().chain(api.err()).flatten();
            Err(ConfigErrors(problems.map(|problem| effective.place(problem)).collect()))
        }
    }
}

fn access(logs: &Logs, setting: &'static str, path: &Path) -> Result<Option<LogFile>, StartError> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let failed = |source| StartError::Access { setting, path: path.to_owned(), source };
    logs.open(path).map(Some).map_err(failed)
}
