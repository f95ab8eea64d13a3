//! Where settings come from: a folder, or the copies in the program.

use std::io;
use std::path::{Path, PathBuf};

use rtcd_server::{Config, ConfigError, RawTable, ServiceSettings, Settings};

/// The folder that holds `routes.yaml` and `conf/`.
#[derive(Debug, Clone)]
pub struct ConfigDir(PathBuf);

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It cannot be read.
    #[error("{file}")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// It does not check.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl ConfigDir {
    /// Settings are looked for here.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Reads all settings. A file that is not there is taken from the program.
    ///
    /// # Errors
    /// If a file is there and cannot be read, or does not check.
    pub fn load(&self) -> Result<Config, LoadError> {
        let (file, text) = self.text("conf/rtcd.yaml", include_str!("../conf/rtcd.yaml"))?;
        let settings = Settings::parse(&file, &text)?;
        let (routes_file, text) = self.text("routes.yaml", include_str!("../routes.yaml"))?;
        let routes = RawTable::parse(&routes_file, &text)?;
        let folder = self.0.join("conf");
        Ok(Config { settings, routes, routes_file, services: Box::new(move |name| service(&folder, name)) })
    }

    fn text(&self, name: &str, embedded: &str) -> Result<(String, String), LoadError> {
        let path = self.0.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((name.to_owned(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok((format!("{name} (built in)"), embedded.to_owned()))
            }
            Err(source) => Err(LoadError::Read { file: path.display().to_string(), source }),
        }
    }
}

/// The settings of a service: `conf/NAME.yaml`, or none.
fn service(folder: &Path, name: &str) -> ServiceSettings {
    let file = format!("conf/{name}.yaml");
    match std::fs::read_to_string(folder.join(format!("{name}.yaml"))) {
        Ok(text) => ServiceSettings { file, text },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            ServiceSettings { file, text: String::new() }
        }
        // The text is no YAML of settings, so that the service refuses to load and says why.
        Err(error) => ServiceSettings { file, text: format!("cannot be read: {error}") },
    }
}
