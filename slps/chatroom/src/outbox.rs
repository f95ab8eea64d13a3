use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtcd_sdk::LegId;
use rtcd_sdk::jsip::StatusCode;

use crate::mail::{Number, Post};
use crate::settings::{Limit, Pauses};

/// What one member has yet to get.
///
/// | pace | what is sent | next |
/// |---|---|---|
/// | Steady | what waits, in order; up to [`WINDOW`] under way, and nothing while the oldest is overdue | 408: Retrying; 480: Paused |
/// | Retrying | the oldest that waits, alone, once nothing older is under way | 408: the same; 480: Paused; other: Steady, if none that failed waits |
/// | Paused | nothing | its time is over, soon if the member joins again: Retrying |
/// | Recalling | nothing | what was said before is there, or its time is over: Steady |
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By number; so what has failed stands before what was never sent.
    waiting: VecDeque<Waiting>,
    /// What they take.
    bytes: usize,
    /// In the order in which they were sent.
    under_way: Vec<UnderWay>,
    pace: Pace,
    /// Pauses since the member was last known to be there.
    pauses: u32,
    /// What the member itself has said while it waits for what was said before.
    own: VecDeque<Post>,
    dropped: u64,
}

#[derive(Debug)]
struct Waiting {
    number: Number,
    post: Arc<Post>,
    has_failed: bool,
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
    Recalling(Instant),
}

/// How many copies may be under way to a member.
pub(crate) const WINDOW: usize = 32;

impl Outbox {
    /// Adds the room's next message. Gives how many were dropped so far, each time it is twice as many.
    pub(crate) fn add(&mut self, number: Number, post: Arc<Post>, limit: Limit) -> Option<u64> {
        self.bytes += post.size();
        self.waiting.push_back(Waiting { number, post, has_failed: false });
        let before = self.dropped;
        while self.waiting.len() + self.under_way.len() > limit.count
            || self.bytes > limit.bytes && self.waiting.len() > 1
        {
            if self.pop().is_none() {
                break;
            }
            self.dropped += 1;
        }
        (self.dropped.checked_ilog2() != before.checked_ilog2()).then_some(self.dropped)
    }

    fn pop(&mut self) -> Option<Waiting> {
        let oldest = self.waiting.pop_front()?;
        self.bytes -= oldest.post.size();
        Some(oldest)
    }

    /// Takes out what is to be sent now; [`sent`](Self::sent) is to follow.
    pub(crate) fn next(&mut self, now: Instant, patience: Duration) -> Option<(Number, Arc<Post>)> {
        let oldest = self.waiting.front()?.number;
        let may_go = match self.pace {
            Pace::Steady => {
                self.under_way.len() < WINDOW
                    && self.under_way.first().is_none_or(|first| now < first.since + patience)
            }
            Pace::Retrying(None) => self.under_way.iter().all(|copy| copy.number > oldest),
            Pace::Retrying(Some(_)) | Pace::Paused(_) | Pace::Recalling(_) => false,
        };
        if !may_go {
            return None;
        }
        self.pop().map(|oldest| (oldest.number, oldest.post))
    }

    /// What [`next`](Self::next) gave is under way.
    pub(crate) fn sent(&mut self, leg: LegId, number: Number, post: Arc<Post>, now: Instant) {
        if let Pace::Retrying(repeat) = &mut self.pace {
            *repeat = Some(leg);
        }
        self.under_way.push(UnderWay { leg, number, post, since: now });
    }

