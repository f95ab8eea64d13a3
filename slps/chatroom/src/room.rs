use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use rtcd_sdk::Peer;
use rtcd_sdk::jsip::ByteString;
use rtcd_store::date_text;

use crate::held::{Pending, Verdict};
use crate::mail::{Join, Number, Post};
use crate::outbox::Outbox;
use crate::settings::Limit;

/// A member, of which room. Never used again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) room: u64,
    /// Members count up as they join.
    pub(crate) member: u64,
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: ByteString,
    /// By the order in which they joined.
    pub(crate) members: BTreeMap<u64, Member>,
    by_user: HashMap<ByteString, u64>,
    joined: u64,
    accepted: Number,
    /// Messages that are not yet with all members, oldest first: the first one alone is being handed out.
    fan_outs: VecDeque<FanOut>,
    /// What they take.
    bytes: usize,
    /// Whether the first one is being handed out.
    pub(crate) busy: bool,
    /// Whether the agenda has a look at what is held back.
    pub(crate) is_looked_at: bool,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) user: ByteString,
    pub(crate) nickname: ByteString,
    /// The connection that it joined by.
    pub(crate) by: Option<Peer>,
    pub(crate) expires: Instant,
    pub(crate) outbox: Outbox,
}

impl Member {
    pub(crate) fn new(join: Join, expires: Instant) -> Self {
        let Join { user, nickname, by, .. } = join;
        Self { user, nickname, by, expires, outbox: Outbox::default() }
    }
}

#[derive(Debug)]
struct FanOut {
    number: Number,
    /// It is held back until it is known what becomes of it: until it is kept, and the sender has its answer.
    pending: Pending,
    post: Arc<Post>,
    bytes: usize,
    sender: u64,
    /// The first member that has not got it.
    from: u64,
    /// The last one who had joined when it was accepted.
    last: u64,
}

/// Numbers below it are for what was said before a member came.
const FIRST: Number = 1 << 32;

impl Room {
    pub(crate) fn new(name: ByteString) -> Self {
        Self {
            name,
            members: BTreeMap::new(),
            by_user: HashMap::new(),
            joined: 0,
            accepted: FIRST,
            fan_outs: VecDeque::new(),
            bytes: 0,
            busy: false,
            is_looked_at: false,
        }
    }

    pub(crate) fn find(&self, user: &str) -> Option<u64> {
        self.by_user.get(user).copied()
    }

    pub(crate) fn join(&mut self, member: Member) -> u64 {
        self.joined += 1;
        self.by_user.insert(member.user.clone(), self.joined);
        self.members.insert(self.joined, member);
        self.joined
    }

    pub(crate) fn leave(&mut self, member: u64) -> Option<Member> {
        let member = self.members.remove(&member)?;
        self.by_user.remove(&member.user);
        Some(member)
    }

    /// Takes a message. It is for who is a member now.
    pub(crate) fn accept(&mut self, sender: u64, post: Post, pending: Pending) {
        self.accepted += 1;
        let (number, last) = (self.accepted, self.joined);
        let bytes = post.size();
        self.bytes += bytes;
        let post = Arc::new(post);
        self.fan_outs.push_back(FanOut { number, pending, post, bytes, sender, from: 0, last });
    }

    /// What is held back is for a member that has just joined, too: what is not may be kept by now, and is read again for it.
    pub(crate) fn hears_what_is_held(&mut self, member: u64) {
        for fan_out in self.fan_outs.iter_mut().filter(|fan_out| fan_out.pending.verdict().is_none()) {
            fan_out.last = member;
        }
    }

    /// What is still to be handed to a member.
    pub(crate) fn to_come(&self, member: u64) -> impl Iterator<Item = &Post> {
        let to_come = self.fan_outs.iter().filter(move |fan_out| {
            fan_out.pending.verdict() != Some(Verdict::Withdrawn)
                && (fan_out.from..=fan_out.last).contains(&member)
        });
        to_come.map(|fan_out| &*fan_out.post)
    }

    /// Whether the next message may be handed out: the first one that nobody withdrew.
    pub(crate) fn is_ready(&mut self) -> bool {
        while let Some(next) = self.fan_outs.front_mut() {
            match next.pending.verdict() {
                None => return false,
                Some(Verdict::Withdrawn) => self.pop(),
                Some(Verdict::Heard { first_date }) => {
                    // The copies share it once the first one is made.
                    if let Some(date) = first_date.filter(|_| next.from == 0) {
                        Arc::make_mut(&mut next.post).headers.set_text("Date", &date_text(date));
                    }
                    return true;
                }
            }
        }
        false
    }

