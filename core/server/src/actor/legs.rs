//! What comes from other actors: dialogs that tasks elsewhere have with this peer, legs of tasks here that lead elsewhere.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jsip::{DialogId, DialogKey, Message, Request, SendError, StatusCode};
use rtcd_sdk::host::Event;
use tokio::time::Instant;

use super::mail::{Address, Homecoming, Mail, Name, Related, RemoteLeg};
use super::output::request_has_answer;
use super::tasks::{Delivered, Place, TaskKey, Wish};
use super::{Actor, Closing, Local, Tag};
use crate::node::Node;
use crate::overload::Backlog;
use crate::spawn::{Kind, WaitsFor, Who};

impl Actor {
    pub(super) fn on_mail(&mut self, mail: Mail, now: Instant) {
        match mail {
            Mail::Attach(attachment) => self.attach(*attachment, now),
            Mail::Unreachable(code) => {
                self.dialling = false;
                self.short_lives = 0;
                self.redial = false;
                self.stack.handle_unreachable(now.into_std(), code);
            }
            Mail::Open(open) => self.open_for(open.0, open.1, now),
            Mail::Send(send) => self.send_for(&send.0, &send.1, send.2, now),
            Mail::Release(release) => {
                let (remote, dialog, why) = *release;
                if let Some(dialog) = self.dialog_of(&remote, &dialog) {
                    self.stack.handle_release(now.into_std(), dialog, why);
                }
            }
            Mail::Event(event) => self.on_leg_event(event.0, event.1),
            Mail::Related(related) => self.on_related(*related),
            Mail::Effects(effects) => {
                let (task, effects, done) = *effects;
                if self.tasks.find(task).is_some() {
                    let wishes = effects.into_iter().map(Wish::Do).chain([Wish::Done(done)]);
                    self.tasks.effects.extend(wishes.map(|wish| (task, wish)));
                }
            }
            Mail::Back(back) => {
                let Homecoming { task, hosted, end } = *back;
                self.tasks.back(task, hosted, end, self.mailbox.address(), self.live.host);
                self.local.push_back(Local::Check(task));
            }
            Mail::Service(mail) => {
                let task = self.tasks.iter().map(|(task, _)| task).next();
                if let Some(task) = task {
                    self.deliver(task, Event::Mail(mail));
                }
            }
            Mail::Inspect(question) => self.report(*question),
            Mail::HangUp(done) => {
                let tasks: Vec<TaskKey> = self.tasks.iter().map(|(task, _)| task).collect();
                for task in tasks {
                    self.end(task, jsip::Release::Stopping, now);
                }
                // Who waits for all is told by this.
                drop(done);
            }
            Mail::Stop => self.stopping = true,
        }
    }

    fn attach(&mut self, attachment: crate::rtc::Attachment, now: Instant) {
        if attachment.number < self.newest {
            return self.let_go(attachment.into_socket(0), Closing::Replaced);
        }
        self.newest = attachment.number;
        if let Some(old) = self.socket.take() {
            self.let_go(old, Closing::Replaced);
        }
        self.dialling = false;
        self.attached_at = now;
        self.backlog = Backlog::new(now);
        self.socket = Some(attachment.into_socket(self.live.settings.rtc.max_write_buffer));
        self.stack.handle_attached(now.into_std());
        while let Some(output) = self.stack.poll_output() {
            self.on_output(output, now);
        }
        if let Some(socket) = &mut self.socket {
            socket.allow_backlog();
        }
    }

    fn open_for(&mut self, remote: RemoteLeg, request: Request, now: Instant) {
        let unsent = (remote.clone(), request.clone());
        let Err(error) = self.stack.handle_open(now.into_std(), Tag::Remote(Arc::new(remote)), request)
        else {
            return;
        };
        tracing::debug!(peer = %self.mailbox.address().name(), what = %unsent.1.method, %error, "not sent");
        refuse(unsent, answer_to_refused(&error));
    }

