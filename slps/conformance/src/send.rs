use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::{info, warn};

use crate::unexpected;

/// The cases in which the service opens the dialog under test, and waits for something.
#[derive(Debug)]
pub(crate) enum Case {
    /// `Send_UPDATE_No_Session`: waits for the stack's 481.
    Update,
    /// `Send_MESSAGE`, `Send_MESSAGE_Timeout`: waits for the final response.
    Message,
    /// `Send_INVITE`.
    Invite { leg: LegId, invite: Box<Request>, state: Invite },
    /// `Send_INVITE_Timeout`, `Send_CANCEL`: waits for the final response.
    UntilFinal,
    /// `Send_INVITE_Session_Timeout`: waits for the 200, and then for the stack's BYE.
    SessionTimeout,
}

/// How far `Send_INVITE` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invite {
    /// INVITE is sent.
    Calling,
    /// PRACK is sent.
    Ringing,
    /// The INVITE is answered; its ACK is left out.
    Answered,
    /// The script's re-INVITE is answered.
    ReAnswered,
    /// Its ACK has come: BYE after a while.
    Confirmed,
}

/// How long a call of `Send_INVITE` lasts.
const TALK: Duration = Duration::from_secs(30);

impl Case {
    /// Does what the case does first. `None` if no case here has this name.
    pub(crate) fn begin(
        name: &str,
        cx: &mut Cx,
        request: &Incoming<Request>,
    ) -> Result<Option<crate::Case>, Fault> {
        let case = match name {
            "Send_Error_Msg" => {
                let mut invite = own(cx, name, request, Method::Invite)?;
                (invite.uri, invite.to) = (ByteString::new(), ByteString::new());
                must_be_refused(cx.open((), invite).map(|_| ()))?;
                None
            }
            "Send_BYE_481" => refused(cx, name, request, Method::Bye)?,
            "Send_ACK_No_Session" => refused(cx, name, request, Method::Ack)?,
            "Send_CANCEL_No_Session" => refused(cx, name, request, Method::Cancel)?,
            "Send_Resp_No_Session" => {
                cx.reply(request, StatusCode::OK)?;
                let mut response = request.response(StatusCode::OK);
                response.dialog = cx.dialog_id();
                // The stack finds that it belongs to no dialog of the peer and drops it.
                cx.send(request.leg, response)?;
                None
            }
            "Send_UPDATE_No_Session" => {
                let update = own(cx, name, request, Method::Update)?;
                cx.open((), update)?;
                Some(Self::Update)
            }
            "Send_MESSAGE" | "Send_MESSAGE_Timeout" => {
                let message = own(cx, name, request, Method::Message)?;
                cx.open((), message)?;
                Some(Self::Message)
            }
            "Send_INVITE" => {
                let (leg, invite) = call(cx, name, request)?;
                Some(Self::Invite { leg, invite: Box::new(invite), state: Invite::Calling })
            }
            "Send_INVITE_Timeout" => {
                call(cx, name, request)?;
                Some(Self::UntilFinal)
            }
            "Send_INVITE_Session_Timeout" => {
                call(cx, name, request)?;
                Some(Self::SessionTimeout)
            }
            "Send_CANCEL" => {
                let (leg, invite) = call(cx, name, request)?;
                let cancel = cx.follow_up(&invite, Method::Cancel);
                cx.send(leg, cancel)?;
                Some(Self::UntilFinal)
            }
            _ => return Ok(None),
        };
        Ok(Some(match case {
            Some(case) => crate::Case::Send(case),
            None => {
                cx.finish();
                crate::Case::Over
            }
        }))
    }

    pub(crate) fn on_request(&mut self, cx: &mut Cx, request: &Incoming<Request>) -> Outcome {
        let Self::Invite { state, .. } = self else { return unexpected(cx, request) };
        match (&*state, request.method) {
            (Invite::Calling | Invite::Ringing, Method::Update) => Ok(cx.reply(request, StatusCode::OK)?),
            (Invite::Answered, Method::Invite) => {
                *state = Invite::ReAnswered;
                Ok(cx.reply(request, StatusCode::OK)?)
            }
            (Invite::ReAnswered, Method::Ack) => {
                *state = Invite::Confirmed;
                cx.timer(TALK);
                Ok(())
            }
            _ => unexpected(cx, request),
        }
    }

    pub(crate) fn on_response(&mut self, cx: &mut Cx, response: &Incoming<Response>) -> Outcome {
        match self {
            // The answer of the script's own dialog is none of these: responses come to what the service has sent.
            Self::Update | Self::Message | Self::UntilFinal if !response.code.is_final() => Ok(()),
            Self::Update if response.code != StatusCode::NO_SUCH_TRANSACTION => {
                Err(Fault::new(format!("an UPDATE without a session was answered {}", response.code)))
            }
            Self::Update | Self::Message | Self::UntilFinal => {
                cx.finish();
                Ok(())
            }
            Self::SessionTimeout if response.code.is_success() => {
                let ack = cx.ack(response);
                Ok(cx.send(response.leg, ack)?)
            }
            Self::Invite { leg, invite, state: state @ Invite::Calling }
                if response.code == StatusCode::RINGING =>
            {
                *state = Invite::Ringing;
                let prack = cx.follow_up(invite, Method::Prack);
                Ok(cx.send(*leg, prack)?)
            }
            Self::Invite { invite, state, .. } if response.code.is_success() => {
                if response.cseq == invite.cseq {
                    *state = Invite::Answered;
                }
                Ok(())
            }
            Self::Invite { invite, .. } if response.code.is_final() && response.cseq == invite.cseq => {
                cx.finish();
                Ok(())
            }
            Self::SessionTimeout if response.code.is_final() => {
                cx.finish();
                Ok(())
            }
            Self::Invite { .. } | Self::SessionTimeout => Ok(()),
        }
    }

    pub(crate) fn on_timer(&mut self, cx: &mut Cx) -> Outcome {
        if let Self::Invite { leg, invite, state: Invite::Confirmed } = self {
            let bye = cx.follow_up(invite, Method::Bye);
            cx.send(*leg, bye)?;
            cx.finish();
        }
        Ok(())
    }
}

/// Answers the script, and makes the request of a dialog of the service's own.
fn own(cx: &mut Cx, case: &str, request: &Incoming<Request>, method: Method) -> Result<Request, Fault> {
    cx.reply(request, StatusCode::OK)?;
    Ok(cx.request(method, case.replace('_', ""), request.from.clone()))
}

/// The start of all INVITE cases.
fn call(cx: &mut Cx, case: &str, request: &Incoming<Request>) -> Result<(LegId, Request), Fault> {
    let mut invite = own(cx, case, request, Method::Invite)?;
    invite.headers.set_number("Expire", 60);
    let leg = cx.open((), invite.clone())?;
    Ok((leg, invite))
}

/// The whole of a case whose request has no session to belong to.
fn refused(
    cx: &mut Cx,
    case: &str,
    request: &Incoming<Request>,
    method: Method,
) -> Result<Option<Case>, Fault> {
    let stray = own(cx, case, request, method)?;
    must_be_refused(cx.open((), stray).map(|_| ()))?;
    Ok(None)
}

fn must_be_refused(sent: Result<(), SendError>) -> Outcome {
    match sent {
        Err(error) => {
            info!(%error, "refused, as it must be");
            Ok(())
        }
        Ok(()) => {
            warn!("sent, but it must be refused");
            Err(Fault::new("a request that must be refused was sent"))
        }
    }
}
