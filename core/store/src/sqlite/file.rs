//! The files on the disk, seen from outside.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The database and its log, as they were when they were opened. SQLite goes on writing to a file that was moved or deleted, and
/// commits there what nobody will find.
#[derive(Debug)]
pub(super) struct Files {
    files: [(PathBuf, Option<Identity>); 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Files {
    pub(super) async fn at(path: &Path) -> Result<Self, Failure> {
        let mut wal = OsString::from(path);
        wal.push("-wal");
        let [database, wal] = [path.to_owned(), PathBuf::from(wal)];
        blocking(move || Self { files: [database, wal].map(|path| (path.clone(), identity(&path).ok())) })
            .await
    }

    pub(super) async fn check(&self) -> Result<(), Failure> {
        let files = self.files.clone();
        blocking(move || {
            for (path, opened) in &files {
                match identity(path) {
                    Ok(now) if Some(now) != *opened => {
                        return Err(Failure::Dead(format!("{} is another file now", path.display())));
                    }
                    Err(error) if opened.is_some() => {
                        return Err(Failure::Dead(format!("{}: {error}", path.display())));
                    }
                    Ok(_) | Err(_) => {}
                }
            }
            Ok(())
        })
        .await?
    }
}

/// Makes the folder of a file.
pub(super) async fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().map(Path::to_owned) else { return Ok(()) };
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let made = blocking({
        let folder = folder.clone();
        move || fs::create_dir_all(&folder)
    });
    made.await?.map_err(|error| Failure::Dead(format!("{}: {error}", folder.display())))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    // It is cancelled when the runtime ends.
    done.map_err(|error| Failure::Dead(error.to_string()))
}

fn identity(path: &Path) -> io::Result<Identity> {
    Ok(Identity::of(&fs::metadata(path)?))
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Elsewhere an open file can be neither moved nor deleted.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}
