//! Instant messages between users: at once if the receiver is there, or else kept until it is; with the HTTP API `im.v1`.
//!
//! | MESSAGE, `To` = a user | answer |
//! |---|---|
//! | a device of the receiver answered 2xx | 200 |
//! | nobody did, in `patience`: it is stored | 202, after the commit |
//! | it has to be stored and cannot be; or `max_stored` are stored for the receiver, or a tenth of that from this sender; or `max_waiting` bytes of this sender wait, for whomever | 503 with `Reason` |
//! | it is not known in `deadline` what becomes of it, or before the server stops | 503 with `Reason`; it may arrive all the same |
//! | `From` is not the user of the connection, or that user's name is read as another one's (`bob@test.com;x=1`) or as a room's (`room:1@test.com`) | 403 |
//! | its copies might be longer than clients take (`rtc.max_message_size` less 1 KiB) | 513 |
//! | `To` is no user, a bad `Message-ID`, a bad receipt | 400 |
//! | anything but MESSAGE | 405 |
//!
//! Answers and copies carry `Message-ID` (the sender's, 1 to 64 characters, or else one that the server makes) and `Date` (RFC 3339, UTC, when
//! the server took it). A message that is sent again, by its sender or by the server, keeps its `Message-ID`: it is stored once, and a client
//! drops what it has had under the same id from the same sender. After a 503 or no answer a client sends again with the same id. There is an
//! answer in `deadline`, whatever the devices and the store do, which is before the sender's stack would say 408.
//!
//! # Copies
//! Each device of the receiver that is registered gets a copy in a dialog of its own: Request-URI is the device, From, To, Body and the
//! other headers are as sent; `Router` does not go along. So do the sender's other devices, once, when the sender has its answer; whether
//! they take it is not looked at.
//!
//! # Order
//! Messages of one sender to one receiver arrive in the order in which they came, whether at once or from the store:
//!
//! - One at a time is under way to the devices; the next one follows when a device has it, or when it has gone to the store.
//! - As long as something is stored for a receiver, what is new goes behind it, into the store. While it is looked up whether something is, and
//!   while the last of it is sent, what is new waits, for `patience` at most.
//! - What is stored is sent when a device registers, one after the other, each until a device has taken it. If none did, and a device
//!   answered 408, 480 or 503, the rest waits for the next REGISTER, a late answer, or `retry`.
//! - A message that no device takes does not hold up the others: it is passed over (below).
//! - An answer that comes after the 202 counts: what a device took late is not sent again.
//!
//! Besides what was left so, one case is: if the store cannot be read when a device registers, what is new goes to it all the same, and what is
//! stored comes later.
//!
//! # What no device takes
//! Only what a device has taken with a 2xx is delivered. All else stays in the store until its time there is over, and counts in
//! `max_stored` and `max_waiting`; but it is passed over:
//!
//! | the devices answer | passed over |
//! |---|---|
//! | all of them something else than 2xx, 408, 480, 503: they do not want it | at once; a message that has just come, too |
//! | one 503, none 2xx | after three times |
//! | some do not want it, the others 408 or 480 | after three times |
//! | 408 or 480, and one of them had registered since it last failed: it may have fallen over the message | after three such registrations of one device |
//! | else: all 408 or 480 | never: it is waited for |
//!
//! A stored receipt that all refuse is done with. A message is sent again, in its order, when nothing else is to be sent, and has one try then:
//!
//! - when a device registers that was no contact, as if it had never been sent; but a device that has fallen over it three times is not new,
//! - when a device has registered or taken something since, and a minute has passed; twice as long after each further time, up to an hour,
//! - once, as soon as a device takes something, if it was answered 503.
//!
//! # Receipts
//! Receipts are messages with `Content-Type` `receipt`: `{"delivered":[ids]}` comes from the server, in the receiver's name, for what was answered
//! 202; `{"read":[ids]}` is sent by the client that has read messages, to their sender. They are stored as messages are, if need be, and
//! are in no history.
//!
//! A receipt of the server that is neither taken nor stored is sent again after `retry`, until it is; so many as name 1000 messages of one
//! receiver. It is lost if the process ends before, or the mailbox of whom it is for is full. The history says all the same how far a message
//! has come.
//!
//! # Without a store
//! With a full disk or a dead database, what has to be stored gets 503, and all else goes on. What was delivered meanwhile is missing in the
//! history.
//!
//! If a backup is put in the place of the file, what waits in it is sent when a device registers that was not there. What devices have taken and
//! is not marked yet is marked there, if it is there, and nothing else is.
//!
//! Settings, `conf/im.yaml`: `patience` (2s), `deadline` (4s), `retry` (5s), `max_stored` (10000), `max_waiting` (67108864), `qsize` (65536), `qsize_bytes` (67108864).

