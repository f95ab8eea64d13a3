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
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rtest: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all went well.
fn run(cli: Cli) -> Result<bool> {
    let processors = std::thread::available_parallelism()?;
    match (cli.command, cli.script) {
        (Some(Command::Bench(options)), _) => runtime(NonZeroUsize::MIN)?
            .block_on(async { Ok(rtest::bench(options, &Transcript::stdout(), interrupt()).await?) }),
        (Some(Command::Demo(args)), _) => runtime(processors)?.block_on(async {
            rtest::demo(&args.url, &Transcript::stdout()).await?;
            Ok(true)
        }),
        (Some(Command::Hostile(args)), _) => runtime(NonZeroUsize::MIN)?.block_on(async {
            let length = std::time::Duration::from_secs(args.seconds);
            rtest::hostile(&args.url, args.clients, length, &Transcript::stdout()).await?;
            Ok(true)
        }),
        (Some(Command::Echo(args)), _) => runtime(args.threads.unwrap_or(processors))?.block_on(async {
            rtest::echo(listen(args.listen).await?, interrupt()).await;
            Ok(true)
        }),
        (Some(Command::Load(options)), _) => {
            // The other half is for the server.
            let half = NonZeroUsize::new(processors.get() / 2).unwrap_or(NonZeroUsize::MIN);
            runtime(options.threads.unwrap_or(half))?.block_on(async {
                let report = rtest::load(options, &Transcript::stdout(), interrupt()).await?;
                println!("{report}");
                Ok(report.errors == 0)
            })
        }
        (None, Some(args)) => runtime(processors)?.block_on(async { Ok(play(args).await?.failed == 0) }),
        (None, None) => Cli::command().error(ErrorKind::MissingSubcommand, "nothing to do").exit(),
    }
}

fn runtime(threads: NonZeroUsize) -> Result<Runtime> {
    // With one thread there is nothing to steal; the simpler scheduler takes tasks strictly in turn.
    let mut builder = if threads == NonZeroUsize::MIN {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    if threads > NonZeroUsize::MIN {
        builder.worker_threads(threads.get());
    }
    Ok(builder.enable_all().build()?)
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
