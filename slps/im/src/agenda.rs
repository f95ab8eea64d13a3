use std::collections::BTreeSet;
use std::time::Instant;

use rtcd_sdk::jsip::ByteString;
use rtcd_sdk::{Cx, TimerId};

use crate::inbox::Leg;

/// What is to be done, and when: one timer for all messages and receivers.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeSet<(Instant, Due)>,
    alarm: Option<(Instant, TimerId)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A message has waited for long enough.
    Patience(u64),
    /// A receiver is tried again.
    Again(ByteString),
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
        if self.entries.first()?.0 > now {
            return None;
        }
        self.entries.pop_first().map(|(_, due)| due)
    }

    /// Sets the alarm to the first entry. One that is set too early is left: it finds nothing due and sets itself anew.
    pub(crate) fn arm(&mut self, cx: &mut Cx<Leg>) {
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
