//! What was switched at run time, and the file that keeps it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Problem;

/// Switches over the routing table: `Some` binds a name to an implementation, `None` takes it off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    /// Services by name.
    pub(crate) slps: BTreeMap<String, Option<String>>,
    /// APIs by `NAME.vN`.
    pub(crate) apis: BTreeMap<String, Option<String>>,
}

/// The file that keeps an overlay. It is never half-written: a new one takes the old one's place.
#[derive(Debug, Clone)]
pub(crate) struct OverlayFile {
    folder: PathBuf,
}

/// What was switched cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}; mend it, or remove it to start as routes.yaml says", file.display())]
pub struct StateError {
    file: PathBuf,
    problem: String,
}

impl StateError {
    pub(crate) fn into_problem(self) -> Problem {
        Problem { file: self.file.display().to_string(), ..Problem::new("", self.problem) }
    }
}

const NAME: &str = "switched.json";

impl OverlayFile {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// What was kept; nothing if there is no file.
    pub(crate) fn read(&self) -> Result<Overlay, StateError> {
        let file = self.folder.join(NAME);
        let failed = |problem: String| StateError { file: file.clone(), problem };
        match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Overlay::default()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Keeps an overlay. When this returns, it outlives a crash of the machine.
    pub(crate) fn write(&self, overlay: &Overlay) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let folder = File::open(&self.folder)?;
        let new = self.folder.join(format!("{NAME}.new"));
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(overlay)?)?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(NAME))?;
        // It is in its place: from here on the switch is made.
        if let Err(error) = folder.sync_all() {
            tracing::warn!(%error, "a switch may not outlive a crash of the machine");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = std::env::temp_dir().join(format!("rtcd-overlay-{}", std::process::id()));
        let file = OverlayFile::new(&folder);
        assert_eq!(file.read().unwrap(), Overlay::default());
        let mut overlay = Overlay::default();
        overlay.slps.insert("default".to_owned(), None);
        overlay.apis.insert("echo.v1".to_owned(), Some("echo".to_owned()));
        file.write(&overlay).unwrap();
        assert_eq!(file.read().unwrap(), overlay);
        fs::write(folder.join(NAME), "{").unwrap();
        assert!(file.read().unwrap_err().to_string().contains(NAME));
        fs::remove_dir_all(folder).unwrap();
    }
}
