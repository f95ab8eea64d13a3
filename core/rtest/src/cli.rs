//! The command line.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::BenchOptions;
use crate::load::LoadOptions;

/// Runs JSIP scripts against a server, and makes load.
///
/// Exit status: 0 if every run was a success, 1 if any failed, 2 if there was nothing to run (bad arguments, bad
/// script, address in use).
#[derive(Debug, Parser)]
#[command(
    name = "rtest",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "rtest -t uac -u URL -f SCRIPT [-n RUNS] [-c CONCURRENCY]\n       \
                      rtest -t uas -l ADDR -f SCRIPT [-n RUNS] [-c CONCURRENCY]\n       \
                      rtest COMMAND"
)]
pub struct Cli {
    /// Something else than a script.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A script, if there is no subcommand.
    #[command(flatten)]
    pub script: Option<ScriptArgs>,
}

/// What is not a script.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compares the server with the reference server: CPU time, memory, latency, start, overload; exit status 1 if a load run
    /// had errors
    Bench(BenchOptions),
    /// Lets two users chat and call each other, and shows each message
    Demo(DemoArgs),
    /// Answers every request 200 and does nothing else: the server that others are measured against
    Echo(EchoArgs),
    /// Connects clients that do what they should not; run `load` beside it to see whether others suffer
    Hostile(HostileArgs),
    /// Makes load and measures latency, and the server's CPU time and memory; exit status 1 if there were errors
    Load(LoadOptions),
}

/// The options of a script run.
#[derive(Debug, Args)]
pub struct ScriptArgs {
    /// Which side of the connection to be
    #[arg(short = 't', value_name = "SIDE")]
    pub side: Side,
    /// The script
    #[arg(short = 'f', value_name = "SCRIPT")]
    pub file: PathBuf,
    /// Where to connect, ws://HOST:PORT/PATH?userid=USER (uac); an n in braces, in the URL and in the script, is the
    /// run's number
    #[arg(short, required_if_eq("side", "uac"))]
    pub url: Option<String>,
    /// Where to listen (uas); port 0 takes a free one, which is printed
    #[arg(short, value_name = "ADDR", required_if_eq("side", "uas"))]
    pub listen: Option<SocketAddr>,
    /// How many runs [default: 1 for uac, for ever for uas]
    #[arg(short = 'n')]
    pub runs: Option<NonZeroU64>,
    /// How many runs at once [default: 1 for uac, no limit for uas]
    #[arg(short)]
    pub concurrency: Option<NonZeroUsize>,
}

/// A side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// The client: opens a connection for each run
    Uac,
    /// The server: makes a run of each connection that it accepts
    Uas,
}

/// The options of the demonstration.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the server is, ws://HOST:PORT/PATH; the userids are added
    #[arg(short, long, default_value = "ws://127.0.0.1:8080/rtc")]
    pub url: String,
}

/// The options of the hostile clients.
#[derive(Debug, Args)]
pub struct HostileArgs {
    /// Where the server is, ws://HOST:PORT/PATH; the userids are added
    #[arg(short, long, default_value = "ws://127.0.0.1:8080/rtc")]
    pub url: String,
    /// How many clients of each kind
    #[arg(long, default_value = "4")]
    pub clients: usize,
    /// How long, in seconds
    #[arg(long, default_value = "10")]
    pub seconds: u64,
}

/// The options of the reference server.
#[derive(Debug, Args)]
pub struct EchoArgs {
    /// Where to listen; port 0 takes a free one, which is printed
    #[arg(short, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// Threads that serve [default: one for each processor]
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
}
