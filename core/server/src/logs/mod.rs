//! Logs: what is written, in which form, and where.
//!
//! | lines of | go to | levels |
//! |---|---|---|
//! | the RTC side: `rtcd_server::rtc`, `actor`, `hops`, and `jsip` | `rtc.logfile` | `rtc.loglevel` |
//! | the API side: `rtcd_server::api`, and `rtcd::audit` | `api.logfile` | `api.loglevel` |
//! | all others, plugins too | `log.file` | `log.level` |
//!
//! What a side has not set is that of `log`.

mod about;
mod file;
mod json;
mod levels;
mod text;
mod value;

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tracing::{Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{Registry, fmt as layer};

pub(crate) use self::about::{Context, about};
pub(crate) use self::file::LogFile;
use self::levels::{ByLevels, Levels, Table};
pub(crate) use self::value::{json_string, visible};
use crate::config::{LogFormat, Problem, Settings};
use crate::control::Prepare;

/// The logs of a process. A clone is the same; when the last one goes, what waits is written first.
#[derive(Debug, Clone)]
pub struct Logs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    levels: Option<Arc<Levels>>,
    files: Mutex<Vec<LogFile>>,
}

/// Logs cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file cannot be opened.
    #[error("{setting} {}: {source}", path.display())]
    Open {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No thread can be started.
    #[error("no thread for logs: {0}")]
    Thread(io::Error),
    /// This process has logs already.
    #[error("logs are written already")]
    Started,
}

impl Logs {
    /// No logs but what others have set up: for tests.
    pub fn none() -> Self {
        Self(Arc::new(Inner { levels: None, files: Mutex::default() }))
    }

    /// Writes logs as the settings say, for the whole process. Keep what this gives until the end: it writes what is left then.
    ///
    /// # Errors
    /// If a file cannot be opened, or the process has logs already.
    pub fn start(settings: &Settings) -> Result<Self, LogError> {
        let (logs, subscriber) = Self::subscriber(settings)?;
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Started)?;
        Ok(logs)
    }

    /// The same, for whoever installs the subscriber.
    ///
    /// # Errors
    /// If a file cannot be opened.
    pub fn subscriber(settings: &Settings) -> Result<(Self, impl Subscriber + Send + Sync), LogError> {
        let levels = Arc::new(Levels::new(settings));
        let mut files = Vec::new();
        let all = open("log.file", &settings.log.file, None, &mut files)?;
        let rtc = open("rtc.logfile", &settings.rtc.logfile, Some(&all), &mut files)?;
        let api = open("api.logfile", &settings.api.logfile, Some(&all), &mut files)?;
        let writers = Writers { all, rtc, api };
        let filter = ByLevels(levels.clone());
        let boxed = match settings.log.format {
            LogFormat::Text => {
                let colour = writers.all.path().is_none()
                    && io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none();
                let lines = layer::layer().event_format(text::Text { colour }).fmt_fields(text::TextFields);
                lines.with_writer(writers).with_filter(filter).boxed()
            }
            LogFormat::Json => {
                let lines = layer::layer().event_format(json::Json).fmt_fields(json::JsonFields);
                lines.with_writer(writers).with_filter(filter).boxed()
            }
        };
        let logs = Self(Arc::new(Inner { levels: Some(levels), files: Mutex::new(files) }));
        Ok((logs, Registry::default().with(boxed)))
    }

    /// Opens all files by their names again: who has renamed them gets new ones. No line is lost.
    pub fn reopen(&self) {
        self.files().iter().for_each(LogFile::reopen);
    }

    /// Waits until all lines so far are written.
    pub fn flush(&self) {
        let files = self.files().clone();
        files.iter().for_each(LogFile::flush);
    }

    /// One more file that is opened again and counted with the others; the same, if one of them has this path.
    pub(crate) fn open(&self, path: &Path) -> io::Result<LogFile> {
        let mut files = self.files();
        if let Some(open) = files.iter().find(|file| file.path() == Some(path)) {
            return Ok(open.clone());
        }
        let file = LogFile::open(path)?;
        files.push(file.clone());
        Ok(file)
    }

    /// Lines lost so far, because the disk was full or too slow.
    pub fn dropped(&self) -> u64 {
        self.files().iter().map(LogFile::dropped).sum()
    }

    fn files(&self) -> MutexGuard<'_, Vec<LogFile>> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the program has written is on the disk when it ends.
impl Drop for Inner {
    fn drop(&mut self) {
        let files = self.files.get_mut().unwrap_or_else(PoisonError::into_inner);
        files.iter().for_each(LogFile::flush);
    }
}

/// A reload changes levels.
impl Prepare for Logs {
    fn prepare(&self, settings: &Settings) -> Result<Box<dyn FnOnce() + Send>, Vec<Problem>> {
        let table = Table::new(settings);
        let levels = self.0.levels.clone();
        Ok(Box::new(move || {
            if let Some(levels) = levels {
                levels.set(table);
            }
        }))
    }
}

/// A file, or what stands for one that is not named; one file for all that name the same.
fn open(
    setting: &'static str,
    path: &Path,
    other: Option<&LogFile>,
    files: &mut Vec<LogFile>,
) -> Result<LogFile, LogError> {
    let file = if path.as_os_str().is_empty() {
        if let Some(other) = other {
            return Ok(other.clone());
        }
        LogFile::standard_error().map_err(LogError::Thread)?
    } else if let Some(open) = files.iter().find(|file| file.path() == Some(path)) {
        return Ok(open.clone());
    } else {
        let failed = |source| LogError::Open { setting, path: path.to_owned(), source };
        LogFile::open(path).map_err(failed)?
    };
    files.push(file.clone());
    Ok(file)
}

/// A part of the server that may have logs of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Rtc,
    Api,
    Rest,
}

impl Side {
    fn of(target: &str) -> Self {
        const RTC: [&str; 4] = ["rtcd_server::rtc", "rtcd_server::actor", "rtcd_server::hops", "jsip"];
        const API: [&str; 2] = ["rtcd_server::api", "rtcd::audit"];
        let within = |module: &&str| {
            target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if RTC.iter().any(&within) {
            Self::Rtc
        } else if API.iter().any(within) {
            Self::Api
        } else {
            Self::Rest
        }
    }
}

/// Where the lines of each side go.
#[derive(Debug)]
struct Writers {
    all: LogFile,
    rtc: LogFile,
    api: LogFile,
}

impl<'a> MakeWriter<'a> for Writers {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.all)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line(match Side::of(metadata.target()) {
            Side::Rtc => &self.rtc,
            Side::Api => &self.api,
            Side::Rest => &self.all,
        })
    }
}

/// Takes one line, which comes in one piece.
#[derive(Debug)]
struct Line<'a>(&'a LogFile);

impl io::Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time of a line.
fn now() -> impl fmt::Display {
    #[expect(clippy::disallowed_methods, reason = "shown to people; no decision depends on it")]
    let now = SystemTime::now();
    humantime::format_rfc3339_micros(now)
}
