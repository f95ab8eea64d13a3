//! rtcd: an RTC signalling server. This crate says what is linked into it; see the README.

// Each plugin crate by name, and `EXPECTED`.
include!(concat!(env!("OUT_DIR"), "/plugins.rs"));

mod config;
mod plugins;

pub use config::{EMBEDDED, config_dir};
pub use plugins::{LinkError, check_plugins};

/// The README's code runs as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