    /// Whether there is something that is not with all members.
    pub(crate) fn has_more(&self) -> bool {
        !self.fan_outs.is_empty()
    }

    /// Whether no more is to be taken before some of it is with all members.
    pub(crate) fn is_full(&self, limit: Limit) -> bool {
        self.fan_outs.len() >= limit.count || self.bytes >= limit.bytes
    }

    /// Hands the message that [is ready](Self::is_ready) to this many members, and says to how many it did.
    pub(crate) fn fan_out(
        &mut self,
        budget: usize,
        mut hand: impl FnMut(u64, &mut Member, Number, &Arc<Post>),
    ) -> usize {
        let Some(fan_out) = self.fan_outs.front_mut() else { return 0 };
        let mut handed = 0;
        for (id, member) in self.members.range_mut(fan_out.from..=fan_out.last).take(budget) {
            if *id != fan_out.sender {
                hand(*id, member, fan_out.number, &fan_out.post);
            }
            fan_out.from = *id + 1;
            handed += 1;
        }
        // The budget may have sufficed for just the last one: a range behind it is none.
        if handed < budget || fan_out.from > fan_out.last {
            self.pop();
        }
        handed
    }

    fn pop(&mut self) {
        if let Some(FanOut { bytes, .. }) = self.fan_outs.pop_front() {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::jsip::Headers;

    use super::*;
    use crate::held::Held;

    fn heard() -> Pending {
        let (mut held, pending) = Held::new();
        held.decide(Verdict::Heard { first_date: None });
        pending
    }

    fn member(user: &str, now: Instant) -> Member {
        let (user, nickname) = (user.into(), "nick".into());
        Member { user, nickname, by: None, expires: now, outbox: Outbox::default() }
    }

    /// However the members come out against the budget of a turn, each but the sender gets each message once, in order.
    #[test]
    fn all_is_handed_out_in_turns_of_any_size() {
        #[expect(clippy::disallowed_methods, reason = "where the test's own clock begins does not matter")]
        let now = Instant::now();
        for members in 1..=6 {
            for budget in 1..=13 {
                let mut room = Room::new("room".into());
                for n in 0..members {
                    room.join(member(&n.to_string(), now));
                }
                for _ in 0..3 {
                    let post =
                        Post { from: "a".into(), to: "b".into(), router: None, headers: Headers::default() };
                    room.accept(1, post, heard());
                }
                let mut handed = Vec::new();
                while !room.fan_outs.is_empty() {
                    room.fan_out(budget, |id, _, number, _| handed.push((number, id)));
                }
                let expected: Vec<_> = (FIRST + 1..=FIRST + 3)
                    .flat_map(|number| (2..=members).map(move |id| (number, id)))
                    .collect();
                assert_eq!(handed, expected, "{members} members, {budget} in a turn");
            }
        }
    }

    #[test]
    fn it_is_full_by_number_or_by_bytes() {
        #[expect(clippy::disallowed_methods, reason = "where the test's own clock begins does not matter")]
        let now = Instant::now();
        let mut room = Room::new("room".into());
        for name in ["a", "b"] {
            room.join(member(name, now));
        }
        let mut headers = Headers::default();
        headers.set_text("Body", &"x".repeat(1000));
        let post = Post { from: "a".into(), to: "b".into(), router: None, headers };
        let is_full = |room: &Room, count, bytes| room.is_full(Limit { count, bytes });
        let held = [(); 3].map(|()| {
            let (held, pending) = Held::new();
            room.accept(1, post.clone(), pending);
            held
        });
        assert!(is_full(&room, 3, usize::MAX) && !is_full(&room, 4, 9000) && is_full(&room, 4, 3000));
        room.fan_out(9, |_, _, _, _| ());
        assert!(!is_full(&room, 4, 3000) && is_full(&room, 4, 2000));
        // What was withdrawn is gone when its turn comes.
        let [_, second, third] = held;
        drop(third);
        assert!(!room.is_ready() && is_full(&room, 4, 2000));
        drop(second);
        assert!(!room.is_ready() && !is_full(&room, 1, 1));
    }
}
