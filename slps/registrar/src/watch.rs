use std::sync::Arc;
use std::time::Instant;

use rtcd_sdk::jsip::{ByteString, StatusCode};
use rtcd_sdk::{LegId, Peer};

use crate::contacts::Contact;
use crate::presence::Document;

/// One device's subscription to one user's presence: at most one NOTIFY is under way.
///
/// | stage | event | what is sent | next |
/// |---|---|---|---|
/// | Quiet | the presence is another than the one that was told | NOTIFY | Telling |
/// | Telling | the presence changes | nothing: what counts then is looked at with the answer | same |
/// | Telling | 2xx | | Quiet |
/// | Telling | 408 or 503 | | Waiting |
/// | Telling | any other final, or the dialog ends without one | | over |
/// | Waiting | the pause is over, or the device registers | NOTIFY | Telling |
/// | Quiet, Waiting | the time is over | the last NOTIFY | over |
/// | Telling | the time is over | nothing | Ending |
/// | Ending | any final, or the dialog ends | the last NOTIFY | over |
/// | any | SUBSCRIBE with `Expire` 0 | | over |
/// | Quiet, Waiting | SUBSCRIBE | NOTIFY, after its 200 | Waiting |
/// | Telling, Ending | SUBSCRIBE | NOTIFY, after the answer | Telling |
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) peer: Peer,
    pub(crate) user: ByteString,
    pub(crate) expires: Instant,
    stage: Stage,
    /// What the device was told last, if it is known to have it or may get it yet.
    told: Option<Arc<Document>>,
    /// The contact that the last NOTIFY went to, if the device was registered.
    pub(crate) contact: Option<Contact>,
    misses: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Quiet,
    Telling(LegId),
    Waiting(Instant),
    Ending(LegId),
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It was not for what is under way.
    Nothing,
    /// Look whether there is something new.
    Look,
    /// Wait; this was the n-th miss in a row.
    Wait(u32),
    /// The last NOTIFY.
    Last,
    /// Forget the subscription: the device does not want it.
    Unwanted,
    /// Forget the subscription: the device is not there.
    NotThere,
}

impl Watch {
    /// A new subscription. Its first NOTIFY is held back until then, so that the SUBSCRIBE has its answer first.
    pub(crate) fn new(peer: Peer, user: ByteString, expires: Instant, held: Instant) -> Self {
        Self { peer, user, expires, stage: Stage::Waiting(held), told: None, contact: None, misses: 0 }
    }

    /// It was subscribed again. A NOTIFY that follows is held back, too.
    pub(crate) fn renewed(&mut self, expires: Instant, held: Instant) {
        self.expires = expires;
        self.told = None;
        self.misses = 0;
        self.stage = match self.stage {
            Stage::Quiet | Stage::Waiting(_) => Stage::Waiting(held),
            Stage::Telling(leg) | Stage::Ending(leg) => Stage::Telling(leg),
        };
    }

    /// Until when it waits.
    pub(crate) fn waits_until(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting(until) => Some(until),
            Stage::Quiet | Stage::Telling(_) | Stage::Ending(_) => None,
        }
    }

    pub(crate) fn wait(&mut self, until: Instant) {
        self.stage = Stage::Waiting(until);
    }

    /// It waits no longer.
    pub(crate) fn resume(&mut self) {
        if let Stage::Waiting(_) = self.stage {
            self.stage = Stage::Quiet;
        }
    }

    /// Whether this is to be told now.
    pub(crate) fn wants(&self, newest: &Arc<Document>) -> bool {
        self.stage == Stage::Quiet && self.told.as_ref() != Some(newest)
    }

    /// A NOTIFY with this left.
    pub(crate) fn telling(&mut self, leg: LegId, told: Arc<Document>, contact: Option<Contact>) {
        self.contact = contact;
        self.stage = Stage::Telling(leg);
        self.told = Some(told);
    }

    /// A NOTIFY has its final answer, or its dialog ended without one.
    pub(crate) fn answered(&mut self, leg: LegId, code: Option<StatusCode>) -> Next {
        match self.stage {
            Stage::Ending(under_way) if under_way == leg => return Next::Last,
            Stage::Telling(under_way) if under_way == leg => {}
            Stage::Quiet | Stage::Telling(_) | Stage::Waiting(_) | Stage::Ending(_) => return Next::Nothing,
        }
        self.stage = Stage::Quiet;
        match code {
            Some(code) if code.is_success() => {
                self.misses = 0;
                Next::Look
            }
            Some(StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE) => {
                self.told = None;
                self.misses = self.misses.saturating_add(1);
                Next::Wait(self.misses)
            }
            Some(StatusCode::TEMPORARILY_NOT_AVAILABLE) => Next::NotThere,
            Some(_) | None => Next::Unwanted,
        }
    }

    /// Its time is over. Whether the last NOTIFY may leave now; else it leaves when the one under way has its answer.
    pub(crate) fn over(&mut self) -> bool {
        match self.stage {
            Stage::Quiet | Stage::Waiting(_) => true,
            Stage::Telling(leg) | Stage::Ending(leg) => {
                self.stage = Stage::Ending(leg);
                false
            }
        }
    }
}
