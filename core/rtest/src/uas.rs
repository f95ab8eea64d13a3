//! `-t uas`: waits for clients and runs a script with each, as their server.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite;

use crate::frames::Frames;
use crate::runner::{Run, RunError};
use crate::script::{Script, ScriptError};
use crate::tally::Tally;
use crate::transcript::Transcript;

/// How long a client may take for its upgrade request.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after a failed accept: with no free descriptors it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Runs a script as a server: one run per accepted socket.
#[derive(Debug, Clone)]
pub struct Uas {
    /// What to run; `{n}` in it is the run's number, from 1, in the order of the sockets.
    pub script: Script,
    /// How many runs; for ever if not given.
    pub runs: Option<NonZeroU64>,
    /// How many at once, others wait to be accepted; no limit if not given.
    pub concurrency: Option<NonZeroUsize>,
}

impl Uas {
    /// Serves `listener` until all runs are done, or until `shutdown`: what is not finished then has failed.
    /// Prints the tally after each run, as there may be no last one.
    pub async fn run(
        self,
        listener: TcpListener,
        transcript: &Transcript,
        shutdown: impl Future<Output = ()>,
    ) -> Tally {
        let limit = self.concurrency.map_or(usize::MAX, NonZeroUsize::get);
        let mut tally = Tally::default();
        let mut running = JoinSet::new();
        let mut accepted = 0;
        tokio::pin!(shutdown);
        loop {
            let more = self.runs.is_none_or(|runs| accepted < runs.get());
            if !more && running.is_empty() {
                return tally;
            }
            tokio::select! {
                stream = accept(&listener, transcript), if more && running.len() < limit => {
                    accepted += 1;
                    running.spawn(run_one(self.script.clone(), stream, accepted, transcript.clone()));
                }
                Some(success) = running.join_next() => {
                    tally.count(success.unwrap_or(false));
                    transcript.line(&tally.to_string());
                }
                () = &mut shutdown => {
                    tally.failed += running.len() as u64;
                    transcript.line(&tally.to_string());
                    return tally;
                }
            }
        }
    }
}

async fn accept(listener: &TcpListener, transcript: &Transcript) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                transcript.line(&format!("cannot accept: {error}"));
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum UasError {
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("the upgrade failed: {0}")]
    Upgrade(tungstenite::Error),
    #[error("no upgrade request in {UPGRADE_TIMEOUT:?}")]
    TimedOut,
    #[error(transparent)]
    Run(#[from] RunError),
}

async fn run_one(script: Script, stream: TcpStream, n: u64, transcript: Transcript) -> bool {
    let result = try_one(&script, stream, n, &transcript).await;
    if let Err(error) = &result {
        transcript.line(&format!("[{n}] failed: {error}"));
    }
    result.is_ok()
}

async fn try_one(
    script: &Script,
    stream: TcpStream,
    n: u64,
    transcript: &Transcript,
) -> Result<(), UasError> {
    let stages = script.stages(n)?;
    // Without it small frames would only wait longer; the run is the same.
    let _ = stream.set_nodelay(true);
    let socket = match timeout(UPGRADE_TIMEOUT, accept_async(stream)).await {
        Ok(upgraded) => upgraded.map_err(UasError::Upgrade)?,
        Err(_elapsed) => return Err(UasError::TimedOut),
    };
    let mut frames = Frames::new(socket);
    let result = Run::new(&mut frames, transcript, n).play(&stages).await;
    frames.close().await;
    Ok(result?)
}
