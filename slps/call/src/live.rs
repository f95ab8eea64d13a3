use rtcd_sdk::prelude::*;

use crate::Side;
use crate::open::{Open, OpenRequests};

/// A call whose INVITE went to the callee.
#[derive(Debug)]
pub(crate) struct Live {
    stage: Stage,
    /// The INVITE as it went to the callee, without Router and headers: what the call's own requests are made of.
    invite: Request,
    callee: LegId,
    /// `DialogueID` of the caller's leg.
    caller_dialog: DialogId,
    open: OpenRequests,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The callee has not answered.
    Ringing,
    /// The callee's 200 went to the caller.
    Answered,
    /// The caller has given up; the callee's final answer is still to come.
    Cancelled,
    /// Nothing is passed on any more.
    Over,
}

impl Live {
    /// Passes the caller's INVITE on. `None`: it cannot be sent, and is answered.
    pub(crate) fn begin(
        cx: &mut Cx<Side>,
        request: &Incoming<Request, Side>,
    ) -> Result<Option<Self>, SendError> {
        let mut passed = request.message.clone();
        passed.dialog = cx.dialog_id();
        passed.cseq = cx.cseq();
        passed.drop_first_route();
        let invite = without_frame(&passed);
        let callee = match cx.open(Side::Callee, passed) {
            Ok(leg) => leg,
            Err(error) => {
                cx.refuse(request, StatusCode::BAD_REQUEST, &error.to_string())?;
                return Ok(None);
            }
        };
        let mut open = OpenRequests::default();
        open.add(Open::new(request, Side::Callee, invite.cseq));
        let caller_dialog = request.dialog.detached();
        Ok(Some(Self { stage: Stage::Ringing, invite, callee, caller_dialog, open }))
    }

    /// A request that is none of ACK, BYE and CANCEL.
    pub(crate) fn pass_request(
        &mut self,
        cx: &mut Cx<Side>,
        request: &Incoming<Request, Side>,
    ) -> Result<(), SendError> {
        let to = request.tag.other();
        let up = match self.stage {
            Stage::Ringing | Stage::Answered => true,
            Stage::Cancelled | Stage::Over => false,
        };
        let passed = self.copy(cx, request, to);
        let cseq = passed.cseq;
        if !up || !self.send(cx, to, passed) {
            return cx.reply(request, StatusCode::NO_SUCH_TRANSACTION);
        }
        self.open.add(Open::new(request, to, cseq));
        Ok(())
    }

    /// The ACK of a 2xx that was passed on. Those of refused INVITEs never get here.
    pub(crate) fn pass_ack(&mut self, cx: &mut Cx<Side>, ack: &Incoming<Request, Side>) {
        let to = ack.tag.other();
        if let Some(invite) = self.open.take_accepted(to, ack.related) {
            let mut passed = self.copy(cx, ack, to);
            passed.related = Some(invite);
            self.send(cx, to, passed);
        }
    }

    pub(crate) fn on_response(&mut self, cx: &mut Cx<Side>, from: Side, response: Response) {
        let is_answer = from == Side::Callee && response.cseq == self.invite.cseq && response.code.is_final();
        if is_answer {
            self.on_answer(cx, response);
        } else {
            self.pass_response(cx, from, response);
        }
    }

    /// One side has hung up, or is gone.
    pub(crate) fn hang_up(&mut self, cx: &mut Cx<Side>, side: Side, headers: &Headers) {
        match (self.stage, side) {
            (Stage::Ringing, Side::Caller) => {
                self.send_own(cx, Side::Callee, Method::Cancel, headers);
                self.end(cx, side, Stage::Cancelled);
            }
            (Stage::Answered, Side::Caller) => {
                if self.open.is_accepted(Side::Callee, self.invite.cseq) {
                    self.send_own(cx, Side::Callee, Method::Ack, &Headers::default());
                }
                self.end(cx, side, Stage::Over);
                self.send_own(cx, Side::Callee, Method::Bye, headers);
            }
            (Stage::Answered, Side::Callee) => {
                self.end(cx, side, Stage::Over);
                self.send_own(cx, Side::Caller, Method::Bye, headers);
            }
            (Stage::Ringing | Stage::Cancelled, Side::Callee) => self.end(cx, side, Stage::Over),
            (Stage::Cancelled, Side::Caller) | (Stage::Over, _) => {}
        }
    }

