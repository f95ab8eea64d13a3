//! `rtcd`: command line → settings → bind → run → stop.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use rtcd::{check_plugins, config_dir};
use rtcd_server::{Config, Logs, Server, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// An RTC signalling server: JSIP over WebSocket, with services and APIs compiled in.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder with routes.yaml and conf/; what is not there is taken from the program.
    #[arg(short, value_name = "DIR", default_value = ".")]
    config: std::path::PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rtcd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    check_plugins()?;
    let config = Config::load(Arc::new(config_dir(arguments.config)))?;
    // Held to the end, when it writes what is left.
    let logs = Logs::start(&config.settings)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start tokio")?;
    runtime.block_on(async {
        let location = config.settings.rtc.location.as_str().to_owned();
        let server = Server::bind_with(config, logs.clone()).await?;
        println!("rtcd {} is up", env!("CARGO_PKG_VERSION"));
        println!("  clients:  ws://{}{location}?userid=NAME", shown(server.rtc_address()?));
        println!("  API:      curl http://{}/slpm/v1/slps", shown(server.api_address()?));
        println!("  stop:     Ctrl-C");
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut reopen = signal(SignalKind::user_defined1())?;
        let (sender, signals) = tokio::sync::mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    _ = interrupt.recv() => Signal::Stop,
                    _ = quit.recv() => Signal::Stop,
                    _ = terminate.recv() => Signal::Kill,
                    _ = hangup.recv() => Signal::Reload,
                    _ = reopen.recv() => Signal::Reopen,
                };
                if sender.send(signal).await.is_err() {
                    break;
                }
            }
        });
        server.run(signals).await;
        println!("rtcd is down");
        anyhow::Ok(())
    })
}

/// An address that can be typed into a client.
fn shown(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}
