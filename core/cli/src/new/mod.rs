//! `rtcd new`: makes the crate of a service or an API, links it, and binds it in `routes.yaml`. All is checked before anything is
//! written, and what was written is taken back if the rest fails.

mod edit;
mod name;
mod template;
mod workspace;

use std::io;
use std::path::PathBuf;

use rtcd_sdk::{registered_apis, registered_slps};

use crate::args::New;
use name::Name;
use workspace::Workspace;

/// The crate cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error(
        "{0}: a name has lower-case letters, digits, - and _, begins with a letter, ends with a letter or digit, and is at most 40 long"
    )]
    BadName(String),
    #[error("{0} is reserved: take another name")]
    Reserved(String),
    #[error("{} is there already: take another name", .0.display())]
    Exists(PathBuf),
    #[error("{kind} {name} is compiled in already (crate {package}): take another name")]
    CompiledIn { kind: Kind, name: String, package: &'static str },
    #[error(
        "{} is not in the source of rtcd: go to the folder whose Cargo.toml is that of the package rtcd, with slps/ beside it",
        .0.display()
    )]
    NoWorkspace(PathBuf),
    #[error("{}: {problem}", file.display())]
    Edit { file: PathBuf, problem: edit::EditError },
    #[error("{}", file.display())]
    Io { file: PathBuf, source: io::Error },
}

/// A service or an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Slp,
    Api,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Slp => "slps",
            Self::Api => "apis",
        }
    }

    /// What crates of this kind begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Slp => "slp",
            Self::Api => "api",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Slp => "service",
            Self::Api => "API",
        })
    }
}

/// Makes it in the workspace around the working directory, and prints how to go on.
pub(crate) fn run(what: New) -> Result<(), NewError> {
    let (kind, name) = match what {
        New::Slp { name } => (Kind::Slp, name),
        New::Api { name } => (Kind::Api, name),
    };
    let name = Name::parse(name)?;
    not_compiled_in(kind, &name)?;
    let here = std::env::current_dir().map_err(|source| NewError::Io { file: PathBuf::from("."), source })?;
    Workspace::find(&here)?.add(kind, &name)?;
    print!("{}", template::next_steps(kind, &name));
    Ok(())
}

fn not_compiled_in(kind: Kind, name: &Name) -> Result<(), NewError> {
    let package = match kind {
        Kind::Slp => registered_slps()
            .into_iter()
            .find(|entry| entry.implementation == name.as_str())
            .map(|entry| entry.package),
        Kind::Api => registered_apis()
            .into_iter()
            .find(|entry| entry.implementation == name.as_str())
            .map(|entry| entry.package),
    };
    match package {
        Some(package) => Err(NewError::CompiledIn { kind, name: name.as_str().to_owned(), package }),
        None => Ok(()),
    }
}
