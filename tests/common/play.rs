//! Scripts of `tests/scripts`, run by rtest against the server.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use rtest::{Script, Tally, Transcript, Uac};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, TestServer};

/// A script that runs.
#[derive(Debug)]
pub(crate) struct Playing {
    user: String,
    lines: watch::Receiver<Vec<String>>,
    run: JoinHandle<Tally>,
}

/// Starts a script as this user.
pub(crate) fn play(server: &TestServer, user: &str, script: &str) -> Playing {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(format!("{script}.json"));
    let script = Script::load(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let uac = Uac { url: server.url(user), script, runs: NonZeroU64::MIN, concurrency: NonZeroUsize::MIN };
    let (sender, lines) = watch::channel(Vec::new());
    let who = user.split('@').next().unwrap_or_default().to_owned();
    let transcript = Transcript::new(move |line| {
        let line = line.strip_prefix("[1]").map_or_else(|| line.to_owned(), |line| format!("{who}{line}"));
        sender.send_modify(|lines| lines.push(line));
    });
    // No script takes that long.
    let shutdown = sleep(2 * PATIENCE);
    let run = tokio::spawn(async move { uac.run(&transcript, shutdown).await });
    Playing { user: user.to_owned(), lines, run }
}

impl Playing {
    /// Waits until this many lines of the transcript contain a text.
    pub(crate) async fn saw(&mut self, text: &str, times: usize) {
        let seen =
            self.lines.wait_for(|lines| lines.iter().filter(|line| line.contains(text)).count() >= times);
        let seen = timeout(PATIENCE, seen).await.is_ok_and(|seen| seen.is_ok());
        assert!(seen, "{}: {text:?} was not seen: {:#?}", self.user, self.lines.borrow());
    }

    /// Waits for the end, which has to be a success, and gives the transcript.
    pub(crate) async fn end(self) -> String {
        let tally = self.run.await.unwrap();
        let text = self.lines.borrow().join("\n");
        assert_eq!((tally.failed, tally.succeeded), (0, 1), "{}:\n{text}", self.user);
        text + "\n"
    }
}
