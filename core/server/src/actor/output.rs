//! What the stack wants done.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jsip::{CloseReason, Detach, DialogKey, Message, Method, Output, Release, Request, StatusCode};
use rtcd_sdk::LegId;
use rtcd_sdk::host::Event;
use tokio::time::Instant;

use super::mail::{Mail, Related, RemoteLeg, Undelivered};
use super::tasks::{Kind, Place, next_received};
use super::{Actor, Closing, Local, Tag};
use crate::front::whole_seconds;
use crate::metrics::Dispatched;
use crate::node::RETRY_AFTER;
use crate::routes::{Decision, decide};

impl Actor {
    pub(super) fn on_output(&mut self, output: Output<Tag>, now: Instant) {
        match output {
            Output::Transmit(text) => {
                let Some(socket) = &mut self.socket else { return };
                if let Err(closing) = socket.text(text) {
                    self.write_failed(closing, now);
                }
            }
            Output::Ping(count) => {
                let Some(socket) = &mut self.socket else { return };
                if let Err(closing) = socket.ping(count) {
                    self.write_failed(closing, now);
                }
            }
            Output::Close(reason) => {
                let closing = match reason {
                    CloseReason::TooManyBadFrames => Closing::BadFrames,
                    CloseReason::Silent => Closing::Silent,
                };
                self.detach(closing, Detach::Lost, now);
            }
            Output::Deliver { dialog, tag, message: Message::Request(request) }
                if let Err(wait) = self.count(&request, now) =>
            {
                self.refuse_for(dialog, &request, whole_seconds(wait), now);
                if tag.is_none() {
                    self.stack.handle_release(now.into_std(), dialog, Release::Finished);
                }
            }
            Output::Deliver { tag: Some(Tag::Local { task, leg }), message, .. } => {
                let event = self.event(leg, message);
                self.deliver(task, event);
                self.local.push_back(Local::Check(task));
            }
            Output::Deliver { dialog, tag: Some(Tag::Remote(remote)), message } => {
                self.deliver_remote(dialog, &remote, message, now);
            }
            Output::Deliver { dialog, tag: None, message } => match message {
                Message::Request(request) => self.dispatch(dialog, request, now),
                // Nobody waits for it: the task has ended.
                Message::Response(_) => {}
            },
            Output::DialogEnded { tag: Tag::Local { task, leg }, .. } => self.leg_ended(task, leg),
            Output::DialogEnded { tag: Tag::Remote(remote), .. } => {
                let _ =
                    remote.home.send(Mail::Event(Box::new((remote.task, Event::Ended { leg: remote.leg }))));
            }
        }
    }

    /// What a message of this peer is to a task.
    fn event(&self, leg: LegId, message: Message) -> Event {
        match message {
            Message::Request(request) => {
                let peer = self.mailbox.address().name().peer().cloned();
                Event::Request { leg, related: None, peer, request }
            }
            Message::Response(response) => Event::Response { leg, response },
        }
    }

    fn write_failed(&mut self, closing: Closing, now: Instant) {
        match closing {
            Closing::Slow => self.cut_slow(now),
            closing => self.detach(closing, Detach::Lost, now),
        }
    }

    /// Tells a task elsewhere what came in on its leg. Only a new request can find no room there.
    fn deliver_remote(&mut self, dialog: DialogKey, remote: &RemoteLeg, message: Message, now: Instant) {
        let mail = Mail::Event(Box::new((remote.task, self.event(remote.leg, message))));
        let Err(Undelivered::Full(Mail::Event(event)) | Undelivered::Gone(Mail::Event(event))) =
            remote.home.send(mail)
        else {
            return;
        };
        if let Event::Request { request, .. } = event.1 {
            self.refuse(dialog, &request, StatusCode::SERVICE_UNAVAILABLE, None, now);
        }
    }

    /// Finds the task of a new dialog.
    fn dispatch(&mut self, dialog: DialogKey, request: Request, now: Instant) {
        if self.node.is_draining() {
            self.dispatched.add(Dispatched::Draining);
            return self.refuse_draining(dialog, &request, now);
        }
        let decision = decide(&request, &self.node.routes().load());
        match decision {
            Decision::Slp(binding) => {
                let (task, live) = match binding.task() {
                    Ok(made) => made,
                    Err(binding) => {
                        self.dispatched.add(Dispatched::Failed);
                        tracing::error!(service = binding.implementation, "panicked when a task was made");
                        self.refuse_and_release(
                            dialog,
                            &request,
                            StatusCode::INTERNAL_SERVER_ERROR,
                            None,
                            now,
                        );
                        return;
                    }
                };
                let task = self.tasks.add(task, Kind::Slp(live), now);
                self.dispatched.add(Dispatched::Service);
                if let Some(slot) = self.tasks.find(task) {
                    slot.legs.insert(LegId::FIRST, Place::Here(dialog));
                    if request.method == Method::Invite {
                        slot.is_session(self.mailbox.address(), &request.dialog);
                    }
                }
                self.stack.handle_bind(dialog, Tag::Local { task, leg: LegId::FIRST });
                let peer = self.mailbox.address().name().peer().cloned();
                self.deliver(task, Event::Request { leg: LegId::FIRST, related: None, peer, request });
                self.local.push_back(Local::Check(task));
            }
            Decision::Related(id) => {
                self.dispatched.add(Dispatched::Related);
                self.dispatch_related(dialog, &id, request, now);
            }
            Decision::Refuse(code, reason) => {
                self.dispatched.add(Dispatched::Refused);
                self.refuse_and_release(dialog, &request, code, Some(&reason), now);
            }
        }
    }

