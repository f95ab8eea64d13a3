//! What commands other than `serve` read of the settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rtcd_server::Config;

use crate::Program;
use crate::error::Error;

/// Settings and routes of a folder.
pub(crate) fn load(program: Program, folder: &Path) -> Result<Config, Error> {
    (program.load)(folder).map_err(Error::Load)
}

/// Where the server's process id stands, and how long a graceful stop may take.
pub(crate) fn process(program: Program, folder: &Path) -> Result<(PathBuf, Duration), Error> {
    load(program, folder)?;
    Ok((folder.join("state/rtcd.pid"), Duration::from_secs(5)))
}

/// The address of the API side, and the token.
pub(crate) fn api(program: Program, folder: &Path) -> Result<(SocketAddr, String), Error> {
    let settings = load(program, folder)?.settings;
    Ok((reachable(settings.api.listen), String::new()))
}

/// An address to connect to, for one to listen on.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
