//! `rtcd -d`: a child in a session of its own serves, and this process ends as soon as the child listens.
//!
//! The child is this program again, with `--detached`. What it says on standard output comes through a pipe, which it closes when
//! it serves: a greeting means that it is up, nothing that it has ended with an error, which it has told on standard error.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The server cannot go into the background.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackgroundError {
    #[error("cannot start the server in the background")]
    Start(#[source] io::Error),
    #[error("cannot leave the terminal")]
    Leave(#[source] io::Error),
    #[error("log file {}", file.display())]
    Log { file: PathBuf, source: io::Error },
}

/// Starts the child and waits until it listens.
pub(crate) fn start(folder: &Path) -> Result<ExitCode, BackgroundError> {
    let program = std::env::current_exe().map_err(BackgroundError::Start)?;
    let mut child = Command::new(program)
        .args(["serve", "--detached", "-c"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(BackgroundError::Start)?;
    let mut greeting = Vec::new();
    if let Some(mut said) = child.stdout.take() {
        said.read_to_end(&mut greeting).map_err(BackgroundError::Start)?;
    }
    if greeting.is_empty() {
        child.wait().map_err(BackgroundError::Start)?;
        return Ok(ExitCode::FAILURE);
    }
    // Nobody may be there to read it; the server is up all the same.
    let _ = io::stdout().write_all(&greeting);
    Ok(ExitCode::SUCCESS)
}

/// The child's first step: what happens to the terminal is nothing to it from here on.
pub(crate) fn detach() -> Result<(), BackgroundError> {
    rustix::process::setsid().map_err(|error| BackgroundError::Leave(error.into()))?;
    Ok(())
}

/// The child's last step: it listens, and has nothing more to say but to its log.
pub(crate) fn let_go(log: &Path) -> Result<(), BackgroundError> {
    let nowhere = File::options().write(true).open("/dev/null").map_err(BackgroundError::Leave)?;
    // Where a panic says what has happened.
    let log = File::options()
        .append(true)
        .create(true)
        .open(log)
        .map_err(|source| BackgroundError::Log { file: log.to_owned(), source })?;
    rustix::stdio::dup2_stdout(&nowhere)
        .and_then(|()| rustix::stdio::dup2_stderr(&log))
        .map_err(|error| BackgroundError::Leave(error.into()))
}
