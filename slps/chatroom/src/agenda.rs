use std::collections::BTreeSet;
use std::time::Instant;

use rtcd_sdk::{Cx, TimerId};

use crate::mail::Accepted;
use crate::room::Place;

/// What is to be done, and when: one timer for all rooms and members.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeSet<(Instant, Due)>,
    alarm: Option<(Instant, TimerId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A membership is over.
    Expire(Place),
    /// A pause of a member's copies is over.
    Resume(Place),
    /// A message was held back for long enough.
    HandOut(Accepted),
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

    /// Sets the alarm to the first entry. One that is set too early is left: it finds nothing due and sets itself anew.
    pub(crate) fn arm(&mut self, cx: &mut Cx<Place>) {
        let Some((first, ..)) = self.entries.first() else { return };
        if let Some((at, timer)) = self.alarm {
            if at <= *first {
                return;
            }
            cx.cancel_timer(timer);
        }
        let after = first.saturating_duration_since(cx.now());
        self.alarm = Some((*first, cx.timer(after)));
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
