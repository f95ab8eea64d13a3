use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtcd_sdk::LegId;
use rtcd_sdk::jsip::StatusCode;

use crate::mail::Post;

/// The number of a message in its room.
pub(crate) type Number = u64;

/// What one member has yet to get.
///
/// | pace | what is sent | next |
/// |---|---|---|
/// | Steady | what waits, in order; up to [`WINDOW`] under way, and nothing while the oldest is overdue | 408: Retrying; 480: Paused |
/// | Retrying | the oldest that waits, alone, once nothing older is under way | 408: the same; 480: Paused; other: Steady |
/// | Paused | nothing | its time is over: Retrying |
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By number.
    waiting: VecDeque<(Number, Arc<Post>)>,
    /// In the order in which they were sent.
    under_way: Vec<UnderWay>,
    pace: Pace,
    dropped: u64,
}

#[derive(Debug)]
struct UnderWay {
    leg: LegId,
    number: Number,
    post: Arc<Post>,
    since: Instant,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pace {
    #[default]
    Steady,
    /// The repeat that is under way, if one is.
    Retrying(Option<LegId>),
    Paused(Instant),
}

/// How many copies may be under way to a member.
pub(crate) const WINDOW: usize = 32;

impl Outbox {
    /// Adds the room's next message. Gives how many were dropped so far if one had to be.
    pub(crate) fn add(&mut self, number: Number, post: Arc<Post>, qsize: usize) -> Option<u64> {
        self.waiting.push_back((number, post));
        if self.waiting.len() + self.under_way.len() <= qsize {
            return None;
        }
        self.waiting.pop_front();
        self.dropped += 1;
        Some(self.dropped)
    }

    /// Takes out what is to be sent now; [`sent`](Self::sent) is to follow.
    pub(crate) fn next(&mut self, now: Instant, patience: Duration) -> Option<(Number, Arc<Post>)> {
        let oldest = self.waiting.front()?.0;
        let may_go = match self.pace {
            Pace::Steady => {
                self.under_way.len() < WINDOW
                    && self.under_way.first().is_none_or(|first| now < first.since + patience)
            }
            Pace::Retrying(None) => self.under_way.iter().all(|copy| copy.number > oldest),
            Pace::Retrying(Some(_)) | Pace::Paused(_) => false,
        };
        if may_go { self.waiting.pop_front() } else { None }
    }

    /// What [`next`](Self::next) gave is under way.
    pub(crate) fn sent(&mut self, leg: LegId, number: Number, post: Arc<Post>, now: Instant) {
        if let Pace::Retrying(repeat) = &mut self.pace {
            *repeat = Some(leg);
        }
        self.under_way.push(UnderWay { leg, number, post, since: now });
    }

    /// A copy has its final answer. After a 480, nothing is sent for a while.
    pub(crate) fn answered(&mut self, leg: LegId, code: StatusCode, now: Instant, pause: Duration) {
        let Some(at) = self.under_way.iter().position(|copy| copy.leg == leg) else { return };
        let UnderWay { number, post, .. } = self.under_way.remove(at);
        let was_repeat = self.pace == Pace::Retrying(Some(leg));
        match code {
            StatusCode::REQUEST_TIMEOUT => {
                self.wait_again(number, post);
                if was_repeat || self.pace == Pace::Steady {
                    self.pace = Pace::Retrying(None);
                }
            }
            StatusCode::TEMPORARILY_NOT_AVAILABLE => {
                self.wait_again(number, post);
                if was_repeat || matches!(self.pace, Pace::Steady | Pace::Retrying(None)) {
                    self.pace = Pace::Paused(now + pause);
                }
            }
            _ if was_repeat => self.pace = Pace::Steady,
            _ => {}
        }
    }

    /// A copy's dialog has ended. If it had no final answer, it counts as one for a member who is not there.
    pub(crate) fn ended(&mut self, leg: LegId, now: Instant, pause: Duration) {
        self.answered(leg, StatusCode::TEMPORARILY_NOT_AVAILABLE, now, pause);
    }

    /// Until when nothing is sent.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        match self.pace {
            Pace::Paused(until) => Some(until),
            Pace::Steady | Pace::Retrying(_) => None,
        }
    }

    /// The pause is over.
    pub(crate) fn resume(&mut self) {
        if let Pace::Paused(_) = self.pace {
            self.pace = Pace::Retrying(None);
        }
    }

    fn wait_again(&mut self, number: Number, post: Arc<Post>) {
        let at = self.waiting.partition_point(|(other, _)| *other < number);
        self.waiting.insert(at, (number, post));
    }
}
