//! `rtcd`: command line → settings → bind → run → stop.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use rtcd::{ConfigDir, check_plugins};
use rtcd_server::{LogFormat, LogSettings, Server};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

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
    let config = ConfigDir::new(arguments.config).load()?;
    start_logs(&config.settings.log)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start tokio")?;
    runtime.block_on(async {
        let location = config.settings.rtc.location.clone();
        let server = Server::bind(config).await?;
        println!("rtcd {} is up", env!("CARGO_PKG_VERSION"));
        println!("  clients:  ws://{}{location}?userid=NAME", shown(server.rtc_address()?));
        println!("  API:      curl http://{}/slpm/v1/slps", shown(server.api_address()?));
        println!("  stop:     Ctrl-C");
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut terminate = signal(SignalKind::terminate())?;
        server
            .run(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = quit.recv() => {}
                    _ = terminate.recv() => {}
                }
            })
            .await;
        println!("rtcd is down");
        anyhow::Ok(())
    })
}

/// An address that can be typed into a client.
fn shown(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

fn start_logs(log: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.level).context("log.level")?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
