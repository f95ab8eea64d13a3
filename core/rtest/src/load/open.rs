//! Opens the connections of a load run, each with its work.

use std::sync::{Arc, OnceLock};

use futures_util::future::join_all;
use futures_util::task::AtomicWaker;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::call::{Callee, Caller};
use super::chat::{Member, Room};
use super::connection::{Connection, Pace, Phase};
use super::message::Messages;
use super::options::{self, LoadOptions};
use super::pacer::Schedule;
use super::session::Session;
use super::wire::{Fixed, quoted};
use super::work::{Shared, Work};
use crate::dial::{Dial, DialError};

/// Connections that are dialled at once.
const AT_ONCE: usize = 64;

/// Bytes; the load maker's memory is on the same machine.
const READ_BUFFER: usize = 8 * 1024;

/// All connections of a run.
pub(super) struct Fleet {
    pub(super) tasks: JoinSet<()>,
    /// How many are ready to begin.
    pub(super) ready: usize,
    /// To be woken when a unit is due.
    pub(super) wakers: Vec<Arc<AtomicWaker>>,
    /// Set when units may begin.
    pub(super) start: Arc<OnceLock<Instant>>,
}

impl Fleet {
    /// Opens all connections and waits until each is ready, or has failed, or has had its time.
    pub(super) async fn open(shared: &Arc<Shared>, phase: &watch::Receiver<Phase>) -> Self {
        let plan = Plan::new(&shared.options);
        let mut fleet =
            Self { tasks: JoinSet::new(), ready: 0, wakers: Vec::new(), start: Arc::clone(&plan.start) };
        let mut waiting = Vec::new();
        let indices: Vec<usize> = (0..shared.options.connections.get()).collect();
        for chunk in indices.chunks(AT_ONCE) {
            for (index, dialled) in
                join_all(chunk.iter().map(|&index| plan.dial(&shared.options, index))).await
            {
                let socket = match dialled {
                    Ok(socket) => socket,
                    Err(error) => {
                        shared.stats.error(1, &format!("connect failed: {error}"));
                        continue;
                    }
                };
                let Role { work, pace, waker } = plan.role(&shared.options, index);
                if let Pace::Open(_) = pace {
                    fleet.wakers.push(Arc::clone(&waker));
                }
                let (ready, when_ready) = oneshot::channel();
                waiting.push(when_ready);
                let connection = Connection {
                    socket,
                    work,
                    pace,
                    waker,
                    shared: Arc::clone(shared),
                    out: Vec::new(),
                    blocked: false,
                    ready: Some(ready),
                };
                fleet.tasks.spawn(connection.run(phase.clone()));
            }
        }
        let limit = Instant::now() + shared.options.timeout();
        for when_ready in waiting {
            match timeout(limit.saturating_duration_since(Instant::now()), when_ready).await {
                Ok(Ok(())) => fleet.ready += 1,
                // Its task has said why.
                Ok(Err(_lost)) => {}
                Err(_elapsed) => shared.stats.error(1, "connection never ready"),
            }
        }
        fleet
    }
}

/// What a connection is to be.
struct Role {
    work: Box<dyn Work>,
    pace: Pace,
    waker: Arc<AtomicWaker>,
}

/// Who does what.
struct Plan {
    /// Of this run alone, in front of each DialogueID: a server may still know those of the last one.
    run: u64,
    name: String,
    room: Arc<Room>,
    start: Arc<OnceLock<Instant>>,
}

impl Plan {
    fn new(options: &LoadOptions) -> Self {
        Self {
            run: std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id()),
            name: options.name(),
            room: Arc::new(Room::new(Instant::now(), options.connections.get(), options.senders.get())),
            start: Arc::new(OnceLock::new()),
        }
    }

    /// The user of connection `index`. Of two that call each other one is `a`, the other `b`.
    fn user(&self, options: &LoadOptions, index: usize) -> String {
        match options.work {
            options::Work::Call2 => self.call_user(if is_caller(index) { 'a' } else { 'b' }, index),
            _ => format!("u{}-{}@load.local", index + 1, self.name),
        }
    }

    fn call_user(&self, side: char, index: usize) -> String {
        format!("{side}{}-{}@load.local", index / 2 + 1, self.name)
    }

    async fn dial(
        &self,
        options: &LoadOptions,
        index: usize,
    ) -> (usize, Result<tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>, DialError>) {
        let dial = Dial {
            source: options.source(index),
            zero_linger: options.spread,
            read_buffer: Some(READ_BUFFER),
        };
        (index, dial.open(&options.url_of(&self.user(options, index))).await)
    }

    fn role(&self, options: &LoadOptions, index: usize) -> Role {
        let user = self.user(options, index);
        let prefix = format!("{:016x}-{index}-", self.run);
        let (uri, router) = (options.request_uri(), options.router());
        let body = format!(r#","Body":{}"#, quoted(&"x".repeat(options.body)));
        // Of those that begin units: the number of this one, and of all.
        let (index, beginners) = match options.work {
            options::Work::Call2 => (index / 2, options.connections.get() / 2),
            options::Work::Chat => (index, options.senders.get()),
            options::Work::Message | options::Work::Call | options::Work::Session | options::Work::Idle => {
                (index, options.connections.get())
            }
        };
        let active = match options.rate {
            Some(rate) => Pace::Open(Schedule::new(Arc::clone(&self.start), index, beginners, rate)),
            None => Pace::Closed(options.in_flight.get()),
        };
        let mut waker = Arc::new(AtomicWaker::new());
        let (work, pace): (Box<dyn Work>, Pace) = match options.work {
            options::Work::Message => {
                let fixed = Fixed::new(&uri, &user, &uri, router, &body);
                (Box::new(Messages::new(prefix, fixed, false)), active)
            }
            options::Work::Idle => {
                let fixed = Fixed::new(&uri, &user, &uri, router, &body);
                (Box::new(Messages::new(prefix, fixed, true)), Pace::Passive)
            }
            options::Work::Call => {
                let invite = Fixed::new(&uri, &user, &uri, router, &body);
                let later = Fixed::new(&uri, &user, &uri, "", "");
                (Box::new(Caller::new(prefix, invite, later)), active)
            }
            options::Work::Session => {
                let expire = format!(r#","Expire":{}{body}"#, options.expire());
                let invite = Fixed::new(&uri, &user, &uri, router, &expire);
                let later = Fixed::new(&uri, &user, &uri, "", "");
                let info = Fixed::new(&uri, &user, &uri, "", &body);
                (Box::new(Session::new(prefix, invite, info, later)), active)
            }
            options::Work::Call2 if user.starts_with('a') => {
                let callee = self.call_user('b', index * 2);
                let invite = Fixed::new(&callee, &user, &callee, router, &body);
                let later = Fixed::new(&callee, &user, &callee, "", "");
                (Box::new(Caller::new(prefix, invite, later)), active)
            }
            options::Work::Call2 => (Box::new(Callee::default()), Pace::Passive),
            options::Work::Chat => {
                let identity = format!(r#","P-Asserted-Identity":{}"#, quoted(&user));
                let fixed = Fixed::new(&uri, &user, &uri, router, &identity);
                let pace = match self.room.waker(index) {
                    Some(own) => {
                        waker = own;
                        active
                    }
                    None => Pace::Passive,
                };
                (Box::new(Member::new(Arc::clone(&self.room), prefix, fixed, index)), pace)
            }
        };
        Role { work, pace, waker }
    }
}

fn is_caller(index: usize) -> bool {
    index.is_multiple_of(2)
}
