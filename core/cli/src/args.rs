//! The command line as clap reads it. Its texts are the help, which snapshots pin.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// An RTC signalling server: JSIP over WebSocket, with services and APIs compiled in.
///
/// Without a command it serves. Exit status: 0 after a stop by a signal, 1 if it could not start, if a command failed, or if a
/// second signal cut a stop short, 2 for a wrong command line.
#[derive(Debug, Parser)]
#[command(name = "rtcd")]
pub(crate) struct Arguments {
    /// Folder with routes.yaml and conf/; what is not there is taken from the program
    #[arg(short, long, value_name = "DIR", default_value = ".", global = true)]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How to serve, or what to do to the server that runs.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Serve in the background: returns when the server listens, or with its error. Logs go to log.file, or, if that is empty,
    /// to rtcd.log in the state folder
    #[arg(short = 'd', long)]
    pub(crate) daemon: bool,
    /// Signal the server of the pid file instead
    #[arg(short, long, value_name = "SIGNAL", conflicts_with = "daemon")]
    pub(crate) signal: Option<Order>,
    /// This is the server that -d starts.
    #[arg(long, hide = true, conflicts_with_all = ["daemon", "signal"])]
    pub(crate) detached: bool,
}

/// What `-s` tells the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Stop gracefully (QUIT): nothing new, calls may end until the deadline; waits for it
    Quit,
    /// Stop at once (TERM); waits for it
    Stop,
    /// Open the log files anew (USR1), after they have been moved away
    Reopen,
    /// Read settings and routes anew (HUP)
    Reload,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve; the same as no command
    Serve(ServeArgs),
    /// Check settings, routes and the settings of plugins: tells all that is wrong, or exits with 0
    Check,
    /// HTTP APIs of a running server: which are on, switch them
    #[command(subcommand)]
    Apim(ApiSwitch),
    /// Services of a running server: which are on, switch them
    #[command(subcommand)]
    Slpm(SlpSwitch),
    /// What goes on in a running server
    Runtime(RuntimeArgs),
    /// Ask a running server whether it lives; exit status 1 if not
    Health(ServerArgs),
    /// List the services and APIs that are compiled in
    Plugins(PluginsArgs),
    /// Make the crate of a new service or API in this workspace, with a test, and link it
    #[command(subcommand)]
    New(New),
    /// Turn settings of gortc into a rtcd.yaml, which is printed
    Import(ImportArgs),
}

/// Which server, and how it is shown.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Where its API side is [default: api.listen of the settings]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The admin token; RTCD_API_TOKEN keeps it out of the list of processes [default: api.token of the settings]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Print the server's JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiSwitch {
    /// List the APIs that are on
    Ls {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Enable an API, or give its name to another implementation
    Load {
        /// Name and version, such as echo.v1
        #[arg(value_name = "NAME.vN")]
        name: String,
        /// A compiled-in implementation; `rtcd plugins` lists them
        #[arg(value_name = "IMPL")]
        implementation: String,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Disable an API
    Rm {
        /// Name and version, such as echo.v1
        #[arg(value_name = "NAME.vN")]
        name: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SlpSwitch {
    /// List the services that are on, with their tasks
    Ls {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Enable a service, or give its name to another implementation; live tasks go on
    Load {
        /// The name that messages are routed to
        name: String,
        /// A compiled-in implementation; `rtcd plugins` lists them
        #[arg(value_name = "IMPL")]
        implementation: String,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Disable a service: new dialogs get 404, live tasks go on
    Rm {
        /// The name that messages are routed to
        name: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeArgs {
    /// What to show
    pub(crate) what: View,
    /// Only what belongs to this user
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Only what belongs to this dialog
    #[arg(long)]
    pub(crate) dialog: Option<String>,
    /// At most so many entries
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// The entries after this one: the cursor that the page before ended with
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// A page of `/runtime/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    /// Every live task, and what it waits for
    Stack,
    /// Connections, sessions, transactions: counts and ids
    Jstack,
    /// Which task has which dialog and related id
    Distribute,
    /// The settings in force and where each comes from
    Config,
    /// Version and build
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct PluginsArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum New {
    /// A service in slps/NAME: it answers a MESSAGE with a greeting
    Slp {
        /// Lower-case letters, digits, - and _
        name: String,
    },
    /// An HTTP API in apis/NAME: it answers a GET with a greeting
    Api {
        /// Lower-case letters, digits, - and _
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// gortc.ini
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
