//! `rtcd runtime` and `rtcd health`: what goes on in a running server.

use std::path::Path;

use clap::ValueEnum as _;
use reqwest::Method;

use crate::Program;
use crate::args::{RuntimeArgs, ServerArgs};
use crate::client::{Call, call};
use crate::error::Error;

/// Shows a page of `/runtime/v1`.
pub(crate) fn run(program: Program, folder: &Path, arguments: &RuntimeArgs) -> Result<(), Error> {
    let page = arguments.what.to_possible_value();
    let page = page.as_ref().map(clap::builder::PossibleValue::get_name).unwrap_or_default();
    let limit = arguments.limit.map(|limit| limit.to_string());
    let filters = [
        ("user", arguments.user.as_deref()),
        ("dialog", arguments.dialog.as_deref()),
        ("limit", limit.as_deref()),
        ("after", arguments.after.as_deref()),
    ];
    let query: Vec<_> = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let path = &["runtime", "v1", page];
    call(program, folder, &arguments.server, Call { method: Method::GET, path, query: &query, hint: "" })
}

/// Asks `/healthz`.
pub(crate) fn health(program: Program, folder: &Path, server: &ServerArgs) -> Result<(), Error> {
    call(program, folder, server, Call { method: Method::GET, path: &["healthz"], query: &[], hint: "" })
}
