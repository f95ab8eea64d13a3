//! What the server is told by files and by the environment, read and checked.

mod document;
mod effective;
mod fields;
mod settings;
mod source;

use std::fmt;
use std::sync::Arc;

pub(crate) use document::Document;
pub use document::Problem;
pub(crate) use effective::{Effective, Entry};
pub(crate) use fields::{all as all_settings, hint, keep_what_needs_a_restart, mapping, read_value};
pub use settings::{
    ApiSettings, JsipSettings, LimitSettings, Location, LogFormat, LogLevels, LogSettings, Network, Realm,
    RtcSettings, Secret, ServerSettings, Settings,
};
pub use source::{ConfigDir, ServiceSettings, Source, Text};

use crate::routes::RawTable;

/// A configuration cannot be used: all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

/// What a server is made from.
#[derive(Debug, Clone)]
pub struct Config {
    /// `rtcd.yaml`, with what the environment overrides.
    pub settings: Settings,
    pub(crate) effective: Effective,
    pub(crate) routes: RawTable,
    pub(crate) source: Arc<dyn Source>,
}

/// The main settings file.
const SETTINGS: &str = "conf/rtcd.yaml";
/// The routing table.
const ROUTES: &str = "routes.yaml";

impl Config {
    /// Reads and checks all files; nothing is loaded yet.
    ///
    /// # Errors
    /// All that is wrong with all of them.
    pub fn load(source: Arc<dyn Source>) -> Result<Self, ConfigErrors> {
        match (read_settings(&*source), read_routes(&*source)) {
            (Ok((settings, effective)), Ok(routes)) => Ok(Self { settings, effective, routes, source }),
            (settings, routes) => {
                let problems = settings.err().into_iter().chain(routes.err()).flatten();
                Err(ConfigErrors(problems.collect()))
            }
        }
    }
}

pub(crate) fn read_settings(source: &dyn Source) -> Result<(Settings, Effective), Vec<Problem>> {
    let text = read(source, SETTINGS)?;
    let document = Document::parse(&text.file, &text.text)?;
    let (settings, origins) = fields::read(&document, &source.environment())?;
    Ok((settings, Effective::new(&text.file, origins)))
}

pub(crate) fn read_routes(source: &dyn Source) -> Result<RawTable, Vec<Problem>> {
    let text = read(source, ROUTES)?;
    RawTable::parse(&text.file, &text.text)
}

fn read(source: &dyn Source, name: &str) -> Result<Text, Vec<Problem>> {
    match source.read(name) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Ok(Text { file: name.to_owned(), text: String::new() }),
        Err(error) => Err(vec![Problem {
            file: name.to_owned(),
            line: None,
            field: String::new(),
            text: format!("cannot be read: {error}"),
        }]),
    }
}
