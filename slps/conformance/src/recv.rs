use rtcd_sdk::prelude::*;

use crate::unexpected;

/// The cases in which the script opens the dialog under test.
#[derive(Debug)]
pub(crate) enum Case {
    /// `Recv_INVITE`.
    Invite { invite: Box<Incoming<Request>>, state: Invite },
    /// `Recv_INVITE_Timeout`, `Recv_CANCEL`: waits for the CANCEL.
    Unanswered,
    /// `Recv_INVITE_Session_Timeout`: answered, waits for ACK and BYE.
    Answered,
    /// `Recv_INFO`: the same, and answers each INFO.
    Infos,
}

/// How far `Recv_INVITE` has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invite {
    /// 180 is sent.
    Ringing,
    /// PRACK is answered, UPDATE is sent.
    Updating,
    /// The INVITE is answered.
    Answered,
}

impl Case {
    /// Does what the case does first. `None` if no case here has this name.
    pub(crate) fn begin(
        name: &str,
        cx: &mut Cx,
        request: &Incoming<Request>,
    ) -> Result<Option<crate::Case>, Fault> {
        Ok(Some(match name {
            "Recv_MESSAGE" => {
                cx.reply(request, StatusCode::OK)?;
                cx.finish();
                crate::Case::Over
            }
            "Recv_MESSAGE_Timeout" => {
                cx.finish();
                crate::Case::Over
            }
            "Recv_INVITE" => {
                cx.reply(request, StatusCode::RINGING)?;
                let invite =
                    Incoming { leg: request.leg, tag: (), peer: None, message: request.message.clone() };
                let invite = Box::new(invite);
                crate::Case::Recv(Self::Invite { invite, state: Invite::Ringing })
            }
            "Recv_INVITE_Timeout" | "Recv_CANCEL" => crate::Case::Recv(Self::Unanswered),
            "Recv_INVITE_Session_Timeout" => {
                cx.reply(request, StatusCode::RINGING)?;
                cx.reply(request, StatusCode::OK)?;
                crate::Case::Recv(Self::Answered)
            }
            "Recv_INFO" => {
                cx.reply(request, StatusCode::RINGING)?;
                cx.reply(request, StatusCode::OK)?;
                crate::Case::Recv(Self::Infos)
            }
            _ => return Ok(None),
        }))
    }

    pub(crate) fn on_request(&mut self, cx: &mut Cx, request: &Incoming<Request>) -> Outcome {
        match self {
            Self::Invite { invite, state } => match (&*state, request.method) {
                (Invite::Ringing, Method::Prack) => {
                    cx.reply(request, StatusCode::OK)?;
                    let update = cx.follow_up(invite, Method::Update);
                    cx.send(invite.leg, update)?;
                    *state = Invite::Updating;
                    Ok(())
                }
                (Invite::Answered, Method::Invite) => Ok(cx.reply(request, StatusCode::OK)?),
                _ => unexpected(cx, request),
            },
            Self::Infos if request.method == Method::Info => Ok(cx.reply(request, StatusCode::OK)?),
            Self::Unanswered | Self::Answered | Self::Infos => unexpected(cx, request),
        }
    }

    pub(crate) fn on_response(&mut self, cx: &mut Cx, response: &Incoming<Response>) -> Outcome {
        match self {
            Self::Invite { invite, state }
                if *state == Invite::Updating && response.code == StatusCode::OK =>
            {
                *state = Invite::Answered;
                Ok(cx.reply(invite, StatusCode::OK)?)
            }
            Self::Invite { .. } | Self::Unanswered | Self::Answered | Self::Infos => Ok(()),
        }
    }
}
