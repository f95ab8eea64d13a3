//! The tasks that live with an actor: polled in place, moved away while they wait, and back.
//!
//! The home alone keeps the order of a task's events, also while the task is away.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jsip::{DialogId, DialogKey};
use rtcd_sdk::host::{Effect, Event, Hosted, LegMap, Outbox, TaskFault};
use rtcd_sdk::{LegId, TimerId};
use slab::Slab;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::mail::{Address, Homecoming, Mail, Name};
use crate::logs;
use crate::services::{Binding, Live};
use crate::spawn::{self, Doing, Spawned, WaitsFor, Who};

/// A task of one actor. A key is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    index: u32,
    generation: u32,
}

/// Where a leg leads.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A dialog of this actor's own peer.
    Here(DialogKey),
    /// A dialog of another peer.
    There { peer: Address, dialog: DialogId },
    /// Nowhere yet: the peer is not known or has no room, which the task is being told.
    Nowhere,
}

/// What an actor knows of a task.
pub(crate) struct Slot {
    generation: u32,
    state: State,
    pub(crate) kind: Kind,
    pub(crate) legs: LegMap<Place>,
    pub(crate) related: Vec<String>,
    /// Counts the legs that peers opened; shared with the map of related ids.
    pub(crate) received: Option<Arc<AtomicU64>>,
    timers: HashMap<TimerId, Instant, foldhash::fast::FixedState>,
    /// The task has said that it ends.
    pub(crate) finishing: bool,
    pub(crate) since: Instant,
    /// What its log lines are about, if it is a session.
    session: Option<Arc<Session>>,
}

enum State {
    Here(Box<dyn Hosted>),
    Away(VecDeque<Event>),
}

/// What a task belongs to.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A task of a service, made for a dialog.
    Slp(Live),
    /// A service task: it does not end.
    Service(&'static str),
}

impl Kind {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Slp(live) => &live.binding().implementation,
            Self::Service(name) => name,
        }
    }
}

/// What came of handing an event to a task.
pub(crate) enum Delivered {
    /// It was handled or waits for the task to come home.
    Taken,
    /// The task is not there any more, or has said that it ends.
    Gone,
    /// Too much waits for the task already.
    Full(Box<Event>),
}

/// Limits of hosting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostLimits {
    /// How long a handler may take.
    pub(crate) handler_timeout: Duration,
    /// New requests that wait for a task that is away.
    pub(crate) away_queue: usize,
    /// Mails that wait for a service task that is away.
    pub(crate) service_queue: usize,
}

/// All tasks of an actor.
pub(crate) struct Tasks {
    slots: Slab<Slot>,
    generation: u32,
    out: Outbox,
    due: BTreeSet<(Instant, TaskKey, TimerId)>,
    /// What tasks want done, in order.
    pub(crate) effects: VecDeque<(TaskKey, Wish)>,
    spawned: Spawned,
}

/// Something in the queue of what tasks want done.
pub(crate) enum Wish {
    /// An effect.
    Do(Effect),
    /// All before it is done: the task that waits for that may go on.
    Done(oneshot::Sender<()>),
    /// The handler failed; what it had sent before has left.
    Fault(TaskFault),
}

impl Tasks {
    pub(crate) fn new(spawned: Spawned) -> Self {
        Self {
            slots: Slab::new(),
            generation: 0,
            out: Outbox::default(),
            due: BTreeSet::new(),
            effects: VecDeque::new(),
            spawned,
        }
    }

    /// Gives the room back that is not used now.
    pub(crate) fn shrink(&mut self) {
        self.out.shrink();
        if self.effects.is_empty() {
            self.effects = VecDeque::new();
        }
        if self.slots.is_empty() && self.slots.capacity() > 0 {
            self.slots = Slab::new();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TaskKey, &Slot)> {
        self.slots
            .iter()
            .map(|(index, slot)| (TaskKey { index: index as u32, generation: slot.generation }, slot))
    }

    pub(crate) fn add(&mut self, task: Box<dyn Hosted>, kind: Kind, now: Instant) -> TaskKey {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        if self.slots.capacity() == 0 {
            // Most peers have one task at a time; a vector would begin with room for four.
            self.slots = Slab::with_capacity(1);
        }
        let index = self.slots.insert(Slot {
            generation,
            state: State::Here(task),
            kind,
            legs: LegMap::default(),
            related: Vec::new(),
            received: None,
            timers: HashMap::default(),
            finishing: false,
            since: now,
            session: None,
        });
        TaskKey { index: index as u32, generation }
    }

    pub(crate) fn find(&mut self, key: TaskKey) -> Option<&mut Slot> {
        self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)
    }

    /// Takes a task out, with its timers. One that is away is dropped when it comes back.
    pub(crate) fn remove(&mut self, key: TaskKey) -> Option<Slot> {
        let timers = mem::take(&mut self.find(key)?.timers);
        for (timer, at) in timers {
            self.due.remove(&(at, key, timer));
        }
        self.slots.try_remove(key.index as usize)
    }