    /// The callee's final answer to the call.
    fn on_answer(&mut self, cx: &mut Cx<Side>, answer: Response) {
        match (self.stage, answer.code.is_success()) {
            (Stage::Ringing, true) => {
                self.stage = Stage::Answered;
                self.pass_response(cx, Side::Callee, answer);
            }
            (Stage::Ringing, false) => {
                self.pass_response(cx, Side::Callee, answer);
                self.end(cx, Side::Callee, Stage::Over);
            }
            (Stage::Cancelled, true) => {
                self.send_own(cx, Side::Callee, Method::Ack, &Headers::default());
                self.send_own(cx, Side::Callee, Method::Bye, &Headers::default());
                self.stage = Stage::Over;
            }
            (Stage::Cancelled, false) => self.stage = Stage::Over,
            (Stage::Answered | Stage::Over, _) => {}
        }
    }

    fn pass_response(&mut self, cx: &mut Cx<Side>, from: Side, response: Response) {
        if let Some(open) = self.open.answered(from, response.cseq, response.code) {
            let passed = self.response(open, response.code, response.headers);
            self.send(cx, from.other(), passed);
        }
    }

    /// Answers what would wait in vain. An INVITE of the side that ended the call has its answer from the stack.
    fn end(&mut self, cx: &mut Cx<Side>, by: Side, stage: Stage) {
        self.stage = stage;
        for open in self.open.take_unanswered() {
            let sender = open.to.other();
            if open.method != Method::Invite || sender != by {
                let response = self.response(open, StatusCode::REQUEST_TERMINATED, Headers::default());
                self.send(cx, sender, response);
            }
        }
    }

    /// An ACK, BYE or CANCEL of the call's own.
    fn send_own(&self, cx: &mut Cx<Side>, to: Side, method: Method, headers: &Headers) {
        let mut request = cx.follow_up(&self.invite, method);
        request.dialog = self.dialog(to).clone();
        request.headers = headers.clone();
        if method == Method::Ack {
            request.uri = request.to.clone();
        }
        self.send(cx, to, request);
    }

    /// A request of one side, as it goes to the other.
    fn copy(&self, cx: &Cx<Side>, request: &Request, to: Side) -> Request {
        let filled = |field: &ByteString, of_invite: &ByteString| {
            if field.is_empty() { of_invite.clone() } else { field.clone() }
        };
        let mut copy = Request {
            method: request.method,
            uri: filled(&request.uri, &self.invite.uri),
            from: filled(&request.from, &self.invite.from),
            to: filled(&request.to, &self.invite.to),
            dialog: self.dialog(to).clone(),
            cseq: cx.cseq(),
            related: None,
            router: request.router.clone(),
            headers: request.headers.clone(),
        };
        copy.drop_first_route();
        copy
    }

    /// The answer to a request that was passed on, for the side that sent it.
    fn response(&self, open: Open, code: StatusCode, headers: Headers) -> Response {
        let dialog = self.dialog(open.to.other()).clone();
        Response { code, from: open.from_field, to: open.to_field, dialog, cseq: open.origin, headers }
    }

    fn dialog(&self, side: Side) -> &DialogId {
        match side {
            Side::Caller => &self.caller_dialog,
            Side::Callee => &self.invite.dialog,
        }
    }

    /// Whether the leg is still there. If it is not, nothing more is needed on it.
    fn send(&self, cx: &mut Cx<Side>, to: Side, message: impl Into<Message>) -> bool {
        let leg = match to {
            Side::Caller => LegId::FIRST,
            Side::Callee => self.callee,
        };
        cx.send(leg, message).is_ok()
    }
}

/// A call lasts: it must not keep the INVITE's frame, with the body in it, alive.
fn without_frame(invite: &Request) -> Request {
    Request {
        method: Method::Invite,
        uri: ByteString::from(&*invite.uri),
        from: ByteString::from(&*invite.from),
        to: ByteString::from(&*invite.to),
        dialog: invite.dialog.clone(),
        cseq: invite.cseq,
        related: None,
        router: None,
        headers: Headers::default(),
    }
}
