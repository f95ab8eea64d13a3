use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::{debug, warn};
use rtcd_sdk::user_in;
use rtcd_store::{NewMessage, Store};

use crate::agenda::Due;
use crate::held::{Held, Verdict};
use crate::history;
use crate::mail::{Accepted, Join, Mail, Number, Post, Refusal};
use crate::memberships::Memberships;
use crate::outbox::is_same;
use crate::room::{Member, Place, Room};
use crate::settings::{Limit, Settings};

/// All rooms: one actor, so that a room has one order.
#[derive(Debug)]
pub(crate) struct Rooms {
    settings: Settings,
    /// If what is said is kept.
    store: Option<Store>,
    /// Longer than the store takes.
    kept: Duration,
    by_name: HashMap<ByteString, u64>,
    rooms: HashMap<u64, Room>,
    made: u64,
    memberships: Memberships,
    agenda: rtcd_sdk::Agenda<Due>,
    /// Rooms with messages to hand out; they take turns.
    busy: VecDeque<u64>,
    /// Set while rooms are busy: other mail comes between the turns.
    next_turn: Option<TimerId>,
}

/// How many members are served in a turn.
const CHUNK: usize = 256;

/// So often a room looks whether what it holds back is decided, if nobody says so; and so long is held back what waits for a member that
/// has joined again, so that it has its answer first.
const HELD: Duration = Duration::from_millis(200);

/// So much more than the store takes to say no: how long a member waits for what was said before it came.
const KEPT: Duration = Duration::from_secs(5);

/// Longer than anybody stays; a clock can take it.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

type RoomsCx = Cx<Place>;

impl ServiceTask for Rooms {
    type Leg = Place;
    type Mail = Mail;

    async fn on_mail(&mut self, cx: &mut RoomsCx, mail: Mail) -> Outcome {
        // Who asked may be gone: then nobody hears the answer.
        match mail {
            Mail::Join { join, reply } => {
                let _ = reply.send(self.join(cx.now(), join));
            }
            Mail::Recalled { place, posts } => self.recalled(cx, place, posts),
            Mail::Leave { room, user, reply } => {
                let _ = reply.send(self.leave(&room, &user));
            }
            Mail::Post { room, user, post, keep, reply } => match self.post(cx.now(), &room, &user, post) {
                Ok(held) => self.keep(cx, keep, held, reply),
                Err(refusal) => {
                    let _ = reply.send(Err(refusal));
                }
            },
            Mail::Decided { room } => {
                if let Some(id) = self.by_name.get(&room).copied() {
                    self.hand_out(cx, id);
                }
            }
            Mail::Rooms { reply } => {
                let mut names: Vec<_> = self.by_name.keys().cloned().collect();
                names.sort_unstable();
                let _ = reply.send(names);
            }
            Mail::Members { room, reply } => {
                let _ = reply.send(self.members(&room));
            }
            Mail::IsMember { room, user, reply } => {
                let _ = reply.send(self.is_member(&room, &user));
            }
        }
        self.agenda.arm(cx);
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut RoomsCx, response: Incoming<Response, Place>) -> Outcome {
        if response.code.is_final() {
            self.serve(cx, response.tag, |member, now, settings| {
                member.outbox.answered(response.leg, response.code, now, settings.pauses());
            });
        }
        Ok(())
    }

    async fn on_end(&mut self, cx: &mut RoomsCx, leg: LegId, place: Place) -> Outcome {
        self.serve(cx, place, |member, now, settings| member.outbox.ended(leg, now, settings.pauses()));
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut RoomsCx, timer: TimerId) -> Outcome {
        if self.next_turn == Some(timer) {
            self.fan_out(cx);
        } else if self.agenda.is_alarm(timer) {
            self.on_alarm(cx);
        }
        self.agenda.arm(cx);
        Ok(())
    }
}

impl Rooms {
    pub(crate) fn new(settings: Settings, store: Option<Store>, patience: Duration) -> Self {
        Self {
            settings,
            store,
            kept: patience.min(LONGEST) + KEPT,
            by_name: HashMap::new(),
            rooms: HashMap::new(),
            made: 0,
            memberships: Memberships::default(),
            agenda: rtcd_sdk::Agenda::default(),
            busy: VecDeque::new(),
            next_turn: None,
        }
    }

