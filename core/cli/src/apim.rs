//! `rtcd apim`: switches the HTTP APIs of a running server.

use std::path::Path;

use reqwest::Method;

use crate::Program;
use crate::args::ApiSwitch;
use crate::client::{Call, call};
use crate::error::Error;

/// Lists or switches.
pub(crate) fn run(program: Program, folder: &Path, switch: &ApiSwitch) -> Result<(), Error> {
    let (server, method, name, implementation, hint) = match switch {
        ApiSwitch::Ls { server } => (server, Method::GET, "apis", None, ""),
        ApiSwitch::Load { name, implementation, server } => {
            (server, Method::POST, &**name, Some(&**implementation), "; `rtcd plugins` lists what is")
        }
        ApiSwitch::Rm { name, server } => {
            (server, Method::DELETE, &**name, None, "; `rtcd apim ls` lists what is")
        }
    };
    let query: &[_] =
        &implementation.map(|implementation| ("file", implementation)).into_iter().collect::<Vec<_>>();
    call(program, folder, server, Call { method, path: &["apim", "v1", name], query, hint })
}
