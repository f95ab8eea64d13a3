//! TLS: certificates that a reload changes, and handshakes.
//!
//! A handshake takes the certificate that is in force when it begins. Connections that are up keep theirs; a session that is resumed
//! is one of the same certificate, for the sessions are forgotten with it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{Acceptor, ServerConfig};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{Error, InconsistentKeys};

use super::{Side, Stream};
use crate::config::{Problem, Settings};
use crate::control::Prepare;
use crate::gauges::Gauges;

/// Handshakes of a side that are under way at once; more wait, as long as one may take.
const HANDSHAKES: usize = 1024;

/// Bytes that rustls holds for a reader that is slow. What it has taken counts as written, so it must not be much.
const BUFFER: usize = 16 * 1024;

/// The certificate of a side.
#[derive(Debug)]
pub(crate) struct Certificate {
    side: Side,
    config: ArcSwap<ServerConfig>,
    handshakes: Semaphore,
}

impl Certificate {
    /// The one that a side needs, if it listens with TLS.
    pub(crate) fn load(side: Side, settings: &Settings) -> Result<Option<Arc<Self>>, Vec<Problem>> {
        let Some(config) = side.tls_config(settings)? else { return Ok(None) };
        let handshakes = Semaphore::new(HANDSHAKES);
        Ok(Some(Arc::new(Self { side, config: ArcSwap::new(config), handshakes })))
    }

    /// Greets a client; `None` if that fails or takes too long.
    pub(super) async fn greet(&self, tcp: TcpStream, patience: Duration, gauges: &Gauges) -> Option<Stream> {
        let greeted = timeout(patience, async {
            // Who says nothing takes no place from those who do.
            let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
            // Never closed.
            let _permit = self.handshakes.acquire().await;
            let config = self.config.load_full();
            hello.into_stream_with(config, |connection| connection.set_buffer_limit(Some(BUFFER))).await
        });
        match greeted.await {
            Ok(Ok(stream)) => return Some(Stream::tls(stream)),
            Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
        gauges.failed_handshakes.fetch_add(1, Relaxed);
        None
    }
}

/// The files are read again, whether the settings have changed or not.
impl Prepare for Arc<Certificate> {
    fn prepare(&self, settings: &Settings) -> Result<Box<dyn FnOnce() + Send>, Vec<Problem>> {
        let config = self.side.tls_config(settings)?;
        let certificate = self.clone();
        Ok(Box::new(move || {
            if let Some(config) = config {
                certificate.config.store(config);
            }
        }))
    }
}

impl Side {
    fn tls_config(self, settings: &Settings) -> Result<Option<Arc<ServerConfig>>, Vec<Problem>> {
        let (rtc, api) = (&settings.rtc, &settings.api);
        let (listen, cert, key) = match self {
            Self::Rtc => (rtc.tlslisten, (&*rtc.cert, "rtc.cert"), (&*rtc.key, "rtc.key")),
            Self::Api => (api.tlslisten, (&*api.cert, "api.cert"), (&*api.key, "api.key")),
        };
        if listen.is_none() {
            return Ok(None);
        }
        match (certificates(cert), private_key(key)) {
            (Ok(certificates), Ok(private_key)) => config(certificates, &private_key, cert, key)
                .map(|config| Some(Arc::new(config)))
                .map_err(|problem| vec![problem]),
            (certificates, private_key) => {
                Err(certificates.err().into_iter().chain(private_key.err()).collect())
            }
        }
    }
}

fn config(
    certificates: Vec<CertificateDer<'static>>,
    private_key: &PrivateKeyDer<'static>,
    cert: (&Path, &str),
    key: (&Path, &str),
) -> Result<ServerConfig, Problem> {
    let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
    let wrong =
        |(path, field): (&Path, &str), text: &str| Problem::new(field, format!("{} {text}", path.display()));
    let key_failed = |_| wrong(key, "has a private key that cannot be used");
    let cert_failed = |_| wrong(cert, "has a certificate that cannot be used");
    let private_key = provider.key_provider.load_private_key(private_key.clone_key()).map_err(key_failed)?;
    let certified = CertifiedKey::new(certificates, private_key);
    match certified.keys_match() {
        // Some kinds of key cannot say.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(Error::InconsistentKeys(_)) => {
            return Err(wrong(key, "has not the key of the certificate"));
        }
        Err(error) => return Err(cert_failed(error)),
    }
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(cert_failed)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates((path, field): (&Path, &str)) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let text = read(path, field)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(Problem::new(field, format!("{} has no certificate", path.display())))
        }
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(Problem::new(field, format!("{} is no PEM file", path.display()))),
    }
}

fn private_key((path, field): (&Path, &str)) -> Result<PrivateKeyDer<'static>, Problem> {
    // Nothing of the file may come into a message.
    PrivateKeyDer::from_pem_slice(&read(path, field)?).map_err(|error| match error {
        pem::Error::NoItemsFound => Problem::new(field, format!("{} has no private key", path.display())),
        _ => Problem::new(field, format!("{} is no PEM file", path.display())),
    })
}

fn read(path: &Path, field: &str) -> Result<Vec<u8>, Problem> {
    std::fs::read(path)
        .map_err(|error| Problem::new(field, format!("{} cannot be read: {error}", path.display())))
}
