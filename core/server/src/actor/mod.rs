//! One actor for each peer: it owns the peer's socket, its protocol state, and the tasks whose first message came from it.
//! Nothing else touches them. A service task is an actor without a peer.
//!
//! An actor awaits nothing but its inputs: a turn polls mailbox, socket and timers, each up to a budget, does all that follows,
//! writes once, and yields.

mod effects;
mod io;
mod legs;
mod mail;
mod output;
mod report;
mod socket;
mod tasks;
mod websocket;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use jsip::{Admission, Detach, Stack};
use rtcd_sdk::LegId;
use rtcd_sdk::host::{Event, Hosted};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

pub(crate) use mail::{Address, Hop, Mail, Mailbox, Name, Room, Undelivered};
pub(crate) use report::Report;
pub(crate) use socket::{Closing, Socket};
pub(crate) use tasks::{HostLimits, TaskKey};
pub(crate) use websocket::WebSocket;

use crate::front::Bucket;
use crate::gauges::Told;
use crate::metrics::Dispatches;
use crate::node::{Live, Node};
use crate::overload::{self, Backlog};
use crate::spawn::{self, WaitsFor, Who};
use mail::RemoteLeg;
use socket::Read;
use tasks::{Delivered, Kind, Tasks};

/// Inputs of one kind that a turn takes. With more, a round of many busy peers takes so long that calls notice.
const INPUTS: usize = 32;
/// Effects of tasks that a turn applies.
const EFFECTS: usize = 256;

/// The task and leg that a dialog belongs to.
#[derive(Clone)]
pub(crate) enum Tag {
    /// A task of this actor.
    Local { task: TaskKey, leg: LegId },
    /// A task of another one.
    Remote(Arc<RemoteLeg>),
}

fn is_service(mailbox: &Mailbox) -> bool {
    matches!(mailbox.address().name(), Name::Service(..))
}

/// What an actor sends to itself.
enum Local {
    /// Something happened to a task, made here.
    Event(TaskKey, Box<Event>),
    /// A task may have nothing left to wait for.
    Check(TaskKey),
    /// A task has said that it ends; what it had sent is on its way.
    End(TaskKey),
}

/// See the module.
pub(crate) struct Actor {
    node: Arc<Node>,
    live: Arc<Live>,
    mailbox: Mailbox,
    stack: Stack<Tag>,
    socket: Option<Socket>,
    /// The number of the last connection that was attached.
    newest: u64,
    tasks: Tasks,
    local: VecDeque<Local>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// When it fires.
    armed: Option<Instant>,
    told: Told,
    /// Where new dialogs went in this turn.
    dispatched: Dispatches,
    /// Since when there is no socket.
    away_since: Instant,
    /// A next hop is being dialled.
    dialling: bool,
    attached_at: Instant,
    /// How many of a hop's sockets in a row have not lived long.
    short_lives: u32,
    /// A hop's socket broke and dialogs are left: it is dialled again without being asked to.
    redial: bool,
    stopping: bool,
    /// Effects that this turn may still apply.
    budget: usize,
    /// A turn has panicked.
    broken: bool,
    /// Requests of this user.
    requests: Bucket,
    backlog: Backlog,
}

impl Actor {
    /// The actor of a user or a hop.
    pub(crate) fn new(node: Arc<Node>, mailbox: Mailbox) -> Box<Self> {
        let live = node.live().clone();
        let stack = Stack::new(live.stack_of(mailbox.address().name()), rand::random());
        node.gauges.peers.fetch_add(i64::from(!is_service(&mailbox)), Relaxed);
        Box::new(Self {
            live,
            stack,
            mailbox,
            socket: None,
            newest: 0,
            tasks: Tasks::new(node.spawned.clone()),
            local: VecDeque::new(),
            sleep: None,
            armed: None,
            told: Told::default(),
            dispatched: Dispatches::default(),
            away_since: Instant::now(),
            dialling: false,
            attached_at: Instant::now(),
            short_lives: 0,
            redial: false,
            stopping: false,
            budget: EFFECTS,
            broken: false,
            requests: Bucket::new(Instant::now()),
            backlog: Backlog::new(Instant::now()),
            node,
        })
    }

