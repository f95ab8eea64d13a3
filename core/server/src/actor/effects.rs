//! What tasks want done, and their end.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jsip::{Message, Release, Request, SendError, StatusCode};
use rtcd_sdk::LegId;
use rtcd_sdk::host::{Effect, Event, RelatedKey, TaskFault, drop_caught};
use tokio::time::Instant;

use super::legs::answer_to_refused;
use super::mail::{Mail, RemoteLeg, Undelivered};
use super::tasks::{Kind, Place, TaskKey, Wish};
use super::{Actor, Local, Tag};
use crate::related::Target;

/// Longer than any server runs; a clock can take it.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Actor {
    pub(super) fn grant(&mut self, task: TaskKey, wish: Wish, now: Instant) {
        match wish {
            Wish::Do(effect) => self.apply(task, effect, now),
            // The handler may have been ended meanwhile; then nobody waits.
            Wish::Done(done) => drop(done.send(())),
            Wish::Fault(fault) => self.on_fault(task, &fault, now),
        }
    }

    fn apply(&mut self, task: TaskKey, effect: Effect, now: Instant) {
        match effect {
            Effect::Send { leg, message } => self.send(task, leg, message, now),
            Effect::Open { leg, request } => self.open(task, leg, request, now),
            Effect::Relate { id, key } => self.relate(task, id, key),
            Effect::Timer { timer, after } => self.tasks.set_timer(task, timer, now + after.min(NEVER)),
            Effect::CancelTimer { timer } => {
                self.tasks.cancel_timer(task, timer);
                self.local.push_back(Local::Check(task));
            }
            Effect::Finish => {
                if let Some(slot) = self.tasks.find(task) {
                    slot.finishing = true;
                    self.local.push_back(Local::End(task));
                }
            }
        }
    }

    fn send(&mut self, task: TaskKey, leg: LegId, message: Message, now: Instant) {
        // A task that has ended has released its dialogs.
        let Some(slot) = self.tasks.find(task) else { return };
        match slot.legs.find(leg) {
            Some(Place::Here(dialog)) => {
                let dialog = *dialog;
                let refused = Refused::of(&message);
                if let Err(error) = self.stack.handle_send(now.into_std(), dialog, message) {
                    self.on_refused(task, leg, &refused, &error);
                }
            }
            Some(Place::There { peer, dialog }) => {
                let remote = RemoteLeg { home: self.mailbox.address().clone(), task, leg };
                let mail = Mail::Send(Box::new((remote, dialog.clone(), message)));
                let code = match peer.send(mail) {
                    Ok(()) => return,
                    Err(Undelivered::Full(Mail::Send(back))) => (StatusCode::SERVICE_UNAVAILABLE, back.2),
                    Err(Undelivered::Gone(Mail::Send(back))) => (StatusCode::NO_SUCH_TRANSACTION, back.2),
                    Err(_) => return,
                };
                if let (code, Message::Request(request)) = code
                    && super::output::request_has_answer(&request)
                {
                    self.tell_task(task, Event::Response { leg, response: request.response(code) });
                }
            }
            Some(Place::Nowhere) | None => {
                if let Some(response) = Refused::of(&message).answer(StatusCode::NO_SUCH_TRANSACTION) {
                    self.tell_task(task, Event::Response { leg, response });
                }
            }
        }
    }

    /// The stack does not send what a task wanted: a request is answered, the rest is told in the log.
    fn on_refused(&mut self, task: TaskKey, leg: LegId, refused: &Refused, error: &SendError) {
        tracing::debug!(peer = %self.mailbox.address().name(), what = refused.what, %error, "not sent");
        if let Some(response) = refused.answer(answer_to_refused(error)) {
            self.tell_task(task, Event::Response { leg, response });
        }
    }

    fn open(&mut self, task: TaskKey, leg: LegId, request: Request, now: Instant) {
        let max = self.live.settings.limits.task_legs;
        let Some(slot) = self.tasks.find(task) else { return };
        let full = matches!(slot.kind, Kind::Slp(_)) && slot.legs.len() >= max;
        slot.legs.insert(leg, Place::Nowhere);
        if full {
            self.node.gauges.legs_refused.fetch_add(1, Relaxed);
            return self.answer_open(task, leg, &request, StatusCode::SERVICE_UNAVAILABLE);
        }
        let mut request = request;
        // An actor that has just ended has taken its name out before it refuses mail, so the second try finds another or none.
        for _ in 0..8 {
            let Some(peer) = self.node.peer_for(&request) else {
                return self.answer_open(task, leg, &request, StatusCode::TEMPORARILY_NOT_AVAILABLE);
            };
            if peer.is(self.mailbox.address()) {
                return self.open_here(task, leg, request, now);
            }
            let remote = RemoteLeg { home: self.mailbox.address().clone(), task, leg };
            let dialog = request.dialog.clone();
            match peer.send(Mail::Open(Box::new((remote, request)))) {
                Ok(()) => return self.place(task, leg, Place::There { peer, dialog }),
                Err(Undelivered::Full(Mail::Open(back))) => {
                    return self.answer_open(task, leg, &back.1, StatusCode::SERVICE_UNAVAILABLE);
                }
                Err(Undelivered::Gone(Mail::Open(back))) => request = back.1,
                Err(_) => return,
            }
        }
        self.answer_open(task, leg, &request, StatusCode::TEMPORARILY_NOT_AVAILABLE);
    }

    fn open_here(&mut self, task: TaskKey, leg: LegId, request: Request, now: Instant) {
        let refused = Refused::of_request(&request);
        match self.stack.handle_open(now.into_std(), Tag::Local { task, leg }, request) {
            Ok(dialog) => self.place(task, leg, Place::Here(dialog)),
            Err(error) => {
                self.on_refused(task, leg, &refused, &error);
                self.tell_task(task, Event::Ended { leg });
            }
        }
    }

    fn place(&mut self, task: TaskKey, leg: LegId, place: Place) {
        if let Some(there) = self.tasks.find(task).and_then(|slot| slot.legs.find_mut(leg)) {
            *there = place;
        }
    }

    /// Tells a task something when what comes before it is done.
    fn tell_task(&mut self, task: TaskKey, event: Event) {
        self.local.push_back(Local::Event(task, Box::new(event)));
    }

    /// Answers the first request of a leg that leads nowhere.
    fn answer_open(&mut self, task: TaskKey, leg: LegId, request: &Request, code: StatusCode) {
        if super::output::request_has_answer(request) {
            self.tell_task(task, Event::Response { leg, response: request.response(code) });
        }
        self.tell_task(task, Event::Ended { leg });
    }

    fn relate(&mut self, task: TaskKey, id: String, key: RelatedKey) {
        let home = self.mailbox.address().clone();
        let Some(slot) = self.tasks.find(task) else { return };
        let received = slot.received();
        slot.related.push(id.clone());
        self.node.related.add(id, Target { home, task, key, received });
    }

    /// A handler failed: the task of a dialog ends; a service task goes on.
    fn on_fault(&mut self, task: TaskKey, fault: &TaskFault, now: Instant) {
        self.node.gauges.fault(fault);
        let Some(slot) = self.tasks.find(task) else { return };
        tracing::error!(
            service = slot.kind.name(),
            home = %self.mailbox.address().name(),
            %fault,
            "a handler failed"
        );
        if slot.finishing {
            self.end(task, Release::Failed, now);
        }
    }

    /// Ends a task that has nothing left to wait for.
    pub(super) fn check(&mut self, task: TaskKey, now: Instant) {
        if self.tasks.find(task).is_some_and(|slot| slot.is_idle()) {
            self.end(task, Release::Finished, now);
        }
    }

    /// Ends a task: its dialogs are nobody's from here on.
    pub(super) fn end(&mut self, task: TaskKey, why: Release, now: Instant) {
        let Some(slot) = self.tasks.remove(task) else { return };
        for id in &slot.related {
            self.node.related.remove(id);
        }
        let home = self.mailbox.address().clone();
        for (leg, place) in slot.legs.iter() {
            match place {
                Place::Here(dialog) => self.stack.handle_release(now.into_std(), *dialog, why),
                Place::There { peer, dialog } => {
                    let remote = RemoteLeg { home: home.clone(), task, leg };
                    let _ = peer.send(Mail::Release(Box::new((remote, dialog.clone(), why))));
                }
                Place::Nowhere => {}
            }
        }
    }

    /// A request found too much waiting for its task.
    pub(super) fn refuse_full(&mut self, task: TaskKey, event: Event) {
        let Event::Request { leg, request, .. } = event else { return drop_caught(event) };
        self.node.gauges.away_refused.fetch_add(1, Relaxed);
        let response = request.response(StatusCode::SERVICE_UNAVAILABLE);
        self.tasks.effects.push_back((task, Wish::Do(Effect::Send { leg, message: response.into() })));
    }

    pub(super) fn leg_ended(&mut self, task: TaskKey, leg: LegId) {
        let Some(slot) = self.tasks.find(task) else { return };
        slot.legs.remove(leg);
        if !slot.finishing {
            self.deliver(task, Event::Ended { leg });
            self.local.push_back(Local::Check(task));
        }
    }
}

/// What is left of a message that the stack did not take.
struct Refused {
    what: &'static str,
    request: Option<Box<Request>>,
}

impl Refused {
    fn of(message: &Message) -> Self {
        match message {
            Message::Request(request) => Self::of_request(request),
            Message::Response(_) => Self { what: "RESPONSE", request: None },
        }
    }

    fn of_request(request: &Request) -> Self {
        let has_answer = super::output::request_has_answer(request);
        Self { what: request.method.name(), request: has_answer.then(|| Box::new(request.clone())) }
    }

    fn answer(&self, code: StatusCode) -> Option<jsip::Response> {
        self.request.as_ref().map(|request| request.response(code))
    }
}
