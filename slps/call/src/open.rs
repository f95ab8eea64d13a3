use rtcd_sdk::prelude::*;

use crate::Side;

/// A request of one side that was passed on to the other.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// To whom.
    pub(crate) to: Side,
    pub(crate) method: Method,
    /// Its CSeq on the leg that it came from.
    pub(crate) origin: CSeq,
    pub(crate) from_field: ByteString,
    pub(crate) to_field: ByteString,
    /// Its CSeq on the leg that it went to.
    cseq: CSeq,
    /// An INVITE whose 2xx was passed back, and whose ACK is still to come.
    accepted: bool,
}

impl Open {
    pub(crate) fn new(request: &Request, to: Side, cseq: CSeq) -> Self {
        Self {
            to,
            method: request.method,
            origin: request.cseq,
            from_field: request.from.clone(),
            to_field: request.to.clone(),
            cseq,
            accepted: false,
        }
    }
}

/// The requests on their way from leg to leg: a few at most, in order.
#[derive(Debug, Default)]
pub(crate) struct OpenRequests(Vec<Open>);

impl OpenRequests {
    pub(crate) fn add(&mut self, open: Open) {
        self.0.push(open);
    }

    /// The request that a response of this side belongs to; with a final one it is done, but for the ACK of an INVITE.
    pub(crate) fn answered(&mut self, by: Side, cseq: CSeq, code: StatusCode) -> Option<Open> {
        let at = self.0.iter().position(|open| open.to == by && open.cseq == cseq && !open.accepted)?;
        let open = self.0.get_mut(at)?;
        if code.is_provisional() {
            return Some(open.clone());
        }
        if open.method == Method::Invite && code.is_success() {
            open.accepted = true;
            return Some(open.clone());
        }
        Some(self.0.remove(at))
    }

    /// Takes out the accepted INVITE that an ACK is for: the one with this CSeq at its sender, or else the oldest. Gives the CSeq
    /// that it has at the other side.
    pub(crate) fn take_accepted(&mut self, to: Side, origin: Option<CSeq>) -> Option<CSeq> {
        let at = self.0.iter().position(|open| {
            open.accepted && open.to == to && origin.is_none_or(|origin| origin == open.origin)
        })?;
        Some(self.0.remove(at).cseq)
    }

    /// Whether the INVITE that has this CSeq at its receiver is accepted and has no ACK.
    pub(crate) fn is_accepted(&self, to: Side, cseq: CSeq) -> bool {
        self.0.iter().any(|open| open.accepted && open.to == to && open.cseq == cseq)
    }

    /// Takes out all, and gives those without a final answer.
    pub(crate) fn take_unanswered(&mut self) -> impl Iterator<Item = Open> + use<> {
        std::mem::take(&mut self.0).into_iter().filter(|open| !open.accepted)
    }
}
