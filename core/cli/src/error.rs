//! What ends a command with exit status 1.

use std::error::Error as StdError;
use std::io;

use rtcd_server::ConfigErrors;

use crate::background::BackgroundError;
use crate::client::ClientError;
use crate::import::ImportError;
use crate::new::NewError;
use crate::order::OrderError;
use crate::pidfile::PidFileError;
use crate::serve::ServeError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Plugins(Box<dyn StdError + Send + Sync>),
    #[error(transparent)]
    Load(#[from] ConfigErrors),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    #[error(transparent)]
    Background(#[from] BackgroundError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("cannot start tokio")]
    Runtime(#[source] io::Error),
}

/// An error and its causes, on one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors tell their cause in their own words.
        if !text.ends_with(&more) {
            text += ": ";
            text += &more;
        }
        cause = error.source();
    }
    text
}
