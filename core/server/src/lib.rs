#![doc = include_str!("../docs/server.md")]

mod actor;
mod api;
mod control;
mod directory;
mod gauges;
mod hops;
mod inspect;
mod node;
mod related;
mod routes;
mod rtc;
mod services;
mod settings;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use routes::RawTable;
pub use rtcd_sdk::host::Settings as ServiceSettings;
pub use settings::{
    ApiSettings, ConfigError, JsipSettings, LimitSettings, LogFormat, LogSettings, RtcSettings, Settings,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

use control::Control;
use node::Node;
use routes::RouteTable;

/// What a server is made from.
pub struct Config {
    /// `rtcd.yaml`.
    pub settings: Settings,
    /// `routes.yaml`.
    pub routes: RawTable,
    /// Where the routes came from, for errors.
    pub routes_file: String,
    /// The settings of each service, by implementation.
    pub services: Box<dyn Fn(&str) -> ServiceSettings + Send + Sync>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl RawTable {
    /// Reads `routes.yaml`. What it names is checked when a server is made from it.
    ///
    /// # Errors
    /// If the text is no YAML, a section is missing, or a key or value does not fit.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        settings::parse_yaml(file, text)
    }
}

/// A server that is ready: its ports are bound.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    control: Arc<Control>,
    gate: Arc<rtc::Gate>,
    rtc: TcpListener,
    api: TcpListener,
}

/// A server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The routing table does not check.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    /// Builds everything, then binds the ports.
    ///
    /// # Errors
    /// If the routing table does not check, a service cannot be loaded, or a port cannot be bound.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let Config { settings, routes, routes_file, services } = config;
        let (rtc, api) = (settings.rtc.listen, settings.api.listen);
        let node = Node::new(settings, services);
        let table = RouteTable::build(&routes_file, &routes, node.services())?;
        node.start_routes(table);
        let control = Arc::new(Control::new(node.clone()));
        let gate = Arc::new(rtc::Gate::new(&node.settings.rtc).map_err(StartError::Gate)?);
        Ok(Self {
            control,
            gate,
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

    /// Serves until `shutdown` is ready; then closes all sockets with 1001.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        /// How long closing may take.
        const LAST: Duration = Duration::from_secs(5);
        let Self { node, control, gate, rtc, api } = self;
        let rtc = tokio::spawn(rtc::serve(node.clone(), gate, rtc));
        let api = tokio::spawn(async move {
            let service = api::router(control).into_make_service_with_connect_info::<SocketAddr>();
            if let Err(error) = axum::serve(api, service).await {
                tracing::error!(%error, "the API side has ended");
            }
        });
        shutdown.await;
        rtc.abort();
        if timeout(LAST, node.stop()).await.is_err() {
            tracing::warn!("not all sockets could be closed in time");
        }
        api.abort();
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Bind { what, address, source })
}
