use std::collections::BTreeSet;
use std::time::Instant;

use crate::{Cx, TimerId};

/// What a task has to do, and when, of any number of things by one timer: members that expire, messages that have waited for long enough.
///
/// [`arm`](Self::arm) after each change; when a timer [`is_alarm`](Self::is_alarm), do what is [`due`](Self::due) until nothing is, and
/// arm again.
#[derive(Debug)]
pub struct Agenda<D> {
    entries: BTreeSet<(Instant, D)>,
    alarm: Option<(Instant, TimerId)>,
}

impl<D: Ord> Agenda<D> {
    /// `due` is to be done at this time. What is there already for the same time is not added twice.
    pub fn add(&mut self, at: Instant, due: D) {
        self.entries.insert((at, due));
    }

    /// It is not to be done any more.
    pub fn remove(&mut self, at: Instant, due: D) {
        self.entries.remove(&(at, due));
    }

    /// What is due first, taken out.
    pub fn due(&mut self, now: Instant) -> Option<D> {
        if self.entries.first()?.0 > now {
            return None;
        }
        self.entries.pop_first().map(|(_, due)| due)
    }

    /// Sets the alarm to the first entry.
    pub fn arm<L: Clone, S>(&mut self, cx: &mut Cx<L, S>) {
        self.arm_also(cx, None);
    }

    /// Sets the alarm to the first entry, or to what else is due. One that is set too early is left: it finds nothing due and sets itself
    /// anew.
    pub fn arm_also<L: Clone, S>(&mut self, cx: &mut Cx<L, S>, also: Option<Instant>) {
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
    pub fn is_alarm(&mut self, timer: TimerId) -> bool {
        self.alarm.take_if(|(_, alarm)| *alarm == timer).is_some()
    }
}

impl<D> Default for Agenda<D> {
    fn default() -> Self {
        Self { entries: BTreeSet::new(), alarm: None }
    }
}
