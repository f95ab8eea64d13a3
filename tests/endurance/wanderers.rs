//! Clients that come, do something that is not the usual, and go; again and again, each time as another user.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::churn;
use super::line::Cut;
use super::pair::Pair;
use super::party::Party;

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanderer {
    /// Call, lose their sockets with requests under way, and come back.
    ComeBack,
    /// Are gone for ever in mid-call.
    Vanish,
    /// Are gone for ever while it rings.
    VanishEarly,
    /// Ask those who do not answer.
    TimeOut,
    /// Connect and go.
    Visit,
}

impl Wanderer {
    /// How many there are of each at a time, and how often one begins anew at most.
    const ALL: [(Self, usize, Duration); 5] = [
        (Self::ComeBack, 4, Duration::from_millis(200)),
        (Self::Vanish, 2, Duration::from_millis(500)),
        (Self::VanishEarly, 2, Duration::from_millis(500)),
        (Self::TimeOut, 8, Duration::from_millis(500)),
        (Self::Visit, 4, Duration::from_millis(100)),
    ];

    /// All, until the time is over and each has done what it had begun. How often each was done.
    pub(crate) async fn wander(rtc: SocketAddr, end: Instant) -> BTreeMap<Self, usize> {
        let mut tasks = JoinSet::new();
        for (wanderer, count, pause) in Self::ALL {
            for index in 0..count {
                tasks.spawn(async move {
                    let mut tick = interval(pause);
                    let mut times = 0;
                    while Instant::now() < end {
                        tick.tick().await;
                        wanderer.once(rtc, times * count + index).await;
                        times += 1;
                    }
                    (wanderer, times)
                });
            }
        }
        let mut done = BTreeMap::new();
        for (wanderer, times) in tasks.join_all().await {
            *done.entry(wanderer).or_default() += times;
        }
        done
    }

    async fn once(self, rtc: SocketAddr, number: usize) {
        /// The shortest that a call may ask for.
        const EXPIRE: u64 = 5;
        let cut = if number.is_multiple_of(2) { Cut::Reset } else { Cut::Finish };
        let name = format!("{self:?}");
        match self {
            Self::ComeBack => {
                let mut call = Pair::call(rtc, &name, number, cut, 600).await;
                for _ in 0..3 {
                    call.say().await;
                    call.cut();
                    call.come_back().await;
                    call.answered().await;
                }
                call.end().await;
            }
            Self::Vanish => Pair::call(rtc, &name, number, cut, EXPIRE).await.cut(),
            Self::VanishEarly => {
                let mut pair = Pair::arrive(rtc, &name, number, cut).await;
                pair.callee.is_silent = true;
                pair.caller.ask("INVITE", &pair.callee.user, json!({})).await;
                pair.cut();
            }
            Self::TimeOut => time_out(Pair::arrive(rtc, &name, number, cut).await).await,
            Self::Visit => drop(churn::visit(rtc, number).await),
        }
    }
}

/// Nobody answers: neither a user, nor a service, nor this client a service.
async fn time_out(mut pair: Pair) {
    pair.callee.is_silent = true;
    let (caller, callee) = (&mut pair.caller, &pair.callee);
    caller.ask("INVITE", &callee.user, json!({})).await;
    ask_service(caller, "Recv_MESSAGE_Timeout").await;
    ask_service(caller, "Recv_INVITE_Timeout").await;
    pair.answered().await;
    for codes in pair.caller.finals.values() {
        assert!(codes.iter().eq([&408]), "{:?}", pair.caller.finals);
    }
    // The service asks back, and the client is silent.
    pair.caller.finals.clear();
    pair.caller.is_silent = true;
    ask_service(&mut pair.caller, "Send_MESSAGE_Timeout").await;
    pair.answered().await;
    pair.caller.close().await;
    pair.callee.close().await;
}

async fn ask_service(party: &mut Party, case: &str) {
    let method = if case.contains("INVITE") { "INVITE" } else { "MESSAGE" };
    let more: Value =
        json!({"DialogueID": format!("{case}-{}", party.user), "Router": "x@h;type=conformance"});
    party.ask(method, case, more).await;
}