mod agenda;
mod api;
mod counts;
mod courier;
mod inbox;
mod keep;
mod mail;
mod notes;
mod passed;
mod post;
mod receipts;
mod room;
mod settings;
mod stored;

use std::time::UNIX_EPOCH;

use rtcd_sdk::Peer;
use rtcd_sdk::prelude::*;
use rtcd_store::{Store, date_text};
use slp_registrar::{Contacts, Event};

use self::courier::Courier;
use self::mail::{Accepted, Mail, Refusal};
use self::notes::Notes;
use self::post::Post;
use self::room::Room;
use self::settings::Settings;

pub use self::api::ImApi;

register_slp!("im", Im);
rtcd_sdk::register_api!("im", ImApi);

/// One request.
#[derive(Debug)]
pub struct Im;

/// What is under way, and what is kept.
#[derive(Debug)]
pub struct Messages {
    courier: Mailbox<Mail>,
    room: Arc<Room>,
    store: Store,
}

impl Service for Messages {
    fn load(load: &Load) -> Result<Self, LoadError> {
        Self::new(load, Store::shared(load)?)
    }
}

impl Messages {
    fn new(load: &Load, store: Store) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        let contacts = load.shared::<Contacts>();
        let notes = Arc::new(Notes::default());
        let courier = load.spawn(Courier::new(settings, store.clone(), contacts.clone(), notes.clone()));
        notes.deliver_to(courier.clone());
        contacts.listen(move |event| {
            if let Event::Registered { contact, is_new, .. } = event {
                notes.registered(contact.peer.clone(), *is_new);
            }
        });
        Ok(Self { courier, room: Room::new(settings.qsize_bytes.get()), store })
    }

    async fn answer<S>(&self, cx: &mut Cx<(), S>, request: &Incoming<Request>) -> Outcome {
        if matches!(request.method, Method::Ack | Method::Bye | Method::Cancel) {
            return Ok(()); // of an INVITE that was refused: the stack has answered them
        }
        let post = match Post::of(request, request.peer.as_ref(), date(cx), || cx.unique_id()) {
            Ok(post) if !cx.is_too_long_to_copy(request) => post,
            refused => {
                let refusal = refused.err().unwrap_or(Refusal::TooLong);
                cx.refuse(request, refusal.code(), &refusal.to_string())?;
                return Ok(());
            }
        };
        let (id, date) = (post.id.clone(), post.date);
        let mut response = match self.hand_over(post, request.peer.clone()).await {
            Ok(Accepted::Delivered) => dated(request.response(StatusCode::OK), date),
            Ok(Accepted::Stored { date }) => dated(request.response(StatusCode::ACCEPTED), date),
            Err(refusal) => request.response(refusal.code()).with_reason(&refusal.to_string()),
        };
        response.headers.set_text("Message-ID", &id);
        cx.send(request.leg, response)?;
        Ok(())
    }

    /// Gives it to the courier.
    async fn hand_over(&self, post: Post, own: Option<Peer>) -> Result<Accepted, Refusal> {
        let room = self.room.take(post.size()).ok_or(Refusal::Busy)?;
        let post = Box::new(post);
        self.courier.ask(|reply| Mail::Post { post, room, own, reply }).await?
    }
}

impl Slp for Im {
    type Leg = ();
    type Service = Messages;

    fn new(_: &Arc<Messages>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), Messages>, request: Incoming<Request>) -> Outcome {
        let messages = cx.service().clone();
        messages.answer(cx, &request).await
    }
}

fn dated(mut response: Response, date: u64) -> Response {
    response.headers.set_text("Date", &date_text(date));
    response
}

/// The date, in ms since 1970.
fn date<L: Clone, S>(cx: &Cx<L, S>) -> u64 {
    let since = cx.date().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
