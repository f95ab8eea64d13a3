//! The signals of a running server.

use std::io;

use rtcd_server::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::mpsc;

/// All signals that are handled. Several of one kind that come before they are taken count as one.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
    user1: unix::Signal,
}

impl Signals {
    /// Takes them over from the system, whose own ways would end the process.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Passes them on; the first that ends the server is also told to `ending`.
    pub(crate) fn pass_on(mut self, ending: fn()) -> mpsc::Receiver<Signal> {
        // One that waits is enough: what comes meanwhile waits with the system.
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut ends = false;
            loop {
                let signal = self.next().await;
                if matches!(signal, Signal::Stop | Signal::Kill) && !ends {
                    ends = true;
                    ending();
                }
                if sender.send(signal).await.is_err() {
                    break;
                }
            }
        });
        receiver
    }

    /// The next one; those that end the server come first.
    async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Kill,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.quit.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.user1.recv() => Signal::Reopen,
        }
    }
}
