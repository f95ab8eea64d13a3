use std::collections::BTreeSet;
use std::time::Instant;

use rtcd_sdk::{Cx, TimerId};

use crate::mail::WatchId;

/// What is to be done for subscriptions, and when. One timer serves this and the contacts.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeSet<(Instant, Due)>,
    alarm: Option<(Instant, TimerId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A subscription is over.
    Expire(WatchId),
    /// A subscription's pause is over.
    Resume(WatchId),
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Instant, due: Due) {
        self.entries.insert((at, due));
    }

    pub(crate) fn remove(&mut self, at: Instant, due: Due) {
        self.entries.remove(&(at, due));
    }

    /// What is due, taken out.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        let first = *self.entries.first()?;
        if first.0 > now {
            return None;
        }
        self.entries.remove(&first);
        Some(first.1)
    }

    /// Sets the alarm to the first entry, or to what else is due. One that is set too early is left: it finds nothing due and sets
    /// itself anew.
    pub(crate) fn arm(&mut self, cx: &mut Cx<WatchId>, also: Option<Instant>) {
        let Some(first) = self.entries.first().map(|(at, _)| *at).into_iter().chain(also).min() else {
            return;
        };
        if let Some((at, timer)) = self.alarm {
            if at <= first {
                return;
            }
            cx.cancel_timer(timer);
        }
        let after = first.saturating_duration_since(cx.now());
        self.alarm = Some((first, cx.timer(after)));
    }

    /// Whether this timer is the alarm. It is not set any more then.
    pub(crate) fn is_alarm(&mut self, timer: TimerId) -> bool {
        let is_alarm = self.alarm.is_some_and(|(_, alarm)| alarm == timer);
        if is_alarm {
            self.alarm = None;
        }
        is_alarm
    }
}
