//! Chat rooms: SUBSCRIBE joins and leaves, MESSAGE goes to all other members; with the HTTP API `chatroom.v1`.
//!
//! | request, `To` = the room | answer |
//! |---|---|
//! | SUBSCRIBE with `Expire` > 0 | 200: the sender is a member for so long; the room is made if need be |
//! | SUBSCRIBE with `Expire` 0 | 200: the sender is no member any more; the last one to leave takes the room along |
//! | MESSAGE of a member | 200, and a copy to each other member |
//! | SUBSCRIBE without `Expire` | 400 `No Expire` |
//! | SUBSCRIBE with `Expire` > 0, with a room, `P-Asserted-Identity` or `From` of more than 256 bytes | 400 |
//! | the same, with more members than `members` of the room, rooms than `rooms`, or memberships than `memberships` by the connections of one user, or than `all_memberships` | 503 |
//! | either without `P-Asserted-Identity` | 400 `No P-Asserted-Identity` |
//! | either with that of somebody else, with `identity: connection` | 403 |
//! | a MESSAGE whose copies might be longer than clients take (`rtc.max_message_size` less 1 KiB) | 513 |
//! | leaving, or a MESSAGE, where there is no such room | 404 `Room Not Exist` |
//! | the same by somebody who is no member | 404 `User Not Exist` |
//! | anything else | 400 `Unexpected msg` |
//! | anything, while too much waits for the rooms, or if they give no answer, as when the server stops | 503 |
//!
//! A room's name begins with `room:`. Another one is taken if the Request-URI is the same, or the request has a `Router`; else it is
//! `Unexpected msg`: a copy must not look like a message from user to user.
//!
//! A member *is* its `P-Asserted-Identity`; its nickname is the `From` of the SUBSCRIBE that joined. Whoever sends is believed who it is:
//! so can a gateway speak for many on one connection, and anybody for anybody. With `identity: connection` a client speaks for its own
//! user alone; other servers still speak for theirs. A membership counts for the user whose connection joined, whoever the member is;
//! those that come from other servers count for nobody.
//!
//! # Delivery
//! A copy has a dialog of its own. Its Request-URI is the member; From, To, `P-Asserted-Identity`, Body and all other headers are as
//! sent, and `Router` is without its first URI. Copies leave after the sender's 200. What counts is the order in which the room accepted
//! the messages:
//!
//! - While a member answers, copies follow each other without waiting, at most 32 under way.
//! - When the oldest one under way has no answer for a fifth of `transtimer`, no further one is sent until it has: the member may
//!   be away, and then each later copy that waits for it would be one that comes before a repeat.
//! - A copy answered 408 is sent again at once, one answered 480 after a pause. From then on copies go one by one, oldest first,
//!   until all that failed have another answer: no later message overtakes one that is still being tried.
//! - The pause is `transtimer`; after twelve in a row each further one is twice as long, up to `max_pause`, until the member answers.
//!   Who joins again, be it only for longer, is told after its 200 what waits.
//! - Any answer but 408 and 480 ends a copy. So does the end of the membership.
//! - At most `qsize` messages wait or are under way for a member, and those that wait hold at most `qsize_bytes`; beyond that the oldest that
//!   waits is dropped, and the log says so.
//! - At most so much of a room waits to be handed out to its members, too; beyond that a MESSAGE gets 503.
//!
//! # History
//! With `history.keep` messages are kept in the store (`conf/store.yaml`), in the order in which the room accepted them:
//!
//! - A sender has its 200 after the commit; it has `Message-ID` and `Date`, as the copies have. The id is the sender's, if it sent one of
//!   1 to 64 characters, or else a new one.
//! - If the message cannot be kept now, the sender gets 503, and nobody hears it. Whoever sends it again with the same id may be
//!   heard twice, but is kept once, with the first date.
//! - A new member is told the last `history.on_join` messages, in order, as copies; what is said meanwhile comes after them. If
//!   they cannot be read, it is told none.
//!
//! Without it nothing is kept, and a room needs no store. Of a room whose name does not begin with `room:` nothing is kept either way.
//!
//! Settings, `conf/chatroom.yaml`: `qsize` (1024), `qsize_bytes` (4194304), `transtimer` (5s), `max_pause` (60s), `members` (10000 of a
//! room), `rooms` (100000), `memberships` (1000 by one user's connections), `all_memberships` (1000000), `identity` (asserted),
//! `history.keep` (true), `history.on_join` (0).

