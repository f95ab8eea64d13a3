//! A call that stays up: units are INFO and 200 in it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::wire::{Fixed, Incoming};
use super::work::{Turn, Work};

/// CSeq of the first requests of the call; the INFOs follow, and the BYE.
const INVITE: u64 = 1;
const ACK: u64 = 2;

/// Opens one call, and sends INFOs in it until the end.
#[derive(Debug)]
pub(super) struct Session {
    dialog: String,
    invite: Fixed,
    info: Fixed,
    later: Fixed,
    state: State,
    /// CSeq of the last request.
    last: u64,
    /// INFOs without a final response, by CSeq.
    open: BTreeMap<u64, Pending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The INVITE has no final response.
    Inviting,
    Up,
    /// The BYE with this CSeq has none.
    Ending(u64),
    Over,
}

#[derive(Debug)]
struct Pending {
    /// When it should have begun.
    intended: Instant,
    /// Taken for lost then.
    deadline: Instant,
}

impl Session {
    /// `invite` is for the INVITE, `info` for the INFOs, `later` for ACK and BYE. No other session has this `dialog`.
    pub(super) fn new(dialog: String, invite: Fixed, info: Fixed, later: Fixed) -> Self {
        Self { dialog, invite, info, later, state: State::Inviting, last: ACK, open: BTreeMap::new() }
    }

    fn on_opened(&mut self, code: u16, turn: &mut Turn<'_>) {
        if code < 200 {
            return;
        }
        turn.send(self.later.request("ACK", &self.dialog, ACK, &format!(r#","RelatedID":{INVITE}"#)));
        if code == 200 {
            self.state = State::Up;
        } else {
            self.state = State::Over;
            turn.stats().error(1, &format!("unexpected code {code} to INVITE"));
        }
    }
}

impl Work for Session {
    fn open(&mut self, turn: &mut Turn<'_>) {
        turn.send(self.invite.request("INVITE", &self.dialog, INVITE, ""));
    }

    fn is_ready(&self) -> bool {
        self.state == State::Up
    }

    fn in_flight(&self) -> usize {
        self.open.len()
    }

    fn begin(&mut self, intended: Instant, turn: &mut Turn<'_>) {
        self.last += 1;
        self.open.insert(self.last, Pending { intended, deadline: turn.deadline(intended) });
        turn.stats().begin(1);
        turn.send(self.info.request("INFO", &self.dialog, self.last, ""));
    }

    fn on_message(&mut self, message: &Incoming<'_>, turn: &mut Turn<'_>) {
        if !message.is_response() || message.dialogue_id() != self.dialog {
            return turn.unexpected(message);
        }
        match (self.state, message.cseq, message.code) {
            (State::Inviting, INVITE, code) => self.on_opened(code, turn),
            (State::Ending(bye), cseq, code) if cseq == bye => {
                self.state = State::Over;
                turn.stats().error(usize::from(code != 200), &format!("unexpected code {code} to BYE"));
            }
            (_, cseq, 100..=199) if self.open.contains_key(&cseq) => {}
            (_, cseq, code) => match self.open.remove(&cseq) {
                Some(info) if code == 200 => {
                    turn.stats().done(turn.now.saturating_duration_since(info.intended));
                }
                Some(_) => turn.stats().fail(1, &format!("unexpected code {code} to INFO")),
                None => turn.unexpected(message),
            },
        }
    }

    fn expire(&mut self, turn: &mut Turn<'_>) {
        let before = self.open.len();
        self.open.retain(|_, info| info.deadline > turn.now);
        turn.stats().fail(before - self.open.len(), "timeout");
    }

    fn leave(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::Up {
            let bye = self.last + 1;
            self.state = State::Ending(bye);
            turn.send(self.later.request("BYE", &self.dialog, bye, ""));
        }
    }

    fn has_left(&self) -> bool {
        !matches!(self.state, State::Ending(_))
    }
}
