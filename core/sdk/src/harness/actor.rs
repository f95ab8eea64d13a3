use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::Dialog;
use super::world::{Inbox, Woken, lock};
use crate::host::{Effect, Event, Hosted, Outbox, TaskFault};
use crate::{LegId, TimerId};

/// A task, or a service task, and what is on its way to it.
pub(super) struct Actor {
    /// What the lines call it.
    pub(super) name: String,
    /// Whether it is a service task: these never end.
    pub(super) is_service: bool,
    /// `None` once it is over.
    hosted: Option<Box<dyn Hosted>>,
    running: bool,
    finishing: bool,
    woken: Arc<Woken>,
    waker: Waker,
    outbox: Outbox,
    queue: VecDeque<Event>,
    inbox: Inbox,
    pub(super) timers: BTreeMap<TimerId, Instant>,
    pub(super) legs: HashMap<LegId, Dialog>,
    /// Legs that peers have opened, ever.
    pub(super) received: u64,
    pub(super) related: u64,
}

/// What a turn of an actor came to.
pub(super) struct Turn {
    pub(super) effects: Vec<Effect>,
    pub(super) end: Option<Result<(), TaskFault>>,
}

impl Actor {
    pub(super) fn new(name: String, is_service: bool, hosted: Box<dyn Hosted>, inbox: Inbox) -> Self {
        let woken = Arc::new(Woken::default());
        Self {
            name,
            is_service,
            hosted: Some(hosted),
            running: false,
            finishing: false,
            waker: Waker::from(woken.clone()),
            woken,
            outbox: Outbox::default(),
            queue: VecDeque::new(),
            inbox,
            timers: BTreeMap::new(),
            legs: HashMap::new(),
            received: 0,
            related: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.hosted.is_none()
    }

    pub(super) fn feed(&mut self, event: Event) {
        self.queue.push_back(event);
    }

    /// Handles one event, or goes on with the one at hand. `None` if there is nothing to do.
    pub(super) fn turn(&mut self, now: Instant) -> Option<Turn> {
        if !self.running {
            let event = self.next_event(now)?;
            self.hosted.as_mut()?.start(event, self.outbox.clone());
            self.running = true;
        } else if !self.woken.take() {
            return None;
        }
        let outcome = self.hosted.as_mut()?.poll(&mut Context::from_waker(&self.waker));
        let mut effects = Vec::new();
        self.outbox.take_into(&mut effects);
        self.finishing |= effects.iter().any(|effect| matches!(effect, Effect::Finish));
        let end = match outcome {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => {
                self.running = false;
                self.finishing.then_some(Ok(()))
            }
            Poll::Ready(Err(fault)) => {
                self.running = false;
                Some(Err(fault))
            }
        };
        Some(Turn { effects, end })
    }

    /// Whether an end that a turn came to is the end of the actor itself.
    pub(super) fn ends(&self) -> bool {
        !self.is_service || self.hosted.as_ref().is_none_or(|hosted| hosted.is_lost())
    }

    /// Whether nothing can happen to a task any more.
    pub(super) fn is_left_alone(&self) -> bool {
        !self.is_service
            && !self.is_over()
            && !self.running
            && self.queue.is_empty()
            && self.legs.is_empty()
            && self.timers.is_empty()
            && self.related == 0
    }

    pub(super) fn close(&mut self) {
        self.hosted = None;
        self.timers.clear();
        self.queue.clear();
        lock(&self.inbox).clear();
    }

    /// The time of the timer that is due next.
    pub(super) fn next_timer(&self) -> Option<(Instant, TimerId)> {
        self.timers.iter().map(|(timer, due)| (*due, *timer)).min()
    }

    fn next_event(&mut self, now: Instant) -> Option<Event> {
        if let Some(event) = self.queue.pop_front() {
            return Some(event);
        }
        // Mail and timers take turns with each other by the order of the actors' turns: mail first.
        let mail: Option<Box<dyn Any + Send>> = lock(&self.inbox).pop_front();
        if let Some(mail) = mail {
            return Some(Event::Mail(mail));
        }
        let (due, timer) = self.next_timer()?;
        if due > now {
            return None;
        }
        self.timers.remove(&timer);
        Some(Event::Timer { timer })
    }
}
