//! Two users who call each other through the service `call`.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::line::Cut;
use super::party::{Party, said};

/// How long a step may take: never waited out unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) caller: Party,
    pub(crate) callee: Party,
    /// How many things were said, by each.
    said: u64,
}

impl Pair {
    /// Both connected, with no call.
    pub(crate) async fn arrive(rtc: SocketAddr, name: &str, number: usize, cut: Cut) -> Self {
        let party = |side| Party::new(rtc, format!("{side}-{name}-{number}@endurance"), number, cut);
        let mut pair = Self { caller: party("a"), callee: party("b"), said: 0 };
        pair.caller.arrive().await;
        pair.callee.arrive().await;
        pair
    }

    /// A call that is up.
    pub(crate) async fn call(rtc: SocketAddr, name: &str, number: usize, cut: Cut, expire: u64) -> Self {
        let mut pair = Self::arrive(rtc, name, number, cut).await;
        pair.caller.ask("INVITE", &pair.callee.user, json!({"Expire": expire})).await;
        pair.until("the call is up", |pair| pair.caller.is_answered() && pair.callee.has_ack).await;
        pair
    }

    /// Each says something, and does not wait for the answer.
    pub(crate) async fn say(&mut self) {
        self.said += 1;
        self.caller.ask("INFO", &self.callee.user, said(self.said)).await;
        self.callee.ask("INFO", &self.callee.user.clone(), said(self.said)).await;
    }

    /// Waits until all that was said has been answered.
    pub(crate) async fn answered(&mut self) {
        self.until("all is answered", |pair| pair.caller.is_answered() && pair.callee.is_answered()).await;
    }

    /// Both sockets break.
    pub(crate) fn cut(&mut self) {
        self.caller.cut();
        self.callee.cut();
    }

    /// Both come back.
    pub(crate) async fn come_back(&mut self) {
        for party in [&mut self.caller, &mut self.callee] {
            party.connect().await.unwrap_or_else(|error| panic!("{}: {error}", party.user));
        }
    }

    /// Each request of each has one final answer, a 200, and each thing that was said was heard once.
    pub(crate) fn check(&self) {
        for party in [&self.caller, &self.callee] {
            for (cseq, codes) in &party.finals {
                assert!(codes.iter().eq([&200]), "{}: {cseq}: {codes:?}", party.user);
            }
            let heard: Vec<_> = party.heard.iter().map(|(number, times)| (*number, times.len())).collect();
            let all: Vec<_> = (1..=self.said).map(|number| (number, 1)).collect();
            assert_eq!(heard, all, "{}", party.user);
        }
    }

    /// The caller hangs up, both have their answers, and leave.
    pub(crate) async fn end(mut self) {
        self.caller.ask("BYE", &self.callee.user, json!({})).await;
        self.until("the call is over", |pair| pair.caller.is_answered() && pair.callee.is_over).await;
        self.check();
        self.caller.close().await;
        self.callee.close().await;
    }

    /// Reads until this is so.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let read = timeout(PATIENCE, async {
            while !is_so(self) {
                self.read().await;
            }
        });
        if read.await.is_err() {
            panic!("never: {what}: {self:#?}");
        }
    }

    /// Takes the next frame of either.
    pub(crate) async fn read(&mut self) {
        let (is_callers, frame) = tokio::select! {
            frame = self.caller.frame() => (true, frame),
            frame = self.callee.frame() => (false, frame),
        };
        let party = if is_callers { &mut self.caller } else { &mut self.callee };
        party.on_frame(frame).await;
    }
}
