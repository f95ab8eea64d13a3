//! A plain call between two users, back to back: the caller's INVITE opens a second leg, to the peer that it names, and from then
//! on what comes in on one leg goes out on the other. Each leg is a session of its own, with its own `DialogueID`, CSeqs and
//! session timer (the stack keeps those).
//!
//! | stage | event | what the call does | next |
//! |---|---|---|---|
//! | Ringing | 1xx of the callee | passed on | same |
//! | Ringing | 200 of the callee | passed on | Answered |
//! | Ringing | ≥ 300 of the callee, or of its stack (408, 480, 503) | passed on | Over |
//! | Ringing | CANCEL of the caller, or of its stack | CANCEL to the callee | Cancelled |
//! | Ringing | the callee's leg is hung up or ends | 487 to the caller | Over |
//! | Cancelled | 200 of the callee: it crossed the CANCEL | ACK and BYE to the callee | Over |
//! | Cancelled | ≥ 300 of the callee, or its leg ends | nothing | Over |
//! | Answered | BYE of one side, or of its stack, or its leg ends | BYE to the other; the callee gets its ACK before, if it had none | Over |
//! | Answered | CANCEL of the caller: it crossed the 200, which its stack has refused | ACK and BYE to the callee | Over |
//! | Ringing, Answered | any other request or response | passed on | same |
//! | Cancelled, Over | any other request | 481 | same |
//!
//! What waits for an answer when the call gets over is answered 487. So whatever crosses, both sides get one final answer, and no
//! leg stays up. The task ends when both legs have ended.

mod live;
mod open;

use rtcd_sdk::prelude::*;

use self::live::Live;

register_slp!("call", Call);

/// One call: nothing, until its INVITE has come.
#[derive(Debug, Default)]
pub struct Call(Option<Box<Live>>);

/// The two ends of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// Whose INVITE it is.
    #[default]
    Caller,
    /// Whom the INVITE names.
    Callee,
}

impl Slp for Call {
    type Leg = Side;
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self::default()
    }

    async fn on_request(&mut self, cx: &mut Cx<Side>, request: Incoming<Request, Side>) -> Outcome {
        match (&mut self.0, request.method) {
            (Some(call), Method::Bye | Method::Cancel) => call.hang_up(cx, request.tag, &request.headers),
            (Some(call), Method::Ack) => call.pass_ack(cx, &request),
            (Some(call), _) => call.pass_request(cx, &request)?,
            (None, Method::Invite) => self.0 = Live::begin(cx, &request)?.map(Box::new),
            (None, _) => cx.refuse(&request, StatusCode::METHOD_NOT_ALLOWED, "Only INVITE makes a call")?,
        }
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut Cx<Side>, response: Incoming<Response, Side>) -> Outcome {
        if let Some(call) = &mut self.0 {
            call.on_response(cx, response.tag, response.message);
        }
        Ok(())
    }

    async fn on_end(&mut self, cx: &mut Cx<Side>, _: LegId, side: Side) -> Outcome {
        if let Some(call) = &mut self.0 {
            call.hang_up(cx, side, &Headers::default());
        }
        if cx.legs() == 0 {
            cx.finish();
        }
        Ok(())
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}