    /// The actor of a service task.
    pub(crate) fn of_service(
        node: Arc<Node>,
        mailbox: Mailbox,
        name: &'static str,
        task: Box<dyn Hosted>,
    ) -> Box<Self> {
        let mut actor = Self::new(node, mailbox);
        let key = actor.tasks.add(task, Kind::Service(name), Instant::now());
        actor.local.push_back(Local::Event(key, Box::new(Event::Start)));
        actor
    }

    /// Runs until the peer is forgotten or the server stops.
    pub(crate) async fn run(mut self: Box<Self>) {
        // In a box: else the future holds the actor twice, and that is most of what an idle connection costs.
        poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| self.turn(cx))) {
            Ok(poll) => poll,
            Err(_) => {
                self.broken = true;
                Poll::Ready(())
            }
        })
        .await;
        if !self.stopping
            && let Name::User(peer) = self.mailbox.address().name()
        {
            // As long as this one stands in the directory, there is no other one of the same name.
            self.node.tell_gone(peer);
        }
        self.node.directory.remove(self.mailbox.address());
        if self.broken {
            self.give_up();
        }
        if let Some(socket) = self.socket.take() {
            self.tell();
            self.node.gauges.closing(Closing::GoingAway);
            Box::pin(socket.close(Closing::GoingAway)).await;
        }
        self.tell_end();
        let Self { node, mailbox, stopping, .. } = *self;
        let name = mailbox.address().name().clone();
        // Who finds an address closed looks it up again; what was in the box already is passed on here.
        for mail in mailbox.close().await {
            match (mail, &name) {
                (Mail::Attach(attachment), Name::User(peer)) if !stopping => node.attach(peer, *attachment),
                (Mail::Open(open), _) => legs::pass_on(&node, *open, stopping),
                (Mail::Related(related), _) => legs::refuse_homeless(*related),
                _ => {}
            }
        }
    }

    /// A bug of the server's own: what this actor holds ends, so that nobody waits for it, and its user can come again.
    fn give_up(&mut self) {
        tracing::error!(peer = %self.mailbox.address().name(), "an actor panicked; its peer's dialogs end");
        let tasks: Vec<TaskKey> = self.tasks.iter().map(|(task, _)| task).collect();
        let remotes: Vec<Arc<RemoteLeg>> = self
            .stack
            .dialogs()
            .filter_map(|dialog| match self.stack.tag(dialog.key) {
                Some(Tag::Remote(remote)) => Some(remote.clone()),
                Some(Tag::Local { .. }) | None => None,
            })
            .collect();
        for remote in remotes {
            let _ = remote.home.send(Mail::Event(Box::new((remote.task, Event::Ended { leg: remote.leg }))));
        }
        let now = Instant::now();
        for task in tasks {
            self.end(task, jsip::Release::Failed, now);
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        self.follow_settings();
        if self.node.overload.refuses(now, &self.backlog) {
            self.stack.set_admission(overload::closed_for(self.mailbox.address().number()));
        } else {
            self.stack.set_admission(Admission::Open);
        }
        self.budget = EFFECTS;
        let mut again = !self.pump(now);
        // What feeds itself must not starve the rest: each turn takes something of each kind.
        let inputs = if again { 1 } else { INPUTS };
        again |= self.read_mail(cx, now, inputs);
        let unread = self.read_socket(cx, now, inputs);
        self.look_at_backlog(now, unread);
        again |= unread;
        again |= self.run_timers(now, inputs);
        self.dial_if_needed();
        self.flush(cx, now);
        again |= self.socket.as_mut().is_some_and(Socket::is_free_again);
        self.watch(now);
        self.tell();
        if self.stopping || self.is_forgotten(now) {
            return Poll::Ready(());
        }
        if again {
            cx.waker().wake_by_ref();
        } else {
            self.arm(cx, now);
            self.shrink();
        }
        Poll::Pending
    }

    /// Gives back what only a turn needs. Most peers are silent most of the time: what each kept would be most of the server's
    /// memory, and cold when it is needed again.
    fn shrink(&mut self) {
        self.stack.shrink();
        self.tasks.shrink();
        if self.local.is_empty() {
            self.local = VecDeque::new();
        }
    }

    /// Takes new settings, if there are.
    fn follow_settings(&mut self) {
        let live = self.node.live();
        if !Arc::ptr_eq(&self.live, &live) {
            self.live = live.clone();
            self.stack.set_config(self.live.stack_of(self.mailbox.address().name()));
        }
    }

    /// Does all that follows from the inputs so far; `false` if the turn's budget did not suffice.
    fn pump(&mut self, now: Instant) -> bool {
        loop {
            while let Some(output) = self.stack.poll_output() {
                self.on_output(output, now);
            }
            if self.budget == 0 {
                return self.tasks.effects.is_empty() && self.local.is_empty();
            }
            self.budget -= 1;
            if let Some((task, wish)) = self.tasks.effects.pop_front() {
                self.grant(task, wish, now);
            } else if let Some(local) = self.local.pop_front() {
                match local {
                    Local::Event(task, event) => self.on_leg_event(task, *event),
                    Local::Check(task) => self.check(task, now),
                    Local::End(task) => self.end(task, jsip::Release::Finished, now),
                }
            } else {
                return true;
            }
        }
    }

    /// Takes so many mails; says whether more may wait.
    fn read_mail(&mut self, cx: &mut Context<'_>, now: Instant, inputs: usize) -> bool {
        for _ in 0..inputs {
            // The actor holds an address of its own box, so the box never ends.
            let Poll::Ready(Some(mail)) = self.mailbox.poll(cx) else { return false };
            self.on_mail(mail, now);
            if !self.pump(now) {
                return true;
            }
        }
        true
    }

    /// Takes so many frames; says whether more may wait.
    fn read_socket(&mut self, cx: &mut Context<'_>, now: Instant, inputs: usize) -> bool {
        for _ in 0..inputs {
            let Some(socket) = &mut self.socket else { return false };
            let Poll::Ready(read) = socket.poll_read(cx) else { return false };
            match read {
                Read::Text(text) => self.stack.handle_frame(now.into_std(), &text),
                Read::Pong(Some(count)) => self.stack.handle_arrived(now.into_std(), count),
                Read::Pong(None) | Read::Ping => self.stack.handle_alive(now.into_std()),
                // Towards a hop this server is the client: that the other side closes does not say what it has read.
                Read::Closed { clean: true } if !self.is_hop() => {
                    self.detach(Closing::Answer, Detach::Clean, now);
                }
                Read::Replaced => {
                    self.detach(Closing::Answer, Detach::Lost, now);
                    self.replaced_at_hop(now);
                }
                Read::Closed { .. } | Read::Broken => self.detach(Closing::Answer, Detach::Lost, now),
                Read::Bad(closing) => self.detach(closing, Detach::Lost, now),
            }
            if !self.pump(now) {
                return true;
            }
        }
        true
    }

    /// Looks how long what is left in the socket will wait.
    fn look_at_backlog(&mut self, now: Instant, unread: bool) {
        let Some(socket) = &mut self.socket else { return };
        let (read, left) = (socket.take_read(), if unread { socket.unread() } else { 0 });
        if self.backlog.turn(now, read, left, self.live.settings.limits.overload) {
            self.node.overload.add_peer();
            let peer = self.mailbox.address().name();
            tracing::debug!(%peer, "sends more than can be done: its new dialogs get 503 until less waits");
        }
    }

    /// Does what is due, so many timers of tasks at most; says whether more may be.
    fn run_timers(&mut self, now: Instant, inputs: usize) -> bool {
        if self
            .socket
            .as_ref()
            .and_then(|socket| socket.stalled)
            .is_some_and(|since| now >= since + self.stall())
        {
            self.cut_slow(now);
        }
        if self.stack.poll_timeout().is_some_and(|at| at <= now.into_std()) {
            self.stack.handle_timeout(now.into_std());
        }
        for _ in 0..inputs {
            if !self.pump(now) {
                return true;
            }
            let Some((task, timer)) = self.tasks.due(now) else { return false };
            self.deliver(task, Event::Timer { timer });
            self.local.push_back(Local::Check(task));
        }
        !self.pump(now) || self.tasks.next_due().is_some_and(|at| at <= now)
    }

    fn flush(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Some(socket) = &mut self.socket else { return };
        match socket.flush(cx, now) {
            Ok(()) => {}
            Err(Closing::Slow) => self.cut_slow(now),
            Err(closing) => self.detach(closing, Detach::Lost, now),
        }
    }

    fn is_hop(&self) -> bool {
        matches!(self.mailbox.address().name(), Name::Hop(_))
    }

    /// Lets the socket go; the peer is away from here on.
    fn detach(&mut self, closing: Closing, detach: Detach, now: Instant) {
        let Some(socket) = self.socket.take() else { return };
        tracing::debug!(peer = %self.mailbox.address().name(), remote = %socket.remote, ?closing, "detached");
        self.let_go(socket, closing);
        self.away_since = now;
        self.count_life(now);
        self.redial = true;
        self.stack.handle_detached(now.into_std(), detach);
    }

    /// Closes a socket beside this actor.
    fn let_go(&self, socket: Socket, closing: Closing) {
        self.node.gauges.closing(closing);
        let name = self.mailbox.address().name().clone();
        self.node
            .spawned
            .spawn(spawn::Kind::Closer, Who::Actor(name), WaitsFor::Goodbye, |_| socket.close(closing));
    }

    fn cut_slow(&mut self, now: Instant) {
        self.node.gauges.slow_readers.fetch_add(1, Relaxed);
        tracing::info!(peer = %self.mailbox.address().name(), "cut off: reads too slowly");
        self.detach(Closing::Slow, Detach::Lost, now);
    }

    /// Wakes this actor when the next thing is due.
    fn arm(&mut self, cx: &mut Context<'_>, now: Instant) {
        let stack = self.stack.poll_timeout().map(Instant::from_std);
        let stalled =
            self.socket.as_ref().and_then(|socket| socket.stalled).map(|since| since + self.stall());
        let forgotten = self.may_be_forgotten().then(|| self.away_since + self.live.settings.jsip.away_grace);
        let Some(next) = [stack, self.tasks.next_due(), stalled, forgotten].into_iter().flatten().min()
        else {
            return;
        };
        // A timer that fires too early costs a turn; looking at it, or moving it, for each message costs more.
        if self.armed.is_some_and(|at| at > now && at <= next) {
            return;
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(next)));
        sleep.as_mut().reset(next);
        self.armed = Some(next);
        // Whatever this turn has used up: a timer that is not looked at now would wake nobody.
        if Pin::new(&mut unconstrained(sleep.as_mut())).poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Names a service that computes for long: it holds up its peer, and a thread.
    fn watch(&self, since: Instant) {
        const LONG: Duration = Duration::from_millis(100);
        let took = since.elapsed();
        if took >= LONG {
            self.node.gauges.long_turns.fetch_add(1, Relaxed);
            let services: Vec<&str> = self.tasks.iter().map(|(_, slot)| slot.kind.name()).take(4).collect();
            let peer = self.mailbox.address().name();
            tracing::warn!(%peer, ?services, ?took, "a turn took long: does a handler compute? see spawn_blocking");
        }
    }

    fn stall(&self) -> Duration {
        self.live.settings.rtc.write_stall
    }

    fn may_be_forgotten(&self) -> bool {
        self.socket.is_none() && !self.dialling && self.tasks.is_empty() && self.stack.is_idle()
    }

    fn is_forgotten(&self, now: Instant) -> bool {
        self.may_be_forgotten()
            && now >= self.away_since + self.live.settings.jsip.away_grace
            && self.mailbox.is_empty()
            && self.local.is_empty()
    }

    /// Tells the node what there is now.
    fn tell(&mut self) {
        let counts = self.stack.counts();
        let now = Told {
            connections: i64::from(self.socket.is_some()),
            dialogs: counts.dialogs as i64,
            sessions: counts.sessions as i64,
            transactions: counts.transactions as i64,
            lingering: counts.lingering as i64,
            queued: counts.queued as i64,
            // A service task is part of the furniture.
            tasks: if is_service(&self.mailbox) { 0 } else { self.tasks.len() as i64 },
        };
        self.node.gauges.tell(&mut self.told, now);
        self.node.tally.add(&mut self.stack, &mut self.dispatched);
    }

    fn tell_end(&mut self) {
        self.node.tally.add(&mut self.stack, &mut self.dispatched);
        self.node.gauges.tell(&mut self.told, Told::default());
        self.node.gauges.peers.fetch_sub(i64::from(!is_service(&self.mailbox)), Relaxed);
    }

    /// Hands an event to a task of this actor.
    fn deliver(&mut self, task: TaskKey, event: Event) {
        match self.tasks.deliver(task, event, self.mailbox.address(), self.live.host) {
            Delivered::Taken | Delivered::Gone => {}
            Delivered::Full(event) => self.refuse_full(task, *event),
        }
    }
}
