//! The `rtest` program.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use rtest::cli::{Cli, Command, ScriptArgs, Side};
use rtest::{Script, Tally, Transcript, Uac, Uas};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("rtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    match (cli.command, cli.script) {
        (Some(Command::Echo(args)), _) => {
            rtest::echo(listen(args.listen).await?, interrupt()).await;
            Ok(ExitCode::SUCCESS)
        }
        (None, Some(args)) => {
            Ok(if play(args).await?.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        (None, None) => Cli::command().error(ErrorKind::MissingSubcommand, "nothing to do").exit(),
    }
}

async fn play(args: ScriptArgs) -> Result<Tally> {
    let script = Script::load(&args.file)?;
    let transcript = Transcript::stdout();
    Ok(match args.side {
        Side::Uac => {
            let uac = Uac {
                url: args.url.context("-t uac needs -u URL")?,
                script,
                runs: args.runs.unwrap_or(NonZeroU64::MIN),
                concurrency: args.concurrency.unwrap_or(NonZeroUsize::MIN),
            };
            uac.run(&transcript, interrupt()).await
        }
        Side::Uas => {
            let listener = listen(args.listen.context("-t uas needs -l ADDR")?).await?;
            let uas = Uas { script, runs: args.runs, concurrency: args.concurrency };
            uas.run(listener, &transcript, interrupt()).await
        }
    })
}

/// Binds `address` and prints the one that it became.
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Ends at the first Ctrl-C.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        // No signal can be had: run to the end.
        std::future::pending::<()>().await;
    }
}
