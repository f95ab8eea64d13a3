//! Chat rooms: SUBSCRIBE joins and leaves, MESSAGE goes to all other members; with the HTTP API `chatroom.v1`.
//!
//! | request, `To` = the room | answer |
//! |---|---|
//! | SUBSCRIBE with `Expire` > 0 | 200: the sender is a member for so long; the room is made if need be |
//! | SUBSCRIBE with `Expire` 0 | 200: the sender is no member any more; the last one to leave takes the room along |
//! | MESSAGE of a member | 200, and a copy to each other member |
//! | SUBSCRIBE without `Expire` | 400 `No Expire` |
//! | either without `P-Asserted-Identity` | 400 `No P-Asserted-Identity` |
//! | leaving, or a MESSAGE, where there is no such room | 404 `Room Not Exist` |
//! | the same by somebody who is no member | 404 `User Not Exist` |
//! | anything else | 400 `Unexpected msg` |
//! | anything, while too much waits for the rooms | 503 |
//!
//! A member *is* its `P-Asserted-Identity`; its nickname is the `From` of the SUBSCRIBE that joined.
//!
//! # Delivery
//! A copy has a dialog of its own. Its Request-URI is the member; From, To, `P-Asserted-Identity`, Body and all other headers are as
//! sent, and `Router` is without its first URI. Copies leave after the sender's 200. What counts is the order in which the room accepted
//! the messages:
//!
//! - While a member answers, copies follow each other without waiting, at most 32 under way.
//! - When the oldest one under way has no answer for a fifth of `transtimer`, no further one is sent until it has: the member may
//!   be away, and then each later copy that waits for it would be one that comes before a repeat.
//! - A copy answered 408 is sent again at once, one answered 480 after `transtimer`. From then on copies go one by one, oldest first,
//!   until all that failed have another answer: no later message overtakes one that is still being tried.
//! - Any answer but 408 and 480 ends a copy. So does the end of the membership.
//! - At most `qsize` messages wait or are under way for a member; beyond that the oldest that waits is dropped, and the log says so.
//! - At most `qsize` messages of a room wait to be handed out to its members; beyond that a MESSAGE gets 503.
//!
//! Settings, `conf/chatroom.yaml`: `qsize` (1024) and `transtimer` (5s).

mod agenda;
mod api;
mod mail;
mod outbox;
mod room;
mod rooms;
mod settings;

use rtcd_sdk::NoAnswer;
use rtcd_sdk::prelude::*;

use self::mail::{Accepted, Mail, Post, Refusal};
use self::rooms::Rooms;
use self::settings::Settings;

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
}

impl Service for ChatRooms {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        Ok(Self { rooms: load.spawn(Rooms::new(settings)) })
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
        let done = match request.method {
            Method::Subscribe => rooms.subscribe(&request).await,
            Method::Message => match rooms.post(&request).await {
                Ok(accepted) => {
                    cx.reply(&request, StatusCode::OK)?;
                    // The sender may be a second member on the same connection: its 200 comes before the copies.
                    cx.flush().await;
                    rooms.hand_out(accepted);
                    return Ok(());
                }
                Err(refusal) => Err(refusal),
            },
            // Of an INVITE that was refused: the stack has answered them.
            Method::Ack | Method::Bye | Method::Cancel => return Ok(()),
            Method::Invite
            | Method::Register
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Notify => Err(Refusal::Unexpected),
        };
        match done {
            Ok(()) => cx.reply(&request, StatusCode::OK)?,
            Err(refusal) => cx.refuse(&request, refusal.code(), &refusal.to_string())?,
        }
        Ok(())
    }
}

impl ChatRooms {
    async fn subscribe(&self, request: &Request) -> Result<(), Refusal> {
        let seconds: f64 = request.headers.json("Expire").ok_or(Refusal::NoExpire)?;
        let expire = Duration::try_from_secs_f64(seconds).map_err(|_| Refusal::NoExpire)?;
        let user = identity(request)?;
        let room = room(request)?;
        if expire.is_zero() {
            return self.ask(|reply| Mail::Leave { room, user, reply }).await?;
        }
        let nickname = ByteString::from(&*request.from);
        self.ask(|reply| Mail::Join { room, user, nickname, expire, reply }).await
    }

    async fn post(&self, request: &Request) -> Result<Accepted, Refusal> {
        let user = identity(request)?;
        let room = room(request)?;
        let post = Post::of(request)?;
        self.ask(|reply| Mail::Post { room, user, post, reply }).await?
    }

    /// Whether a user is a member of a room, with whatever device.
    ///
    /// # Errors
    /// If too much waits for the rooms.
    pub async fn has_member(&self, room: &str, user: &str) -> Result<bool, NoAnswer> {
        let room = ByteString::from(room);
        let members = self.rooms.ask(|reply| Mail::Members { room, reply }).await?;
        let is_user = |identity: &str| {
            identity == user || Uri::parse(identity).is_ok_and(|identity| identity.address() == user)
        };
        Ok(members.is_ok_and(|members| members.iter().any(|(identity, _)| is_user(identity))))
    }

    fn hand_out(&self, accepted: Accepted) {
        // If the mailbox is full, the room does it by itself in a moment.
        let _ = self.rooms.send(Mail::HandOut(accepted));
    }

    async fn ask<R>(&self, mail: impl FnOnce(Reply<R>) -> Mail) -> Result<R, Refusal> {
        Ok(self.rooms.ask(mail).await?)
    }
}

/// Who sends the request. A copy: it outlives the frame.
fn identity(request: &Request) -> Result<ByteString, Refusal> {
    let identity = request.headers.text("P-Asserted-Identity").filter(|user| !user.is_empty());
    Ok(ByteString::from(&*identity.ok_or(Refusal::NoIdentity)?))
}

/// The room that the request is for. A copy, too.
fn room(request: &Request) -> Result<ByteString, Refusal> {
    if request.to.is_empty() { Err(Refusal::Unexpected) } else { Ok(ByteString::from(&*request.to)) }
}