    /// A copy has its final answer. After a 480, nothing is sent for a while.
    pub(crate) fn answered(&mut self, leg: LegId, code: StatusCode, now: Instant, pauses: Pauses) {
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
                    self.pauses = self.pauses.saturating_add(1);
                    self.pace = Pace::Paused(now + pauses.nth(self.pauses));
                }
            }
            _ => {
                self.pauses = 0;
                if was_repeat {
                    let more = self.waiting.front().is_some_and(|oldest| oldest.has_failed);
                    self.pace = if more { Pace::Retrying(None) } else { Pace::Steady };
                }
            }
        }
    }

    /// A copy's dialog has ended. If it had no final answer, it counts as one for a member who is not there.
    pub(crate) fn ended(&mut self, leg: LegId, now: Instant, pauses: Pauses) {
        self.answered(leg, StatusCode::TEMPORARILY_NOT_AVAILABLE, now, pauses);
    }

    /// The member is there again: no pause lasts longer than until then, and those that follow are short again.
    pub(crate) fn is_back(&mut self, at: Instant) {
        self.pauses = 0;
        if let Pace::Paused(until) = &mut self.pace {
            *until = at.min(*until);
        }
    }

    /// Until when nothing is sent.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        match self.pace {
            Pace::Paused(until) | Pace::Recalling(until) => Some(until),
            Pace::Steady | Pace::Retrying(_) => None,
        }
    }

    /// The pause is over.
    pub(crate) fn resume(&mut self) {
        match self.pace {
            Pace::Paused(_) => self.pace = Pace::Retrying(None),
            Pace::Recalling(_) => {
                self.pace = Pace::Steady;
                self.own.clear();
            }
            Pace::Steady | Pace::Retrying(_) => {}
        }
    }

    /// Nothing has been sent, and nothing is until what was said before is there.
    pub(crate) fn recall(&mut self, until: Instant) {
        self.pace = Pace::Recalling(until);
    }

    /// The member itself has said something: it is not told that it was said before.
    pub(crate) fn said(&mut self, post: &Post, limit: Limit) {
        if self.is_recalling() {
            self.own.push_back(post.clone());
            while self.own.len() > limit.count || self.own.iter().map(Post::size).sum::<usize>() > limit.bytes
            {
                self.own.pop_front();
            }
        }
    }

    pub(crate) fn is_recalling(&self) -> bool {
        matches!(self.pace, Pace::Recalling(_))
    }

    /// What was said before, with what may have been said since: of that, nothing is sent. It goes before all else. Its oldest have to give way to the rest.
    pub(crate) fn recalled(&mut self, mut posts: Vec<Post>, limit: Limit) {
        posts.retain(|post| {
            let mut later = self.waiting.iter().map(|waiting| &*waiting.post).chain(&self.own);
            later.all(|later| !is_same(post, later))
        });
        let count = limit.count.saturating_sub(self.waiting.len());
        let mut bytes = self.bytes;
        let fits = posts.iter().rev().take(count).take_while(|post| {
            bytes += post.size();
            bytes <= limit.bytes
        });
        let posts = posts.split_off(posts.len() - fits.count());
        for (number, post) in (1..).zip(posts).collect::<Vec<_>>().into_iter().rev() {
            self.bytes += post.size();
            self.waiting.push_front(Waiting { number, post: Arc::new(post), has_failed: false });
        }
        self.resume();
    }

    fn wait_again(&mut self, number: Number, post: Arc<Post>) {
        self.bytes += post.size();
        let at = self.waiting.partition_point(|other| other.number < number);
        self.waiting.insert(at, Waiting { number, post, has_failed: true });
    }
}

/// Whether two copies are of one message.
pub(crate) fn is_same(one: &Post, other: &Post) -> bool {
    one.headers.raw("Message-ID") == other.headers.raw("Message-ID")
        && one.headers.raw("P-Asserted-Identity") == other.headers.raw("P-Asserted-Identity")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rtcd_sdk::jsip::Headers;

    use super::*;

    /// Answers in any order: what failed is never overtaken while it is being tried, and in the end all has arrived once.
    #[test]
    fn nothing_overtakes_a_failure_and_all_arrives() {
        for seed in 1..500 {
            drawn(seed);
        }
    }

    fn drawn(seed: u64) {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |below: u64| {
            random ^= random >> 12;
            random ^= random << 25;
            random ^= random >> 27;
            (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
        };
        let post =
            Arc::new(Post { from: "a".into(), to: "b".into(), router: None, headers: Headers::default() });
        #[expect(clippy::disallowed_methods, reason = "where the test's own clock begins does not matter")]
        let mut now = Instant::now();
        let pauses = Pauses { first: Duration::from_secs(5), longest: Duration::from_secs(60) };
        let patience = Duration::from_secs(1);
        let (mut outbox, mut legs, mut posted) = (Outbox::default(), 0, 0);
        let (mut under_way, mut failed, mut done) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        while done.len() < 60 {
            now += Duration::from_millis(draw(300));
            match draw(4) {
                0 if posted < 60 => {
                    posted += 1;
                    assert_eq!(outbox.add(posted, post.clone(), Limit { count: 1024, bytes: 1 << 20 }), None);
                }
                1 if outbox.paused_until().is_some_and(|until| until <= now) => outbox.resume(),
                _ if !under_way.is_empty() => {
                    let (leg, number) = under_way.remove(draw(under_way.len() as u64) as usize);
                    let code =
                        [StatusCode::OK, StatusCode::REQUEST_TIMEOUT, StatusCode::TEMPORARILY_NOT_AVAILABLE]
                            [if posted < 60 { draw(3) as usize } else { draw(20) as usize / 9 }];
                    outbox.answered(leg, code, now, pauses);
                    outbox.ended(leg, now, pauses); // means nothing any more
                    if code == StatusCode::OK {
                        failed.remove(&number);
                        assert!(done.insert(number), "seed {seed}: {number} arrives twice");
                    } else {
                        failed.insert(number);
                    }
                }
                _ => {}
            }
            while let Some((number, post)) = outbox.next(now, patience) {
                let earlier = failed.range(..number).next();
                assert_eq!(earlier, None, "seed {seed}: {number} overtakes");
                assert!(
                    under_way.iter().all(|(_, other)| *other != number),
                    "seed {seed}: {number} is sent twice"
                );
                assert!(under_way.len() < WINDOW + 1);
                legs += 1;
                let leg = LegId::received(legs);
                outbox.sent(leg, number, post, now);
                under_way.push((leg, number));
            }
        }
    }
}
