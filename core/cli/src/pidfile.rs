//! The pid file, locked as long as the server runs. The lock tells whether the server lives, whatever the number in the file says:
//! the system lets it go when the process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

/// A pid file cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PidFileError {
    #[error("another rtcd{} runs with {}: stop it (-s quit), or set another server.state_dir", number(*pid), file.display())]
    Taken { file: PathBuf, pid: Option<Pid> },
    #[error("the pid file {} is not there: no rtcd runs with these settings", file.display())]
    Missing { file: PathBuf },
    #[error("the pid file {} is stale: its rtcd{} has ended without a goodbye", file.display(), number(*pid))]
    Stale { file: PathBuf, pid: Option<Pid> },
    #[error("the pid file {} holds no process id", file.display())]
    NoNumber { file: PathBuf },
    #[error("pid file {}", file.display())]
    Io { file: PathBuf, source: io::Error },
}

fn number(pid: Option<Pid>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// The pid file of this process.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl PidFile {
    /// Locks the file and writes this process's id into it. One that a dead server left behind is taken over.
    pub(crate) fn lock(path: &Path) -> Result<Self, PidFileError> {
        let io = |source| PidFileError::Io { file: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let pid = read(&mut file).map_err(io)?;
                    return Err(PidFileError::Taken { file: path.to_owned(), pid });
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
            // Its owner may have taken it away between the two calls: then the lock is on a file that nobody finds.
            if !is_at(&file, path) {
                continue;
            }
            file.set_len(0).map_err(io)?;
            writeln!(file, "{}", std::process::id()).map_err(io)?;
            return Ok(Self { path: path.to_owned(), _file: file });
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // If it cannot be removed it is stale, which is no hindrance.
        let _ = fs::remove_file(&self.path);
    }
}

/// A server that runs, by its pid file.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: Pid,
    file: File,
}

impl Running {
    /// The server that holds the lock of this file.
    pub(crate) fn find(path: &Path) -> Result<Self, PidFileError> {
        let file = path.to_owned();
        let mut opened = match File::open(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(PidFileError::Missing { file });
            }
            Err(source) => return Err(PidFileError::Io { file, source }),
        };
        let pid = match read(&mut opened) {
            Ok(pid) => pid,
            Err(source) => return Err(PidFileError::Io { file, source }),
        };
        if !is_locked(&opened).map_err(|source| PidFileError::Io { file: file.clone(), source })? {
            return Err(PidFileError::Stale { file, pid });
        }
        match pid {
            Some(pid) => Ok(Self { pid, file: opened }),
            None => Err(PidFileError::NoNumber { file }),
        }
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&self) -> io::Result<bool> {
        is_locked(&self.file)
    }
}

fn is_locked(file: &File) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(ours), Ok(there)) if id(&ours) == id(&there))
}

fn read(file: &mut File) -> io::Result<Option<Pid>> {
    let mut text = String::new();
    file.rewind()?;
    // No process id is longer.
    file.take(32).read_to_string(&mut text)?;
    Ok(text.trim().parse().ok().and_then(Pid::from_raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rtcd-pidfile-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn one_server_a_file_and_nothing_left_behind() {
        let folder = folder("one");
        let path = folder.join("state/rtcd.pid");
        let own = Pid::from_raw(std::process::id().cast_signed());
        let first = PidFile::lock(&path).unwrap();
        assert!(
            matches!(PidFile::lock(&path), Err(PidFileError::Taken { pid, .. }) if pid == own && pid.is_some())
        );
        let running = Running::find(&path).unwrap();
        assert_eq!((Some(running.pid), running.is_alive().unwrap()), (own, true));
        drop(first);
        assert!(!running.is_alive().unwrap());
        assert!(matches!(Running::find(&path), Err(PidFileError::Missing { .. })));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_stale_file_is_no_hindrance() {
        let folder = folder("stale");
        let path = folder.join("rtcd.pid");
        fs::create_dir_all(&folder).unwrap();
        // Longer than the number that is written over it.
        fs::write(&path, "99999999999999999999\n").unwrap();
        assert!(matches!(Running::find(&path), Err(PidFileError::Stale { pid: None, .. })));
        fs::write(&path, "1\n").unwrap();
        assert!(matches!(Running::find(&path), Err(PidFileError::Stale { pid: Some(_), .. })));
        let file = PidFile::lock(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
        fs::remove_dir_all(&folder).unwrap();
    }
}
