//! A file of lines, written by a thread of its own: a full or slow disk must not hold up calls.
//!
//! Lines wait in a queue with room for so many bytes; what finds no room is dropped and counted. Opening the file again stands in
//! the same queue, so it happens between two lines, and none is lost: those before it go to the old file, those after it to the new.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes that may wait for the disk.
const ROOM: usize = 16 * 1024 * 1024;

/// Bytes that are written at once.
const BATCH: usize = 64 * 1024;

/// See the module. A clone is the same file.
#[derive(Debug, Clone)]
pub(crate) struct LogFile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: Option<PathBuf>,
    queue: Sender<Job>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Bytes that wait.
    waiting: AtomicUsize,
    /// Lines that found no room, or that the disk did not take.
    dropped: AtomicU64,
}

enum Job {
    Line(Box<[u8]>),
    Reopen,
    /// Tells when all before it is written.
    Flush(SyncSender<()>),
}

impl LogFile {
    /// Appends to a file, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::start(Some(path.to_owned()), Output::File(append(path)?))
    }

    /// Writes to standard error.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn standard_error() -> io::Result<Self> {
        Self::start(None, Output::StandardError)
    }

    fn start(path: Option<PathBuf>, output: Output) -> io::Result<Self> {
        let (queue, jobs) = channel();
        let counts = Arc::new(Counts::default());
        let writer =
            Writer { path: path.clone(), output, counts: counts.clone(), torn: false, batch: Vec::new() };
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(&jobs))?;
        Ok(Self(Arc::new(Shared { path, queue, counts })))
    }

    /// Where it lies; `None` for standard error.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Adds one line, whether it ends with a line break or not. Never waits.
    pub(crate) fn write_line(&self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let counts = &self.0.counts;
        if counts.waiting.fetch_add(line.len(), Relaxed) > ROOM {
            counts.waiting.fetch_sub(line.len(), Relaxed);
            counts.dropped.fetch_add(1, Relaxed);
            return;
        }
        // Whatever was meant to be one line is one.
        let line = line.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
        self.tell(Job::Line(line.collect()));
    }

    /// Opens the file by its name again, when all lines so far are written. Never waits.
    pub(crate) fn reopen(&self) {
        self.tell(Job::Reopen);
    }

    /// Waits until all lines so far are written, or the disk has not taken them for two seconds.
    pub(crate) fn flush(&self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let (written, when_written) = sync_channel(1);
        self.tell(Job::Flush(written));
        // An error: it has been long enough.
        let _ = when_written.recv_timeout(PATIENCE);
    }

    /// Lines lost so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.counts.dropped.load(Relaxed)
    }

    fn tell(&self, job: Job) {
        // The thread lives as long as this.
        let _ = self.0.queue.send(job);
    }
}

/// The last one to hold it leaves when all is written.
impl Drop for Shared {
    fn drop(&mut self) {
        let (written, when_written) = sync_channel(1);
        let _ = self.queue.send(Job::Flush(written));
        let _ = when_written.recv_timeout(Duration::from_secs(2));
    }
}

fn append(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[derive(Debug)]
enum Output {
    File(File),
    StandardError,
}

/// What the thread holds.
struct Writer {
    path: Option<PathBuf>,
    output: Output,
    counts: Arc<Counts>,
    /// The last line could not be written to its end.
    torn: bool,
    batch: Vec<u8>,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut next = Some(first);
            while let Some(job) = next {
                self.take(job);
                next = jobs.try_recv().ok();
            }
            self.write();
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Line(line) => {
                self.counts.waiting.fetch_sub(line.len(), Relaxed);
                self.batch.extend_from_slice(&line);
                self.batch.push(b'\n');
                if self.batch.len() >= BATCH {
                    self.write();
                }
            }
            Job::Reopen => {
                self.write();
                self.reopen();
            }
            Job::Flush(written) => {
                self.write();
                // Who asked may have lost patience.
                let _ = written.try_send(());
            }
        }
    }

    fn reopen(&mut self) {
        let Some(path) = &self.path else { return };
        match append(path) {
            Ok(file) => {
                self.output = Output::File(file);
                self.torn = false;
            }
            // The old one goes on. This may be the very file that the line goes to, which is open.
            Err(error) => {
                tracing::error!(file = %path.display(), %error, "cannot be opened again; the open one stays");
            }
        }
    }

    /// Writes the batch. What the disk does not take is lost: to wait for it would only lose other lines.
    fn write(&mut self) {
        if self.torn && !self.batch.is_empty() {
            self.batch.insert(0, b'\n');
        }
        let mut rest = self.batch.as_slice();
        while !rest.is_empty() {
            let written = match &mut self.output {
                Output::File(file) => file.write(rest),
                Output::StandardError => io::stderr().write(rest),
            };
            match written {
                Ok(written @ 1..) => {
                    self.torn = rest.get(written.wrapping_sub(1)) != Some(&b'\n');
                    rest = rest.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    let lost = rest.iter().filter(|byte| **byte == b'\n').count();
                    self.counts.dropped.fetch_add(lost as u64, Relaxed);
                    break;
                }
            }
        }
        self.batch.clear();
        self.batch.shrink_to(BATCH);
    }
}
