#![doc = include_str!("../docs/server.md")]

mod actor;
mod api;
mod check;
mod config;
mod control;
mod directory;
mod front;
mod gauges;
mod hops;
mod inspect;
mod logs;
mod metrics;
mod node;
mod overload;
mod related;
mod routes;
mod rtc;
mod run;
mod services;
mod spawn;
mod tokens;

pub use check::check;
pub use config::{
    ApiSettings, Config, ConfigDir, ConfigErrors, JsipSettings, LimitSettings, Location, LogFormat,
    LogLevels, LogSettings, Network, Problem, Realm, RtcSettings, Secret, ServerSettings, ServiceSettings,
    Settings, Source, Text,
};
pub use control::StateError;
pub use logs::{LogError, Logs};
pub use run::{Ended, Server, Signal, StartError};

pub mod operate {
    #![doc = include_str!("../docs/operate.md")]
}
