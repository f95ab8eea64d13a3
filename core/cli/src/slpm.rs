//! `rtcd slpm`: switches the services of a running server.

use std::path::Path;

use reqwest::Method;

use crate::Program;
use crate::args::SlpSwitch;
use crate::client::{Call, call};
use crate::error::Error;

/// Lists or switches.
pub(crate) fn run(program: Program, folder: &Path, switch: &SlpSwitch) -> Result<(), Error> {
    let (server, method, name, implementation, hint) = match switch {
        SlpSwitch::Ls { server } => (server, Method::GET, "slps", None, ""),
        SlpSwitch::Load { name, implementation, server } => {
            (server, Method::POST, &**name, Some(&**implementation), "; `rtcd plugins` lists what is")
        }
        SlpSwitch::Rm { name, server } => {
            (server, Method::DELETE, &**name, None, "; `rtcd slpm ls` lists what is")
        }
    };
    let query: &[_] =
        &implementation.map(|implementation| ("file", implementation)).into_iter().collect::<Vec<_>>();
    call(program, folder, server, Call { method, path: &["slpm", "v1", name], query, hint })
}
