//! The cases that existing JSIP test scripts drive. The `Request-URI` of a task's first message picks the case; an unknown one gets
//! 404.
//!
//! In the `Recv_…` cases the script is the one that opens the dialog under test. In the `Send_…` cases the service answers the
//! script's first message and then opens a dialog of its own, to the sender's `From`; its own `From` is the case's name without
//! underscores.
//!
//! `Recv_INFO` is no case of those scripts but one for load: it sends 180 and 200, takes ACK, answers each INFO with 200, and ends at BYE.

mod recv;
mod send;

use rtcd_sdk::prelude::*;

register_slp!("conformance", Conformance);

/// One run of a case.
#[derive(Debug)]
pub struct Conformance {
    case: Case,
}

#[derive(Debug)]
enum Case {
    /// The first message is still to come.
    New,
    /// Nothing more is expected but the end.
    Over,
    Recv(recv::Case),
    Send(send::Case),
}

impl Slp for Conformance {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self { case: Case::New }
    }

    async fn on_request(&mut self, cx: &mut Cx, request: Incoming<Request>) -> Outcome {
        match &mut self.case {
            Case::New => {
                self.case = begin(cx, &request)?;
                Ok(())
            }
            _ if matches!(request.method, Method::Bye | Method::Cancel) => {
                cx.finish();
                Ok(())
            }
            Case::Recv(case) => case.on_request(cx, &request),
            Case::Send(case) => case.on_request(cx, &request),
            Case::Over => Ok(()),
        }
    }

    async fn on_response(&mut self, cx: &mut Cx, response: Incoming<Response>) -> Outcome {
        match &mut self.case {
            Case::Recv(case) => case.on_response(cx, &response),
            Case::Send(case) => case.on_response(cx, &response),
            Case::New | Case::Over => Ok(()),
        }
    }

    async fn on_timer(&mut self, cx: &mut Cx, _: TimerId) -> Outcome {
        match &mut self.case {
            Case::Send(case) => case.on_timer(cx),
            Case::New | Case::Over | Case::Recv(_) => Ok(()),
        }
    }
}

fn begin(cx: &mut Cx, request: &Incoming<Request>) -> Result<Case, Fault> {
    let name = &*request.uri;
    if let Some(case) = recv::Case::begin(name, cx, request)? {
        return Ok(case);
    }
    if let Some(case) = send::Case::begin(name, cx, request)? {
        return Ok(case);
    }
    cx.refuse(request, StatusCode::NOT_FOUND, "No such case")?;
    cx.finish();
    Ok(Case::Over)
}

/// What no case expects: every request gets its final answer all the same.
fn unexpected(cx: &mut Cx, request: &Incoming<Request>) -> Outcome {
    if request.method != Method::Ack {
        cx.refuse(request, StatusCode::METHOD_NOT_ALLOWED, "Not a part of this case")?;
    }
    Ok(())
}