    /// Hands an event to a task, and polls it once in place.
    pub(crate) fn deliver(
        &mut self,
        key: TaskKey,
        event: Event,
        home: &Address,
        limits: HostLimits,
    ) -> Delivered {
        let Some(slot) =
            self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)
        else {
            return Delivered::Gone;
        };
        if slot.finishing {
            return Delivered::Gone;
        }
        match &mut slot.state {
            State::Away(queue) => {
                let room = match &event {
                    Event::Request { request, .. } if super::mail::request_competes(request) => {
                        limits.away_queue
                    }
                    // The mailbox has taken it.
                    Event::Mail(_) => limits.service_queue,
                    Event::Request { .. }
                    | Event::Start
                    | Event::Response { .. }
                    | Event::Ended { .. }
                    | Event::Timer { .. } => usize::MAX,
                };
                if queue.len() >= room {
                    return Delivered::Full(Box::new(event));
                }
                queue.push_back(event);
            }
            State::Here(_) => self.run(key, event, home, limits),
        }
        Delivered::Taken
    }

    fn run(&mut self, key: TaskKey, event: Event, home: &Address, limits: HostLimits) {
        let Some(slot) = self.slots.get_mut(key.index as usize) else { return };
        let State::Here(mut task) = mem::replace(&mut slot.state, State::Away(VecDeque::new())) else {
            return;
        };
        let session = slot.session.clone();
        let dialog = if session.is_none() { dialog_of(&event) } else { None };
        task.start(event, self.out.clone());
        // A task that waits is polled again when it is spawned, so no wake is lost.
        let mut poll = || task.poll(&mut Context::from_waker(Waker::noop()));
        let polled = match session.clone() {
            Some(session) => logs::about(session, poll),
            None => poll(),
        };
        match polled {
            Poll::Ready(end) => {
                let finishing = self.gather(key);
                self.settle(key, task, end, finishing);
            }
            Poll::Pending => {
                self.gather(key);
                // It goes on when what it has sent so far is done.
                let (done, when_done) = oneshot::channel();
                self.effects.push_back((key, Wish::Done(done)));
                let Some(slot) = self.slots.get(key.index as usize) else { return };
                let dialog = session.as_ref().map(|session| &session.dialog).or(dialog.as_ref());
                let span = span_of(slot.kind.name(), home, dialog);
                let (out, timeout) = (mem::take(&mut self.out), limits.handler_timeout);
                let who = Who::Task(home.name().clone(), key);
                let home = home.clone();
                self.spawned.spawn(spawn::Kind::Handler, who, WaitsFor::Home, |doing| {
                    away(key, task, out, home, timeout, (when_done, doing)).instrument(span)
                });
            }
        }
    }

    /// Moves what the task wants done to the queue of the actor. Says whether it wants to end.
    fn gather(&mut self, key: TaskKey) -> bool {
        let before = self.effects.len();
        self.out.take_into(&mut Keyed { key, to: &mut self.effects });
        self.effects.range(before..).any(|(_, effect)| matches!(effect, Wish::Do(Effect::Finish)))
    }

    /// A task that was away is home again.
    pub(crate) fn back(
        &mut self,
        key: TaskKey,
        task: Box<dyn Hosted>,
        end: Result<(), TaskFault>,
        home: &Address,
        limits: HostLimits,
    ) {
        let waiting = match self.find(key).map(|slot| &mut slot.state) {
            Some(State::Away(queue)) => mem::take(queue),
            Some(State::Here(_)) | None => return,
        };
        self.settle(key, task, end, false);
        for event in waiting {
            // If it goes away again, the rest queues behind, in order; if it has ended, its dialogs are being released.
            let _ = self.deliver(key, event, home, limits);
        }
    }

    fn settle(&mut self, key: TaskKey, task: Box<dyn Hosted>, end: Result<(), TaskFault>, finishing: bool) {
        let lost = task.is_lost();
        let Some(slot) = self.find(key) else { return };
        slot.state = State::Here(task);
        slot.finishing |= finishing || lost;
        if let Err(fault) = end {
            if matches!(slot.kind, Kind::Slp(_)) {
                slot.finishing = true;
            }
            self.effects.push_back((key, Wish::Fault(fault)));
        }
    }

    /// Sets a timer of a task.
    pub(crate) fn set_timer(&mut self, key: TaskKey, timer: TimerId, at: Instant) {
        let Some(slot) = self.find(key) else { return };
        slot.timers.insert(timer, at);
        self.due.insert((at, key, timer));
    }

    /// Takes a timer back, also one that waits for its task to come home.
    pub(crate) fn cancel_timer(&mut self, key: TaskKey, timer: TimerId) {
        let Some(slot) = self.find(key) else { return };
        if let Some(at) = slot.timers.remove(&timer) {
            self.due.remove(&(at, key, timer));
        } else if let State::Away(queue) = &mut slot.state {
            queue.retain(|event| !matches!(event, Event::Timer { timer: due } if *due == timer));
        }
    }

    /// A timer that is due, taken out.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(TaskKey, TimerId)> {
        let (at, key, timer) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        if let Some(slot) = self.find(key) {
            slot.timers.remove(&timer);
        }
        Some((key, timer))
    }

    /// When the next timer is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _, _)| *at)
    }
}

