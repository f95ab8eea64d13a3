//! Load beside a test.

use clap::Parser;
use rtest::cli::{Cli, Command};
use rtest::{Report, Transcript};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A load that runs until it is told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    stop: oneshot::Sender<()>,
    run: JoinHandle<Report>,
}

impl Load {
    /// Starts `rtest load` with these arguments.
    pub(crate) fn start(rtc: std::net::SocketAddr, arguments: &str) -> Self {
        let url = format!("ws://{rtc}/rtc");
        let fixed = ["rtest", "load", "--url", &url, "--seconds", "86400", "--warmup", "0"];
        let cli = Cli::try_parse_from(fixed.into_iter().chain(arguments.split(' '))).unwrap();
        let Some(Command::Load(options)) = cli.command else { panic!("no load: {arguments}") };
        let (stop, stopped) = oneshot::channel();
        let run = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            rtest::load(options, &Transcript::new(|_| {}), stopped).await.unwrap()
        });
        Self { stop, run }
    }

    /// Ends the load; each unit that began has its time to end.
    pub(crate) async fn end(self) -> Report {
        // Gone if the load has ended by itself.
        let _ = self.stop.send(());
        self.run.await.unwrap()
    }
}
