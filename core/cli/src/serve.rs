//! `rtcd serve`: settings → pid file → logs → bind → run → stop.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rtcd_server::{Ended, Logs, Server, StartError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::Error;
use crate::pidfile::PidFile;
use crate::signals::Signals;
use crate::{Program, background, check, notify, settings};

/// The server cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Logs(rtcd_server::LogError),
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error("the system does not say where it listens")]
    Address(#[source] io::Error),
}

/// How long tasks may take to let go of what they hold.
const LAST_TASKS: Duration = Duration::from_millis(200);

/// Serves until a signal ends it.
pub(crate) fn serve(program: Program, folder: &Path, detached: bool) -> Result<ExitCode, Error> {
    if detached {
        background::detach()?;
    }
    (program.check_plugins)().map_err(Error::Plugins)?;
    // The first thing that is wrong is not all that is wrong.
    let all = |errors| check::all(program, folder).err().unwrap_or(Error::Load(errors));
    let config = settings::load(program, folder, detached).map_err(all)?;
    let log = config.settings.log.file.clone();
    let stop = match folder {
        _ if !detached => "Ctrl-C".to_owned(),
        here if here == Path::new(".") => "rtcd -s quit".to_owned(),
        folder => format!("rtcd -c {} -s quit", folder.display()),
    };
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    // Both outlive the runtime: its tasks log, and hold the ports.
    let (mut kept_logs, mut kept_pid_file) = (None, None);
    let served = runtime.block_on(async {
        // Before the pid file tells others where to send them.
        let signals = Signals::new().map_err(ServeError::Signals)?;
        kept_pid_file = Some(PidFile::lock(&config.settings.server.pid_path())?);
        let logs = Logs::start(&config.settings).map_err(ServeError::Logs)?;
        kept_logs = Some(logs.clone());
        let location = config.settings.rtc.location.as_str().to_owned();
        let server = Server::bind_with(config, logs.clone()).await.map_err(ServeError::Start)?;
        let greeting = Greeting {
            version: program.version,
            clients: server.rtc_address().map_err(ServeError::Address)?,
            tls_clients: server.rtc_tls_address().map_err(ServeError::Address)?,
            location: &location,
            api: server.api_address().map_err(ServeError::Address)?,
            tls_api: server.api_tls_address().map_err(ServeError::Address)?,
            stop: &stop,
        };
        say(&greeting.to_string());
        if detached {
            background::let_go(&log)?;
        }
        notify::ready();
        let ended = server.run(signals.pass_on(notify::stopping)).await;
        say("rtcd is down\n");
        Ok(match ended {
            Ended::Gracefully | Ended::AtOnce => ExitCode::SUCCESS,
            Ended::Forced => ExitCode::FAILURE,
        })
    });
    // Whatever a plugin computes on a thread of its own does not hold up the end.
    runtime.shutdown_timeout(LAST_TASKS);
    if let Some(logs) = kept_logs {
        logs.flush();
    }
    drop(kept_pid_file);
    served
}

/// Each client needs a file descriptor: as many as may be had, not the few that shells allow by default.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // What is there already has to do otherwise; clients over it are refused.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Whoever does not listen misses it.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

struct Greeting<'a> {
    version: &'a str,
    clients: SocketAddr,
    tls_clients: Option<SocketAddr>,
    location: &'a str,
    api: SocketAddr,
    tls_api: Option<SocketAddr>,
    stop: &'a str,
}

impl std::fmt::Display for Greeting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "rtcd {} is up", self.version)?;
        writeln!(f, "  clients:  ws://{}{}?userid=NAME", shown(self.clients), self.location)?;
        if let Some(address) = self.tls_clients {
            writeln!(f, "            wss://{}{}?userid=NAME", shown(address), self.location)?;
        }
        writeln!(f, "  API:      curl http://{}/slpm/v1/slps", shown(self.api))?;
        if let Some(address) = self.tls_api {
            writeln!(f, "            curl https://{}/slpm/v1/slps", shown(address))?;
        }
        writeln!(f, "  stop:     {}", self.stop)
    }
}

/// An address that can be typed into a client.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