impl Slot {
    /// Whether the task has nothing left to wait for.
    pub(crate) fn is_idle(&self) -> bool {
        let home = match &self.state {
            State::Here(_) => true,
            State::Away(_) => false,
        };
        home && self.legs.is_empty()
            && self.timers.is_empty()
            && self.related.is_empty()
            && matches!(self.kind, Kind::Slp(_))
    }

    /// What the task waits for, for people.
    pub(crate) fn waits_for(&self) -> &'static str {
        match &self.state {
            State::Here(_) => "a message",
            State::Away(_) => "its handler",
        }
    }

    /// The task is a session: what its handlers log says so.
    pub(crate) fn is_session(&mut self, home: &Address, dialog: &DialogId) {
        let service = match &self.kind {
            Kind::Slp(live) => live.binding().clone(),
            Kind::Service(_) => return,
        };
        self.session = Some(Arc::new(Session { service, home: home.clone(), dialog: dialog.detached() }));
    }

    /// The id of the next leg that a peer opens with this task.
    pub(crate) fn received(&mut self) -> Arc<AtomicU64> {
        // 0 is the leg of the first dialog.
        self.received.get_or_insert_with(|| Arc::new(AtomicU64::new(1))).clone()
    }
}

/// What lines of a session's handlers say; where a handler waits, its span says the same.
struct Session {
    service: Arc<Binding>,
    home: Address,
    dialog: DialogId,
}

impl logs::Context for Session {
    fn name(&self) -> &'static str {
        "task"
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("service", self.service.implementation.clone()),
            ("peer", self.home.name().to_string()),
            ("dialog", self.dialog.as_str().to_owned()),
        ]
    }
}

/// Lines of all levels have it.
fn span_of(service: &str, home: &Address, dialog: Option<&DialogId>) -> Span {
    let dialog = dialog.map(DialogId::as_str);
    match home.name() {
        // As nearly always: what is text already need not be made into text.
        Name::User(user) => tracing::error_span!("task", service, peer = user.as_str(), dialog),
        name => tracing::error_span!("task", service, peer = %name, dialog),
    }
}

fn dialog_of(event: &Event) -> Option<DialogId> {
    match event {
        Event::Request { request, .. } => Some(request.dialog.clone()),
        Event::Response { response, .. } => Some(response.dialog.clone()),
        Event::Start | Event::Ended { .. } | Event::Timer { .. } | Event::Mail(_) => None,
    }
}

/// The id of the next leg that a peer opens with a task.
pub(crate) fn next_received(counter: &AtomicU64) -> LegId {
    LegId::received(counter.fetch_add(1, Relaxed))
}

struct Keyed<'a> {
    key: TaskKey,
    to: &'a mut VecDeque<(TaskKey, Wish)>,
}

impl Extend<Effect> for Keyed<'_> {
    fn extend<I: IntoIterator<Item = Effect>>(&mut self, effects: I) {
        self.to.extend(effects.into_iter().map(|effect| (self.key, Wish::Do(effect))));
    }
}

/// Goes on with a handler that waits. What it sends goes home at once; the handler goes on when the home has done it.
async fn away(
    key: TaskKey,
    mut task: Box<dyn Hosted>,
    out: Outbox,
    home: Address,
    timeout: Duration,
    (sent_so_far, doing): (oneshot::Receiver<()>, Doing),
) {
    // An error: the task was ended meanwhile.
    if sent_so_far.await.is_err() {
        return;
    }
    let mut deadline = std::pin::pin!(tokio::time::sleep(timeout));
    let mut late = false;
    let end = loop {
        doing.waits_for(WaitsFor::Handler);
        let polled = poll_fn(|cx| {
            if !late && deadline.as_mut().poll(cx).is_ready() {
                late = true;
                out.abort();
            }
            match task.poll(cx) {
                Poll::Pending if out.is_empty() => Poll::Pending,
                polled => Poll::Ready(polled),
            }
        })
        .await;
        let mut effects = Vec::new();
        out.take_into(&mut effects);
        if !effects.is_empty() {
            let (done, when_done) = oneshot::channel();
            if home.send(Mail::Effects(Box::new((key, effects, done)))).is_err() {
                return;
            }
            doing.waits_for(WaitsFor::Home);
            // An error: the task was ended meanwhile.
            if when_done.await.is_err() {
                return;
            }
        }
        if let Poll::Ready(end) = polled {
            break end;
        }
    };
    // A home that is gone has released the task's dialogs.
    let _ = home.send(Mail::Back(Box::new(Homecoming { task: key, hosted: task, end })));
}

impl std::fmt::Display for TaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "task {}.{}", self.index, self.generation)
    }
}
