//! What commands other than `serve` read of the settings. They read their own section alone: a server can be stopped and asked
//! whatever has become of the rest of its files.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rtcd_server::{
    ApiSettings, Config, ConfigDir, ConfigErrors, Problem, ServerSettings, Settings, Source, Text,
};
use serde_yaml::{Mapping, Value};

use crate::Program;

/// Settings and routes of a folder. In the background there is no standard error: logs that have no file go to one in the state
/// folder, at each reload too.
pub(crate) fn load(program: Program, folder: &Path, detached: bool) -> Result<Config, ConfigErrors> {
    is_there(folder)?;
    let source = ConfigDir::new(folder, program.embedded);
    let config = Config::load(Arc::new(source.clone()))?;
    if !detached || !config.settings.log.file.as_os_str().is_empty() {
        return Ok(config);
    }
    let log = config.settings.server.state_dir.join("rtcd.log");
    Config::load(Arc::new(Detached { source, log: log.display().to_string() }))
}

/// A folder that is named must be there: what is not in it is taken from the program, and that nobody means by a slip.
pub(crate) fn is_there(folder: &Path) -> Result<(), ConfigErrors> {
    if folder.is_dir() {
        return Ok(());
    }
    let file = folder.display().to_string();
    let text = "is no folder".to_owned();
    Err(ConfigErrors(vec![Problem { file, line: None, field: String::new(), text }]))
}

/// A folder's files for a server in the background.
#[derive(Debug)]
struct Detached {
    source: ConfigDir,
    log: String,
}

impl Source for Detached {
    fn read(&self, name: &str) -> io::Result<Option<Text>> {
        self.source.read(name)
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut variables = self.source.environment();
        variables.retain(|(name, _)| name != "RTCD_LOG_FILE");
        variables.push(("RTCD_LOG_FILE".to_owned(), self.log.clone()));
        variables
    }
}

/// The section `server`.
pub(crate) fn server(program: Program, folder: &Path) -> Result<ServerSettings, ConfigErrors> {
    Ok(section(program, folder, "server")?.server)
}

/// The section `api`.
pub(crate) fn api(program: Program, folder: &Path) -> Result<ApiSettings, ConfigErrors> {
    Ok(section(program, folder, "api")?.api)
}

fn section(program: Program, folder: &Path, name: &'static str) -> Result<Settings, ConfigErrors> {
    let source = ConfigDir::new(folder, program.embedded);
    Ok(Config::load(Arc::new(Section { source, name }))?.settings)
}

/// Files as if they had one section of settings and no routes.
#[derive(Debug)]
struct Section {
    source: ConfigDir,
    name: &'static str,
}

impl Source for Section {
    fn read(&self, name: &str) -> io::Result<Option<Text>> {
        /// A table in which nothing is.
        const NO_ROUTES: &str = "{slps: {}, routes: [], apis: {}, hops: []}";
        if name == "routes.yaml" {
            return Ok(Some(Text { file: name.to_owned(), text: NO_ROUTES.to_owned() }));
        }
        let Some(read) = self.source.read(name)? else { return Ok(None) };
        // A text that is no mapping stays as it is, so that what is wrong with it is told.
        let Ok(mut all) = serde_yaml::from_str::<Mapping>(&read.text) else { return Ok(Some(read)) };
        all.retain(|key, _| *key == Value::String(self.name.to_owned()));
        let mut text = blanked(&read.text, self.name);
        // A file may be written in other ways too; then the lines that are told are not those of the file.
        if serde_yaml::from_str::<Mapping>(&text).unwrap_or_default() != all {
            text = serde_yaml::to_string(&all).map_err(io::Error::other)?;
        }
        Ok(Some(Text { file: read.file, text }))
    }

    fn environment(&self) -> Vec<(String, String)> {
        let prefix = format!("RTCD_{}_", self.name.to_uppercase());
        let mut variables = self.source.environment();
        variables.retain(|(name, _)| name.starts_with(&prefix));
        variables
    }
}

/// The text with the lines of other sections empty, so that each line keeps its number.
fn blanked(text: &str, section: &str) -> String {
    let mut inside = false;
    let mut blanked = String::new();
    for line in text.lines() {
        if !line.is_empty() && !line.starts_with([' ', '\t', '#']) {
            inside = line.split(':').next() == Some(section);
        }
        if inside {
            blanked += line;
        }
        blanked.push('\n');
    }
    blanked
}

/// An address to connect to, for one to listen on.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