mod agenda;
mod api;
mod held;
mod history;
mod mail;
mod memberships;
mod outbox;
mod room;
mod rooms;
mod settings;
#[cfg(test)]
mod tests;

use rtcd_sdk::NoAnswer;
use rtcd_sdk::prelude::*;
use rtcd_store::{Store, date_text};

use self::held::Held;
use self::mail::{Accepted, Join, Mail, Post, Refusal};
use self::room::Place;
use self::rooms::Rooms;
use self::settings::{Identity, Settings};

pub use self::api::ChatRoomApi;

register_slp!("chatroom", ChatRoom);
rtcd_sdk::register_api!("chatroom", ChatRoomApi);

/// One request to a room.
#[derive(Debug)]
pub struct ChatRoom;

/// All rooms of this server.
#[derive(Debug)]
pub struct ChatRooms {
    rooms: Mailbox<Mail>,
    /// If what is said is kept.
    store: Option<Store>,
    identity: Identity,
    on_join: usize,
}

impl Service for ChatRooms {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        let store = settings.history.keep.then(|| Store::shared(load)).transpose()?;
        let patience = load.settings_of::<rtcd_store::Settings>("store")?.timeout;
        Ok(Self::new(load, settings, store, patience))
    }
}

impl Slp for ChatRoom {
    type Leg = ();
    type Service = ChatRooms;

    fn new(_: &Arc<ChatRooms>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), ChatRooms>, request: Incoming<Request>) -> Outcome {
        let rooms = cx.service().clone();
        rooms.answer(cx, &request).await
    }
}

impl ChatRooms {
    /// The store has so much time to say no.
    fn new(load: &Load, settings: Settings, store: Option<Store>, patience: Duration) -> Self {
        let rooms = load.spawn(Rooms::new(settings, store.clone(), patience));
        Self { rooms, store, identity: settings.identity, on_join: settings.on_join() }
    }

    async fn answer<S>(&self, cx: &mut Cx<(), S>, request: &Incoming<Request>) -> Outcome {
        let done = match request.method {
            Method::Subscribe => self.on_subscribe(cx, request).await?,
            Method::Message => self.on_message(cx, request).await?,
            // Of an INVITE that was refused: the stack has answered them.
            Method::Ack | Method::Bye | Method::Cancel => Ok(()),
            Method::Invite
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Notify => Err(Refusal::Unexpected),
        };
        if let Err(refusal) = done {
            cx.refuse(request, refusal.code(), &refusal.to_string())?;
        }
        Ok(())
    }

    async fn on_subscribe<S>(&self, cx: &mut Cx<(), S>, request: &Incoming<Request>) -> Done {
        let waits = match self.subscribe(request).await {
            Ok(waits) => waits,
            Err(refusal) => return Ok(Err(refusal)),
        };
        cx.reply(request, StatusCode::OK)?;
        if let Some(place) = waits {
            // What was said before comes after the answer.
            cx.flush().await;
            self.recall(place, &request.to).await;
        }
        Ok(Ok(()))
    }

    async fn on_message<S>(&self, cx: &mut Cx<(), S>, request: &Incoming<Request>) -> Done {
        let mut response = request.response(StatusCode::OK);
        let (room, held) = match self.post(cx, request, &mut response).await {
            Ok(posted) => posted,
            Err(refusal) => return Ok(Err(refusal)),
        };
        cx.send(request.leg, response)?;
        // The sender may be a second member on the same connection: its 200 comes before the copies.
        cx.flush().await;
        drop(held);
        self.decided(room);
        Ok(Ok(()))
    }

    /// Joins or leaves; gives the place of a member that waits for what was said before.
    async fn subscribe(&self, request: &Incoming<Request>) -> Result<Option<Place>, Refusal> {
        let seconds: f64 = request.headers.json("Expire").ok_or(Refusal::NoExpire)?;
        let expire = Duration::try_from_secs_f64(seconds).map_err(|_| Refusal::NoExpire)?;
        let user = self.identity(request)?;
        let room = room(request)?;
        if expire.is_zero() {
            self.ask(|reply| Mail::Leave { room, user, reply }).await??;
            return Ok(None);
        }
        let (nickname, by) = (ByteString::from(&*request.from), request.peer.clone());
        for (name, field) in [(&room, "To"), (&user, "P-Asserted-Identity"), (&nickname, "From")] {
            if name.len() > LONGEST_NAME {
                return Err(Refusal::LongName(field));
            }
        }
        let join = Join { room, user, nickname, by, expire };
        self.ask(|reply| Mail::Join { join, reply }).await?
    }

