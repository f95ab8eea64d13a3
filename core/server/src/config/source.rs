//! Where files come from.

use std::fmt;
use std::io;
use std::path::PathBuf;

pub use rtcd_sdk::host::Settings as ServiceSettings;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What people call it.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// Where files come from, at start and at each reload.
pub trait Source: fmt::Debug + Send + Sync {
    /// `conf/rtcd.yaml`, `routes.yaml`, or `conf/NAME.yaml` of a service or an API. `None` if it is not there.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn read(&self, name: &str) -> io::Result<Option<Text>>;

    /// Variables of the environment.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl dyn Source {
    /// The settings of a plugin: `conf/NAME.yaml`, or none.
    pub(crate) fn of_plugin(&self, implementation: &str) -> ServiceSettings {
        let name = format!("conf/{implementation}.yaml");
        match self.read(&name) {
            Ok(Some(Text { file, text })) => ServiceSettings { file, text: Ok(text) },
            Ok(None) => ServiceSettings { file: name, text: Ok(String::new()) },
            // A plugin that has settings refuses to load, and says why.
            Err(error) => ServiceSettings { file: name, text: Err(error.to_string()) },
        }
    }
}

/// Behind the name of a file that is in the program itself.
const BUILT_IN: &str = " (built in)";

/// Whether a file is in the program itself.
pub(super) fn is_built_in(file: &str) -> bool {
    file.ends_with(BUILT_IN)
}

/// A folder with `routes.yaml` and `conf/`; what is not there is taken from the copies in the program.
#[derive(Debug, Clone)]
pub struct ConfigDir {
    folder: PathBuf,
    embedded: &'static [(&'static str, &'static str)],
}

impl ConfigDir {
    /// Files are looked for in this folder, then among the embedded ones (name, text).
    pub fn new(folder: impl Into<PathBuf>, embedded: &'static [(&'static str, &'static str)]) -> Self {
        Self { folder: folder.into(), embedded }
    }
}

impl Source for ConfigDir {
    fn read(&self, name: &str) -> io::Result<Option<Text>> {
        match std::fs::read_to_string(self.folder.join(name)) {
            Ok(text) => Ok(Some(Text { file: name.to_owned(), text })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self
                .embedded
                .iter()
                .find(|(embedded, _)| *embedded == name)
                .map(|(_, text)| Text { file: format!("{name}{BUILT_IN}"), text: (*text).to_owned() })),
            Err(error) => Err(error),
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(super::fields::PREFIX))
            .collect()
    }
}
