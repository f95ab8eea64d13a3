//! Opens WebSockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How long the connection and the upgrade may take together.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a WebSocket could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The text is no URL.
    #[error("bad URL: {0}")]
    Url(tungstenite::Error),
    /// Only `ws://` is built in.
    #[error("bad URL: `{0}` is not of the form ws://HOST[:PORT]/PATH")]
    Scheme(String),
    /// The host has no address, or does not take the connection.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// The server answered the upgrade with another status.
    #[error("the server refused: HTTP {0}")]
    Refused(http::StatusCode),
    /// The upgrade went wrong.
    #[error("the upgrade failed: {0}")]
    Upgrade(tungstenite::Error),
    /// It took too long.
    #[error("no connection in {DIAL_TIMEOUT:?}")]
    TimedOut,
}

/// How to open a socket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dial {
    /// The address to connect from.
    pub(crate) source: Option<IpAddr>,
    /// Closing leaves no port behind in TIME_WAIT.
    pub(crate) zero_linger: bool,
    /// Bytes; the size that tungstenite chooses if not given.
    pub(crate) read_buffer: Option<usize>,
}

impl Dial {
    /// Opens a WebSocket to `url`, with TCP_NODELAY.
    pub(crate) async fn open(self, url: &str) -> Result<WebSocketStream<TcpStream>, DialError> {
        match timeout(DIAL_TIMEOUT, self.open_slowly(url)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(DialError::TimedOut),
        }
    }

    async fn open_slowly(self, url: &str) -> Result<WebSocketStream<TcpStream>, DialError> {
        let request = url.into_client_request().map_err(DialError::Url)?;
        let uri = request.uri();
        let (Some("ws"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(DialError::Scheme(url.to_owned()));
        };
        let port = uri.port_u16().unwrap_or(80);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tcp = self.connect(host, port).await.map_err(DialError::Connect)?;
        tcp.set_nodelay(true).map_err(DialError::Connect)?;
        let mut config = WebSocketConfig::default();
        if let Some(size) = self.read_buffer {
            config = config.read_buffer_size(size);
        }
        match client_async_with_config(request, tcp, Some(config)).await {
            Ok((socket, _response)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(DialError::Refused(response.status())),
            Err(error) => Err(DialError::Upgrade(error)),
        }
    }

    /// Tries the host's addresses in turn.
    async fn connect(self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in lookup_host((host, port)).await? {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(source) = self.source {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        if self.zero_linger {
            socket.set_zero_linger()?;
        }
        socket.connect(address).await
    }
}
