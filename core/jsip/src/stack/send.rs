//! What the application sends.

use std::time::Instant;

use super::dialog::DialogKey;
use super::fields::{self, Expire};
use super::transaction::{Acceptance, Origin, State};
use super::turn::Turn;
use super::{Release, SendError, Side, Stack};
use crate::{Headers, Message, Method, Request, Response, StatusCode};

impl<T: Clone> Stack<T> {
    /// The application's first request of a new dialog. If nothing can be sent (UPDATE, INFO and PRACK need a session; there is
    /// no room), the answer is delivered at once, and the dialog ends with it.
    ///
    /// # Errors
    /// If the request is never sent: see [`SendError`].
    pub fn handle_open(&mut self, now: Instant, tag: T, request: Request) -> Result<DialogKey, SendError> {
        let result = self.open(now, tag, request);
        self.core.counters.refused_sends += u64::from(result.is_err());
        result
    }

    fn open(&mut self, now: Instant, tag: T, request: Request) -> Result<DialogKey, SendError> {
        check_fields(&request)?;
        if self.dialogs.find(request.dialog.as_str()).is_some() {
            return Err(SendError::DialogExists);
        }
        check_opening(&request)?;
        let full = self.dialogs.len() >= self.core.config.max_dialogs;
        let key = self.insert(now, &request, Some(tag));
        let sent = self.with(now, key, |turn| {
            if full {
                turn.no_room(&request);
                return Ok(());
            }
            turn.send_request(request)
        });
        sent.unwrap_or(Err(SendError::UnknownDialog)).map(|()| key)
    }

    /// A message of the application in a dialog.
    ///
    /// # Errors
    /// If the protocol does not allow it: see [`SendError`]. Nothing is sent then, and nothing changes.
    pub fn handle_send(
        &mut self,
        now: Instant,
        dialog: DialogKey,
        message: Message,
    ) -> Result<(), SendError> {
        let result = self.send(now, dialog, message);
        self.core.counters.refused_sends += u64::from(result.is_err());
        result
    }

    fn send(&mut self, now: Instant, key: DialogKey, message: Message) -> Result<(), SendError> {
        let dialog = self.dialogs.get(key).ok_or(SendError::UnknownDialog)?;
        if *message.dialog() != dialog.id {
            return Err(SendError::OtherDialog);
        }
        let sent = match shortened(message, self.core.config.max_message_size) {
            Message::Request(request) => {
                check_fields(&request)?;
                self.with(now, key, |turn| turn.send_request(request))
            }
            Message::Response(response) => self.with(now, key, |turn| turn.respond(&response)),
        };
        sent.unwrap_or(Err(SendError::UnknownDialog))
    }

    /// The dispatcher found who is responsible for a new dialog. Nothing if the dialog has ended.
    pub fn handle_bind(&mut self, dialog: DialogKey, tag: T) {
        if let Some(dialog) = self.dialogs.get_mut(dialog) {
            dialog.tag = Some(tag);
        }
    }

    /// The application is gone. From here on nothing of the dialog is delivered, nor its end told. Nothing if it has ended.
    pub fn handle_release(&mut self, now: Instant, dialog: DialogKey, why: Release) {
        self.with(now, dialog, |turn| turn.release(why));
    }

    /// The next hop was given up: what waits for a socket is dropped, and requests among it get this final response, 503
    /// or 408, towards the application.
    pub fn handle_unreachable(&mut self, now: Instant, code: StatusCode) {
        for (_, owner, _) in self.core.delivery.take_waiting() {
            if let super::delivery::Owner::Request(key, cseq) = owner {
                self.with(now, key, |turn| turn.unreachable(cseq, code));
            }
        }
    }
}