    fn send_for(&mut self, remote: &RemoteLeg, dialog: &DialogId, message: Message, now: Instant) {
        let answer = match &message {
            Message::Request(request) if request_has_answer(request) => {
                Some(request.response(StatusCode::NO_SUCH_TRANSACTION))
            }
            Message::Request(_) | Message::Response(_) => None,
        };
        let code = match self.dialog_of(remote, dialog) {
            Some(dialog) => match self.stack.handle_send(now.into_std(), dialog, message) {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(peer = %self.mailbox.address().name(), %error, "not sent");
                    answer_to_refused(&error)
                }
            },
            None => StatusCode::NO_SUCH_TRANSACTION,
        };
        if let Some(mut response) = answer {
            response.code = code;
            let _ = remote
                .home
                .send(Mail::Event(Box::new((remote.task, Event::Response { leg: remote.leg, response }))));
        }
    }

    /// The dialog, if it is (still) the one of this leg: a peer may have opened another with the same id.
    fn dialog_of(&self, remote: &RemoteLeg, dialog: &DialogId) -> Option<DialogKey> {
        let key = self.stack.dialog(dialog.as_str())?;
        match self.stack.tag(key)? {
            Tag::Remote(tag)
                if tag.task == remote.task && tag.leg == remote.leg && tag.home.is(&remote.home) =>
            {
                Some(key)
            }
            Tag::Remote(_) | Tag::Local { .. } => None,
        }
    }

    pub(super) fn on_leg_event(&mut self, task: TaskKey, event: Event) {
        match event {
            Event::Ended { leg } => self.leg_ended(task, leg),
            event => {
                self.deliver(task, event);
                self.local.push_back(Local::Check(task));
            }
        }
    }

    fn on_related(&mut self, related: Related) {
        let Related { task, key, leg, from, request, .. } = related;
        let remote = RemoteLeg { home: self.mailbox.address().clone(), task, leg };
        let dialog = request.dialog.clone();
        let Some(slot) = self.tasks.find(task).filter(|slot| !slot.finishing) else {
            return refuse_related(&from, remote, &request, StatusCode::NOT_FOUND);
        };
        if slot.legs.len() >= self.live.settings.limits.task_legs {
            self.node.gauges.legs_refused.fetch_add(1, Relaxed);
            return refuse_related(&from, remote, &request, StatusCode::SERVICE_UNAVAILABLE);
        }
        let peer = from.name().peer().cloned();
        slot.legs.insert(leg, Place::There { peer: from, dialog });
        let event = Event::Request { leg, related: Some(key), peer, request };
        match self.tasks.deliver(task, event, self.mailbox.address(), self.live.host) {
            Delivered::Taken | Delivered::Gone => self.local.push_back(Local::Check(task)),
            Delivered::Full(event) => self.refuse_full(task, *event),
        }
    }

    /// Dials a next hop that something waits for. A hop that takes connections and drops them is tried ever more slowly.
    pub(super) fn dial_if_needed(&mut self) {
        let Name::Hop(hop) = self.mailbox.address().name() else { return };
        let counts = self.stack.counts();
        let needed = counts.queued > 0 || (self.redial && counts.dialogs > 0);
        if needed && self.socket.is_none() && !self.dialling && !self.stopping {
            self.dialling = true;
            let (node, address) = (self.node.clone(), self.mailbox.address().clone());
            let (hop, made) = (hop.clone(), self.short_lives);
            let who = Who::Actor(address.name().clone());
            self.node.spawned.spawn(Kind::Dial, who, WaitsFor::Hop, |doing| {
                crate::hops::dial(node, hop, address, made, doing)
            });
        }
    }

    /// The other side has a newer connection of this server. To dial again would throw that one out.
    pub(super) fn replaced_at_hop(&mut self, now: Instant) {
        if self.is_hop() {
            self.redial = false;
            self.stack.handle_unreachable(now.into_std(), StatusCode::SERVICE_UNAVAILABLE);
        }
    }

    /// A hop's socket is gone: remembers whether it had been of use.
    pub(super) fn count_life(&mut self, now: Instant) {
        /// A socket that lives so long was of use.
        const LONG: Duration = Duration::from_secs(10);
        self.short_lives = if now < self.attached_at + LONG { self.short_lives.saturating_add(1) } else { 0 };
    }
}

/// Answers the first request of a dialog that another peer opened towards a task here.
pub(super) fn refuse_related(from: &Address, remote: RemoteLeg, request: &Request, code: StatusCode) {
    let mut response = request.response(code);
    if code == StatusCode::NOT_FOUND {
        response = response.with_reason("No such relid");
    }
    let _ = from.send(Mail::Send(Box::new((remote.clone(), request.dialog.clone(), response.into()))));
    let _ = from.send(Mail::Release(Box::new((remote, request.dialog.clone(), jsip::Release::Finished))));
}

/// An actor has ended before it took this: it goes to the peer's next one, if there is one.
pub(super) fn pass_on(node: &Arc<Node>, (remote, request): (RemoteLeg, Request), stopping: bool) {
    let peer = if stopping { None } else { node.peer_for(&request) };
    match peer.map(|peer| peer.send(Mail::Open(Box::new((remote.clone(), request.clone()))))) {
        Some(Ok(())) => {}
        Some(Err(_)) | None => refuse((remote, request), StatusCode::TEMPORARILY_NOT_AVAILABLE),
    }
}

/// An actor has ended before it took this: the task is gone.
pub(super) fn refuse_homeless(related: Related) {
    let Related { task, leg, from, request, home, .. } = related;
    refuse_related(&from, RemoteLeg { home, task, leg }, &request, StatusCode::NOT_FOUND);
}

fn refuse((remote, request): (RemoteLeg, Request), code: StatusCode) {
    if request_has_answer(&request) {
        let response = request.response(code);
        let _ = remote
            .home
            .send(Mail::Event(Box::new((remote.task, Event::Response { leg: remote.leg, response }))));
    }
    let _ = remote.home.send(Mail::Event(Box::new((remote.task, Event::Ended { leg: remote.leg }))));
}

/// What a task gets for a request that the stack does not send.
pub(super) fn answer_to_refused(error: &SendError) -> StatusCode {
    use jsip::Method::{Invite, Prack, Update};
    match error {
        SendError::State { method: Invite | Prack | Update, .. } | SendError::CSeqInUse { .. } => {
            StatusCode::REQUEST_PENDING
        }
        SendError::Expire | SendError::Missing { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::NO_SUCH_TRANSACTION,
    }
}