    /// Gives the place of a new member that waits for what was said before.
    fn join(&mut self, now: Instant, join: Join) -> Result<Option<Place>, Refusal> {
        let expires = now + join.expire.min(LONGEST);
        let known = self.place(&join.room, &join.user).ok();
        let place = match known {
            Some(place) => place,
            None => self.admit(join, expires)?,
        };
        let room = self.rooms.get_mut(&place.room).ok_or(Refusal::NoRoom)?;
        let waits = known.is_none() && self.settings.on_join() > 0;
        if let Some(member) = room.members.get_mut(&place.member) {
            self.agenda.remove(member.expires, Due::Expire(place));
            member.expires = expires;
            let before = member.outbox.paused_until();
            member.outbox.is_back(now + HELD);
            if waits {
                member.outbox.recall(now + self.kept);
            }
            reschedule(&mut self.agenda, place, before, member.outbox.paused_until());
        }
        if waits {
            room.hears_what_is_held(place.member);
        }
        self.agenda.add(expires, Due::Expire(place));
        Ok(waits.then_some(place))
    }

    /// Makes a member, and the room if need be.
    fn admit(&mut self, join: Join, expires: Instant) -> Result<Place, Refusal> {
        let id = self.by_name.get(&join.room).copied();
        match id.and_then(|id| self.rooms.get(&id)) {
            Some(room) if room.members.len() >= self.settings.members.get() => {
                return Err(Refusal::TooManyMembers);
            }
            None if self.rooms.len() >= self.settings.rooms.get() => return Err(Refusal::TooManyRooms),
            Some(_) | None => {}
        }
        self.memberships.begin(join.by.as_ref(), &self.settings)?;
        let id = id.unwrap_or_else(|| {
            self.made += 1;
            self.by_name.insert(join.room.clone(), self.made);
            self.made
        });
        let room = self.rooms.entry(id).or_insert_with(|| Room::new(join.room.clone()));
        Ok(Place { room: id, member: room.join(Member::new(join, expires)) })
    }

    /// What was said before a member came is there.
    fn recalled(&mut self, cx: &mut RoomsCx, place: Place, mut posts: Vec<Post>) {
        let Some(room) = self.rooms.get_mut(&place.room) else { return };
        posts.retain(|post| room.to_come(place.member).all(|other| !is_same(post, other)));
        let Some(member) = room.members.get_mut(&place.member) else { return };
        if !member.outbox.is_recalling() {
            return;
        }
        let before = member.outbox.paused_until();
        member.outbox.recalled(posts, self.settings.limit());
        reschedule(&mut self.agenda, place, before, member.outbox.paused_until());
        send(cx, member, place, &self.settings);
    }

    fn leave(&mut self, name: &str, user: &str) -> Result<(), Refusal> {
        let place = self.place(name, user)?;
        self.remove(place);
        Ok(())
    }

    fn post(&mut self, now: Instant, name: &str, user: &str, post: Post) -> Result<Held, Refusal> {
        let Place { room: id, member } = self.place(name, user)?;
        let room = self.rooms.get_mut(&id).ok_or(Refusal::NoRoom)?;
        if room.is_full(self.settings.limit()) {
            return Err(Refusal::Busy);
        }
        if let Some(member) = room.members.get_mut(&member) {
            member.outbox.said(&post, self.settings.limit());
        }
        let (held, pending) = Held::new();
        room.accept(member, post, pending);
        if !room.busy {
            look_later(&mut self.agenda, id, room, now);
        }
        Ok(held)
    }

    /// The sender is answered, after the commit if the message is to be kept.
    fn keep(
        &self,
        cx: &RoomsCx,
        keep: Option<Box<NewMessage>>,
        mut held: Held,
        reply: Reply<Result<Accepted, Refusal>>,
    ) {
        match self.store.as_ref().zip(keep) {
            // Begun here, so that the store has the order of the room.
            Some((store, message)) => cx.run(history::keep(store, *message, held, reply)),
            None => {
                held.decide(Verdict::Heard { first_date: None });
                let _ = reply.send(Ok(Accepted { held, kept: None }));
            }
        }
    }

    fn members(&self, name: &str) -> Result<Vec<(ByteString, ByteString)>, Refusal> {
        let room = self.by_name.get(name).and_then(|id| self.rooms.get(id)).ok_or(Refusal::NoRoom)?;
        Ok(room.members.values().map(|member| (member.user.clone(), member.nickname.clone())).collect())
    }

    fn is_member(&self, name: &str, user: &str) -> bool {
        let Some(room) = self.by_name.get(name).and_then(|id| self.rooms.get(id)) else { return false };
        room.find(user).is_some() || room.members.values().any(|member| user_in(&member.user) == user)
    }

    fn place(&self, name: &str, user: &str) -> Result<Place, Refusal> {
        let id = *self.by_name.get(name).ok_or(Refusal::NoRoom)?;
        let room = self.rooms.get(&id).ok_or(Refusal::NoRoom)?;
        Ok(Place { room: id, member: room.find(user).ok_or(Refusal::NoUser)? })
    }

