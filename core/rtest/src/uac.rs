//! `-t uac`: runs a script against a server, as its client.

use std::num::{NonZeroU64, NonZeroUsize};

use tokio::task::JoinSet;

use crate::dial::{Dial, DialError};
use crate::frames::Frames;
use crate::runner::{Run, RunError};
use crate::script::{Script, ScriptError, numbered};
use crate::tally::Tally;
use crate::transcript::Transcript;

/// Runs a script as a client.
#[derive(Debug, Clone)]
pub struct Uac {
    /// Where to connect; `{n}` is the run's number, from 1.
    pub url: String,
    /// What to run.
    pub script: Script,
    /// How many runs.
    pub runs: NonZeroU64,
    /// How many of them at once.
    pub concurrency: NonZeroUsize,
}

impl Uac {
    /// Makes all runs, each over a connection of its own, or stops at `shutdown`: what is not finished then has
    /// failed. Prints the tally at the end.
    pub async fn run(self, transcript: &Transcript, shutdown: impl Future<Output = ()>) -> Tally {
        let tally = self.run_all(transcript, shutdown).await;
        transcript.line(&tally.to_string());
        tally
    }

    async fn run_all(self, transcript: &Transcript, shutdown: impl Future<Output = ()>) -> Tally {
        let mut tally = Tally::default();
        let mut running = JoinSet::new();
        let mut numbers = 1..=self.runs.get();
        tokio::pin!(shutdown);
        loop {
            while running.len() < self.concurrency.get()
                && let Some(n) = numbers.next()
            {
                running.spawn(run_one(self.clone(), n, transcript.clone()));
            }
            tokio::select! {
                ended = running.join_next() => match ended {
                    Some(success) => tally.count(success.unwrap_or(false)),
                    None => return tally,
                },
                () = &mut shutdown => {
                    tally.failed += running.len() as u64;
                    return tally;
                }
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum UacError {
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Run(#[from] RunError),
}

async fn run_one(uac: Uac, n: u64, transcript: Transcript) -> bool {
    let result = try_one(&uac, n, &transcript).await;
    if let Err(error) = &result {
        transcript.line(&format!("[{n}] failed: {error}"));
    }
    result.is_ok()
}

async fn try_one(uac: &Uac, n: u64, transcript: &Transcript) -> Result<(), UacError> {
    let stages = uac.script.stages(n)?;
    let url = numbered(&uac.url, n);
    let mut frames = Frames::new(Dial::default().open(&url).await?);
    let result = Run::new(&mut frames, transcript, n).play(&stages).await;
    frames.close().await;
    Ok(result?)
}