/// What must be said, if it is longer than the peer takes: without the fields that are not of the protocol. A 2xx would not mean the
/// same without them.
fn shortened(mut message: Message, max_message_size: usize) -> Message {
    match &mut message {
        Message::Request(request) => {
            if matches!(request.method, Method::Ack | Method::Bye | Method::Cancel)
                && request.is_longer_than(max_message_size)
            {
                request.headers = Headers::default();
            }
        }
        Message::Response(response) => {
            if response.is_longer_than(max_message_size) {
                response.headers = Headers::default();
                if response.code.is_success() {
                    response.code = StatusCode::INTERNAL_SERVER_ERROR;
                    response.headers.set_text("Reason", "The answer is too long");
                }
            }
        }
    }
    message
}

fn check_fields(request: &Request) -> Result<(), SendError> {
    let method = request.method;
    for (field, value) in [("From", &request.from), ("To", &request.to), ("Request-URI", &request.uri)] {
        if value.is_empty() {
            return Err(SendError::Missing { method, field });
        }
    }
    Ok(())
}

fn check_opening(request: &Request) -> Result<(), SendError> {
    match request.method {
        Method::Ack | Method::Bye | Method::Cancel => Err(SendError::NoSession { method: request.method }),
        Method::Invite => check_expire(request),
        Method::Register
        | Method::Options
        | Method::Info
        | Method::Update
        | Method::Prack
        | Method::Subscribe
        | Method::Message
        | Method::Notify => Ok(()),
    }
}

/// The session timer depends on it.
fn check_expire(request: &Request) -> Result<(), SendError> {
    match fields::expire(&request.headers) {
        Expire::Absent => Ok(()),
        Expire::Seconds(seconds) if seconds > 0.0 => Ok(()),
        Expire::Seconds(_) | Expire::Bad => Err(SendError::Expire),
    }
}