    fn remove(&mut self, place: Place) {
        let Some(room) = self.rooms.get_mut(&place.room) else { return };
        let Some(member) = room.leave(place.member) else { return };
        self.memberships.end(member.by.as_ref());
        self.agenda.remove(member.expires, Due::Expire(place));
        reschedule(&mut self.agenda, place, member.outbox.paused_until(), None);
        if room.members.is_empty() {
            self.by_name.remove(&room.name);
            self.rooms.remove(&place.room);
        }
    }

    /// Begins to hand out what a room has ready.
    fn hand_out(&mut self, cx: &mut RoomsCx, id: u64) {
        let Some(room) = self.rooms.get_mut(&id).filter(|room| !room.busy) else { return };
        room.busy = room.is_ready();
        if !room.busy {
            look_later(&mut self.agenda, id, room, cx.now());
            return;
        }
        self.busy.push_back(id);
        if self.next_turn.is_none() {
            self.fan_out(cx);
        }
    }

    /// Hands messages out to a chunk of members.
    fn fan_out(&mut self, cx: &mut RoomsCx) {
        let mut budget = CHUNK;
        while budget > 0
            && let Some(id) = self.busy.pop_front()
        {
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let name = room.name.clone();
            let handed = room.fan_out(budget, |member_id, member, number, post| {
                let place = Place { room: id, member: member_id };
                add(member, number, post, &name, self.settings.limit());
                send(cx, member, place, &self.settings);
            });
            budget -= handed.max(1);
            room.busy = room.is_ready();
            if room.busy {
                self.busy.push_back(id);
            } else {
                look_later(&mut self.agenda, id, room, cx.now());
            }
        }
        self.next_turn = (!self.busy.is_empty()).then(|| cx.timer(Duration::ZERO));
    }

    /// Something happened to a member's copy, or its pause is over: what may go now goes.
    fn serve(
        &mut self,
        cx: &mut RoomsCx,
        place: Place,
        change: impl FnOnce(&mut Member, Instant, &Settings),
    ) {
        let room = self.rooms.get_mut(&place.room);
        let Some(member) = room.and_then(|room| room.members.get_mut(&place.member)) else { return };
        let before = member.outbox.paused_until();
        change(member, cx.now(), &self.settings);
        send(cx, member, place, &self.settings);
        reschedule(&mut self.agenda, place, before, member.outbox.paused_until());
        self.agenda.arm(cx);
    }

    fn on_alarm(&mut self, cx: &mut RoomsCx) {
        for _ in 0..CHUNK {
            match self.agenda.due(cx.now()) {
                Some(Due::Expire(place)) => self.remove(place),
                Some(Due::Look(id)) => {
                    if let Some(room) = self.rooms.get_mut(&id) {
                        room.is_looked_at = false;
                        self.hand_out(cx, id);
                    }
                }
                Some(Due::Resume(place)) => self.serve(cx, place, |member, _, _| member.outbox.resume()),
                None => break,
            }
        }
    }
}

/// A member's pause ends at another time now.
fn reschedule(
    agenda: &mut rtcd_sdk::Agenda<Due>,
    place: Place,
    before: Option<Instant>,
    after: Option<Instant>,
) {
    if before == after {
        return;
    }
    if let Some(until) = before {
        agenda.remove(until, Due::Resume(place));
    }
    if let Some(until) = after {
        agenda.add(until, Due::Resume(place));
    }
}

/// A room that holds something back looks again in a moment: who decides it need not get word through.
fn look_later(agenda: &mut rtcd_sdk::Agenda<Due>, id: u64, room: &mut Room, now: Instant) {
    if room.has_more() && !room.is_looked_at {
        room.is_looked_at = true;
        agenda.add(now + HELD, Due::Look(id));
    }
}

fn add(member: &mut Member, number: Number, post: &Arc<Post>, room: &str, limit: Limit) {
    if let Some(dropped) = member.outbox.add(number, post.clone(), limit) {
        warn!(room, user = &*member.user, dropped, "too much waits for a member: its oldest is dropped");
    }
}

/// Sends what may go to a member now.
fn send(cx: &mut RoomsCx, member: &mut Member, place: Place, settings: &Settings) {
    let now = cx.now();
    while let Some((number, post)) = member.outbox.next(now, settings.patience()) {
        let copy = Request {
            method: Method::Message,
            uri: member.user.clone(),
            from: post.from.clone(),
            to: post.to.clone(),
            dialog: cx.dialog_id(),
            cseq: cx.cseq(),
            related: None,
            router: post.router.clone(),
            headers: post.headers.clone(),
        };
        match cx.open(place, copy) {
            Ok(leg) => member.outbox.sent(leg, number, post, now),
            Err(error) => debug!(user = &*member.user, %error, "a copy cannot be sent"),
        }
    }
}