    /// Tells a new member what was said before.
    async fn recall(&self, place: Place, room: &str) {
        let posts = match &self.store {
            Some(store) if is_room(room) => history::recall(store, room, self.on_join).await,
            Some(_) | None => Vec::new(),
        };
        // If the mailbox is full, the member goes on without it in a moment.
        let _ = self.rooms.send(Mail::Recalled { place, posts });
    }

    /// Whether a user is a member of a room, with whatever device.
    ///
    /// # Errors
    /// If too much waits for the rooms.
    pub async fn has_member(&self, room: &str, user: &str) -> Result<bool, NoAnswer> {
        let (room, user) = (ByteString::from(room), ByteString::from(user));
        self.rooms.ask(|reply| Mail::IsMember { room, user, reply }).await
    }

    /// Has a message accepted, and kept: then the answer tells how. It is held back by the room.
    async fn post<S>(
        &self,
        cx: &Cx<(), S>,
        request: &Incoming<Request>,
        response: &mut Response,
    ) -> Result<(ByteString, Held), Refusal> {
        let user = self.identity(request)?;
        let room = room(request)?;
        if cx.is_too_long_to_copy(request) {
            return Err(Refusal::LongMessage);
        }
        let mut post = Post::of(request)?;
        let is_kept = self.store.is_some() && is_room(&room);
        let keep = is_kept.then(|| Box::new(history::to_keep(cx, &user, &mut post)));
        let headers = post.headers.clone();
        let name = room.clone();
        let accepted = self.ask(|reply| Mail::Post { room, user, post, keep, reply }).await?;
        let Accepted { held, kept } = accepted.inspect_err(|refusal| {
            // What is behind it need not wait.
            if *refusal == Refusal::NotKept {
                self.decided(name.clone());
            }
        })?;
        if let Some(kept) = kept {
            response.headers.copy("Message-ID", &headers).set_text("Date", &date_text(kept.date));
        }
        Ok((name, held))
    }

    /// If the mailbox is full, the room finds out by itself in a moment.
    fn decided(&self, room: ByteString) {
        let _ = self.rooms.send(Mail::Decided { room });
    }

    /// Who sends the request. A copy: it outlives the frame.
    fn identity(&self, request: &Incoming<Request>) -> Result<ByteString, Refusal> {
        let identity = request.headers.text("P-Asserted-Identity").filter(|user| !user.is_empty());
        let identity = identity.ok_or(Refusal::NoIdentity)?;
        match (self.identity, &request.peer) {
            (Identity::Connection, Some(peer)) if !peer.is_named_by(&identity) => Err(Refusal::NotYou),
            (Identity::Asserted | Identity::Connection, _) => Ok(ByteString::from(&*identity)),
        }
    }

    async fn ask<R>(&self, mail: impl FnOnce(Reply<R>) -> Mail) -> Result<R, Refusal> {
        Ok(self.rooms.ask(mail).await?)
    }
}

/// The longest name of a room, a member or its nickname, in bytes: each membership holds some.
const LONGEST_NAME: usize = 256;

/// A request is answered, or to be refused.
type Done = Result<Result<(), Refusal>, Fault>;

/// The room that the request is for. A copy, too.
fn room(request: &Request) -> Result<ByteString, Refusal> {
    let room = &*request.to;
    let is_routed = request.router.as_deref().is_some_and(|router| !router.is_empty());
    // A copy says by its To which room it is from. Another name than that of a room is taken only from whoever called this room by
    // it or was sent here by a server, and not from whoever went by way of another room.
    let is_room = is_room(room) || is_routed || is_addressed(&request.uri, room);
    if room.is_empty() || !is_room { Err(Refusal::Unexpected) } else { Ok(ByteString::from(room)) }
}

/// Whether a name is that of a room, whoever hears it.
fn is_room(name: &str) -> bool {
    name.starts_with("room:")
}

/// Whether a Request-URI is this room; its parameters do not count.
fn is_addressed(uri: &str, room: &str) -> bool {
    uri == room || Uri::parse(uri).is_ok_and(|uri| uri.address() == room)
}