impl<T: Clone> Turn<'_, T> {
    pub(super) fn no_room(&mut self, request: &Request) {
        self.core.counters.refused_room += 1;
        self.deliver(request.response(StatusCode::SERVICE_UNAVAILABLE));
    }

    /// Whether there is room for one more request, and it is not too long; else it is answered.
    fn may_leave(&mut self, request: &Request) -> bool {
        /// Bytes of `Max-Forwards`, which a request may get yet, and of an `Expire` that is longer than its own.
        const ADDED: usize = 64;
        if !self.core.delivery.has_room(&self.core.config) {
            self.no_room(request);
            return false;
        }
        if request.is_longer_than(self.core.config.max_message_size.saturating_sub(ADDED)) {
            self.deliver(request.response(StatusCode::MESSAGE_TOO_LARGE));
            return false;
        }
        true
    }

    fn send_request(&mut self, mut request: Request) -> Result<(), SendError> {
        match request.method {
            Method::Invite
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Bye
            | Method::Cancel
            | Method::Ack
                if self.dialog.session.is_some() =>
            {
                self.send_in_session(request)
            }
            Method::Info | Method::Update | Method::Prack => {
                self.core.counters.refused_unknown += 1;
                self.deliver(request.response(StatusCode::NO_SUCH_TRANSACTION));
                Ok(())
            }
            Method::Bye | Method::Cancel | Method::Ack => {
                Err(SendError::NoSession { method: request.method })
            }
            Method::Invite
            | Method::Register
            | Method::Options
            | Method::Subscribe
            | Method::Message
            | Method::Notify => {
                self.check_free(request.cseq)?;
                let mut until = Some(self.now + self.core.config.transtimer);
                if request.method == Method::Invite {
                    check_expire(&request)?;
                }
                if !self.may_leave(&request) {
                    return Ok(());
                }
                if request.method == Method::Invite {
                    let max = self.core.config.max_expire;
                    if let Expire::Seconds(seconds) = fields::expire(&request.headers)
                        && seconds > max.as_secs_f64()
                    {
                        request.headers.set_number("Expire", max.as_secs());
                    }
                    self.open_session(Side::Application, &mut request);
                    until = None;
                }
                self.send(request, Origin::Application, until);
                Ok(())
            }
        }
    }

    fn send_in_session(&mut self, request: Request) -> Result<(), SendError> {
        let Some(session) = &self.dialog.session else { return Ok(()) };
        let verdict = session.check_request(&request)?;
        match request.method {
            // These two need no CSeq of their own in the message: an ACK has no transaction, a CANCEL is given one.
            Method::Ack | Method::Cancel => {}
            Method::Invite
            | Method::Bye
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => self.check_free(request.cseq)?,
        }
        match request.method {
            Method::Ack | Method::Bye | Method::Cancel => {}
            Method::Invite
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Subscribe
            | Method::Message
            | Method::Notify => {
                if !self.may_leave(&request) {
                    return Ok(());
                }
            }
        }
        if let Some(session) = self.dialog.session.take() {
            self.dialog.session = session.request_out(self, request, verdict);
        }
        Ok(())
    }

    fn respond(&mut self, response: &Response) -> Result<(), SendError> {
        let cseq = response.cseq;
        let Some(open) = self.dialog.received(cseq) else { return Err(SendError::NoTransaction { cseq }) };
        let method = open.method;
        if method == Method::Invite {
            if let Some(session) = &self.dialog.session {
                session.check_response(response.code)?;
            }
            if let Some(session) = self.dialog.session.take() {
                self.dialog.session = session.invite_response_out(self, response);
            }
            return Ok(());
        }
        if response.code.is_provisional() {
            self.proceed(response, Some(self.now + self.core.config.prtimer));
            return Ok(());
        }
        self.answered(response);
        Ok(())
    }

    /// The final response to an open request of the peer that is no INVITE.
    pub(super) fn answered(&mut self, response: &Response) {
        self.finish(response);
        if let Some(session) = &mut self.dialog.session {
            session.concluded(Side::Peer, response.cseq);
        }
    }

    fn release(&mut self, why: Release) {
        self.dialog.tag = None;
        for transaction in &mut self.dialog.transactions {
            if let State::Sent { origin, .. } = &mut transaction.state
                && *origin == Origin::Application
                && transaction.method != Method::Invite
            {
                *origin = Origin::Nobody;
            }
        }
        if let Some(code) = why.code() {
            let open: Vec<Response> = self
                .dialog
                .transactions
                .iter()
                .filter(|open| open.is_received() && open.method != Method::Invite)
                .map(|open| open.response(&self.dialog.id, code))
                .collect();
            for response in open {
                self.answered(&response);
            }
        }
        if let Some(session) = self.dialog.session.take() {
            self.dialog.session = session.released(self, why);
        }
    }

    /// A request that never left gets its final response from the stack.
    fn unreachable(&mut self, cseq: crate::CSeq, code: StatusCode) {
        let Some(open) = self.dialog.sent(cseq) else { return };
        let response = open.response(&self.dialog.id, code);
        if open.method != Method::Invite {
            return self.concluded(response);
        }
        self.take_sent(cseq, code);
        if let Some(session) = self.dialog.session.take() {
            self.dialog.session = session.invite_refused(self, response);
        }
    }

    /// The deadlines that are over, earliest first.
    pub(super) fn expire(&mut self) {
        while let Some(due) = self.dialog.deadline().filter(|deadline| *deadline <= self.now) {
            let found =
                self.dialog.transactions.iter().find(|transaction| transaction.deadline() == Some(due));
            let Some(transaction) = found else {
                match self.dialog.session.take() {
                    Some(session) => self.dialog.session = session.expired(self),
                    None => return,
                }
                continue;
            };
            let response = transaction.response(&self.dialog.id, StatusCode::REQUEST_TIMEOUT);
            let cseq = transaction.cseq;
            match transaction.state {
                State::Received { .. } => {
                    self.core.counters.timeouts_received += 1;
                    self.answered(&response);
                }
                State::Sent { .. } => {
                    self.core.counters.timeouts_sent += 1;
                    self.concluded(response);
                }
                State::Answered { .. } => self.dialog.transactions.retain(|transaction| {
                    !(transaction.cseq == cseq
                        && matches!(
                            transaction.state,
                            State::Answered { acceptance: Acceptance::Refused(_), .. }
                        ))
                }),
            }
        }
    }
}