    /// The server goes down: another one, or this one in a moment, will serve.
    fn refuse_draining(&mut self, dialog: DialogKey, request: &Request, now: Instant) {
        if request_has_answer(request) {
            self.refuse_for(dialog, request, RETRY_AFTER, now);
        }
        self.stack.handle_release(now.into_std(), dialog, Release::Finished);
    }

    /// Says when the client may try again.
    fn refuse_for(&mut self, dialog: DialogKey, request: &Request, seconds: u64, now: Instant) {
        let mut response = request.response(StatusCode::SERVICE_UNAVAILABLE);
        response.headers.set_number("Retry-After", seconds);
        // Refused only if the request has an answer already.
        let _ = self.stack.handle_send(now.into_std(), dialog, response.into());
    }

    /// Counts a request at the client's address and at its user; if there are too many, how long to wait. What ends or confirms
    /// something always passes, and what other servers pass on is counted there.
    fn count(&self, request: &Request, now: Instant) -> Result<(), Duration> {
        let limits = &self.live.settings.limits;
        if (limits.address_requests == 0 && limits.user_requests == 0) || !request_has_answer(request) {
            return Ok(());
        }
        let pass = self.socket.as_ref().and_then(|socket| socket.pass.as_ref());
        if limits.address_requests > 0
            && let Some(pass) = pass
            && let Err(wait) = pass.request(now, limits.address_requests)
        {
            self.node.gauges.refused_address_requests.fetch_add(1, Relaxed);
            return Err(wait);
        }
        if limits.user_requests > 0
            && !self.is_hop()
            && let Err(wait) = self.requests.take(now, limits.user_requests)
        {
            self.node.gauges.refused_user_requests.fetch_add(1, Relaxed);
            return Err(wait);
        }
        Ok(())
    }

    fn dispatch_related(&mut self, dialog: DialogKey, id: &str, request: Request, now: Instant) {
        let Some(target) = self.node.related.find(id) else {
            return self.refuse_and_release(
                dialog,
                &request,
                StatusCode::NOT_FOUND,
                Some("No such relid"),
                now,
            );
        };
        let leg = next_received(&target.received);
        if target.home.is(self.mailbox.address()) {
            let Some(slot) = self.tasks.find(target.task) else {
                return self.refuse_and_release(
                    dialog,
                    &request,
                    StatusCode::NOT_FOUND,
                    Some("No such relid"),
                    now,
                );
            };
            if slot.legs.len() >= self.live.settings.limits.task_legs {
                self.node.gauges.legs_refused.fetch_add(1, Relaxed);
                let code = StatusCode::SERVICE_UNAVAILABLE;
                return self.refuse_and_release(dialog, &request, code, None, now);
            }
            slot.legs.insert(leg, Place::Here(dialog));
            self.stack.handle_bind(dialog, Tag::Local { task: target.task, leg });
            let peer = self.mailbox.address().name().peer().cloned();
            self.deliver(target.task, Event::Request { leg, related: Some(target.key), peer, request });
            self.local.push_back(Local::Check(target.task));
            return;
        }
        let remote = RemoteLeg { home: target.home.clone(), task: target.task, leg };
        let from = self.mailbox.address().clone();
        let home = target.home.clone();
        let mail = Related { task: target.task, key: target.key, leg, from, home, request };
        match target.home.send(Mail::Related(Box::new(mail))) {
            Ok(()) => self.stack.handle_bind(dialog, Tag::Remote(Arc::new(remote))),
            Err(Undelivered::Full(Mail::Related(related))) => {
                self.refuse_and_release(dialog, &related.request, StatusCode::SERVICE_UNAVAILABLE, None, now);
            }
            Err(Undelivered::Gone(Mail::Related(related))) => {
                self.refuse_and_release(
                    dialog,
                    &related.request,
                    StatusCode::NOT_FOUND,
                    Some("No such relid"),
                    now,
                );
            }
            Err(_) => {}
        }
    }

    pub(super) fn refuse(
        &mut self,
        dialog: DialogKey,
        request: &Request,
        code: StatusCode,
        reason: Option<&str>,
        now: Instant,
    ) {
        if !request_has_answer(request) {
            return;
        }
        let response = request.response(code);
        let response = match reason {
            Some(reason) => response.with_reason(reason),
            None => response,
        };
        // Refused only if the request has an answer already.
        let _ = self.stack.handle_send(now.into_std(), dialog, response.into());
    }

    fn refuse_and_release(
        &mut self,
        dialog: DialogKey,
        request: &Request,
        code: StatusCode,
        reason: Option<&str>,
        now: Instant,
    ) {
        self.refuse(dialog, request, code, reason, now);
        self.stack.handle_release(now.into_std(), dialog, Release::Finished);
    }
}

/// Whether the application answers the request: the stack does it for BYE and CANCEL, and ACK has no answer.
pub(super) fn request_has_answer(request: &Request) -> bool {
    super::mail::request_competes(request)
}
