//! Who can be reached where, and who is told of it: REGISTER makes contacts, SUBSCRIBE and NOTIFY tell of presence; with the HTTP
//! API `registrar.v1`.
//!
//! # REGISTER
//! A contact is a device: the connection `?userid=USER&device=DEVICE`, or the one without `device`. It registers itself alone: `From`
//! and `To` are the user of the connection.
//!
//! | REGISTER | answer |
//! |---|---|
//! | with `Expire` > 0, or without (then `expire` counts) | 200 with `Expire` (what is granted: `max_expire` at most), `Contact` (where others reach it), `Token` and `Token-Expire` (seconds), for APIs; the device is a contact for so long |
//! | with `Expire` 0 | 200 with `Expire`: it is no contact any more |
//! | `Presence` that is none of `online` (also if there is none), `busy`, `away` | 400 |
//! | of somebody else, from another server, or of a user whose name is read as another one's (`bob@test.com;x=1`, `Al; the great`) | 403 |
//! | a name of more than 256 bytes | 400 |
//! | more devices than `contacts`, or users than `users` | 503 |
//!
//! A contact that is not refreshed in time is taken out. So is one whose connection is lost and has not come again in `jsip.away_grace` (32 s),
//! one that somebody got a 480 from, and that has not registered since, and one that an operator `DELETE`s. A client that has connected anew
//! registers anew (RFC 7118, section 5.2).
//!
//! Other services find contacts by [`Contacts`].
//!
//! # Presence
//! A user is `busy` if one of its devices is; else `online` if one is; else, and without a contact, `away`.
//!
//! | SUBSCRIBE with `Event: presence`, `To` = a user | answer |
//! |---|---|
//! | with `Expire` > 0, or without (then `expire` counts) | 200 with `Expire` (what is granted: `max_expire` at most), then NOTIFYs to the connection that it came from: the presence at once, and each change |
//! | with `Expire` 0 | 200 with `Expire`: the subscription is over, if there was one |
//! | another `Event` | 400 |
//! | `From` is another than the user of the connection, or that user's name is read as another one's | 403 |
//! | a name of more than 256 bytes | 400 |
//! | more subscriptions than `subscriptions`, than `user_subscriptions` of one user with all devices, or than `all_subscriptions` of all | 503 |
//!
//! ```json
//! {"Type":"NOTIFY","Request-URI":"alice@test.com;device=phone","From":"bob@test.com","To":"alice@test.com","DialogueID":"…","CSeq":1,
//!  "Event":"presence","Subscription-State":"active;expires=60",
//!  "Body":{"user":"bob@test.com","state":"online","devices":[{"device":"desk","state":"online"}]}}
//! ```
//!
//! `device` is null for the connection without one. The last NOTIFY, when the time is over, has `terminated;reason=timeout`. Each is a
//! dialog of its own. A subscription has one under way at most; what changes meanwhile is told together, after its answer. A 408 or
//! 503 has the newest presence sent again: when the device registers, or after a `pause` that doubles up to `max_pause`. Any
//! other failure ends the subscription; a 480 takes out the subscriber's contact as well, unless it has registered since.
//!
//! Other requests are answered 405. Settings, `conf/registrar.yaml`: `expire` (60s), `max_expire` (1h), `contacts` (16 of a user), `users`
//! (1000000), `subscriptions` (1000 of a device), `user_subscriptions` (4000), `all_subscriptions` (1000000), `pause` (5s), `max_pause` (60s).

mod agenda;
mod api;
mod changes;
mod contacts;
mod mail;
mod notifier;
mod presence;
mod settings;
mod watch;
mod watches;

use std::time::Instant;

use rtcd_sdk::prelude::*;
use rtcd_sdk::user_in;

use self::changes::Changes;
use self::mail::{Mail, Refusal, WatchId};
use self::notifier::{LONGEST, Notifier, whole_seconds};
use self::settings::Settings;

pub use self::api::RegistrarApi;
pub use self::contacts::{Contact, Contacts, Event};
pub use self::presence::Presence;

register_slp!("registrar", Registrar);
rtcd_sdk::register_api!("registrar", RegistrarApi);

/// One request to the registrar.
#[derive(Debug)]
pub struct Registrar;

/// What all requests share.
#[derive(Debug)]
pub struct RegistrarService {
    settings: Settings,
    contacts: Arc<Contacts>,
    notifier: Mailbox<Mail>,
}

impl Service for RegistrarService {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        let contacts = load.shared::<Contacts>();
        let changes = Changes::default();
        let notifier = load.spawn(Notifier::new(settings, contacts.clone(), changes.clone()));
        let mailbox = notifier.clone();
        contacts.listen(move |event| {
            if changes.add(event.peer()) {
                // If it is full, the notifier looks at the changes after the mail that is there.
                let _ = mailbox.send(Mail::Changed);
            }
        });
        let known = contacts.clone();
        load.on_peer_gone(move |peer| known.peer_gone(peer));
        Ok(Self { settings, contacts, notifier })
    }
}

impl Slp for Registrar {
    type Leg = ();
    type Service = RegistrarService;

    fn new(_: &Arc<RegistrarService>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), RegistrarService>, request: Incoming<Request>) -> Outcome {
        let done = match request.method {
            Method::Register => register(cx, &request).await?,
            Method::Subscribe => subscribe(cx, &request).await?,
            // Of an INVITE that was refused: the stack has answered them.
            Method::Ack | Method::Bye | Method::Cancel => Ok(()),
            Method::Invite
            | Method::Message
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Notify => Err(Refusal::Unexpected),
        };
        if let Err(refusal) = done {
            cx.refuse(&request, refusal.code(), &refusal.to_string())?;
        }
        Ok(())
    }
}

/// The longest name of a user, in bytes: each contact and subscription holds some.
const LONGEST_NAME: usize = 256;

type Done = Result<Result<(), Refusal>, Fault>;

async fn register(cx: &mut Cx<(), RegistrarService>, request: &Incoming<Request>) -> Done {
    let service = cx.service().clone();
    let (contact, expire) = match service.contact(cx.now(), request) {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut response = request.response(StatusCode::OK);
    response.headers.set_number("Expire", whole_seconds(expire));
    let event = if expire.is_zero() {
        service.contacts.take(&contact.peer)
    } else {
        let token = cx.token(contact.peer.user());
        let headers = response.headers.set_text("Contact", &contact.peer.uri());
        headers.set_text("Token", &token.text).set_number("Token-Expire", token.lifetime.as_secs());
        match service.contacts.put(contact, service.settings.limits()) {
            Ok(event) => Some(event),
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
    cx.send(request.leg, response)?;
    // What others send to the device on hearing of it comes after its answer.
    cx.flush().await;
    if let Some(event) = event {
        service.contacts.announce(&event);
    }
    Ok(Ok(()))
}

async fn subscribe(cx: &mut Cx<(), RegistrarService>, request: &Incoming<Request>) -> Done {
    let service = cx.service().clone();
    let (expire, watch) = match service.subscribe(request).await {
        Ok(subscribed) => subscribed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut response = request.response(StatusCode::OK);
    response.headers.set_number("Expire", whole_seconds(expire));
    cx.send(request.leg, response)?;
    cx.flush().await;
    if let Some(watch) = watch {
        // If the mailbox is full, the notifier does it by itself in a moment.
        let _ = service.notifier.send(Mail::Answered(watch));
    }
    Ok(Ok(()))
}

impl RegistrarService {
    /// What a REGISTER asks for.
    fn contact(&self, now: Instant, request: &Incoming<Request>) -> Result<(Contact, Duration), Refusal> {
        let is_itself = |peer: &Peer| peer.is_named_by(&request.from) && peer.is_named_by(&request.to);
        let peer = bounded(request.peer.clone().filter(is_itself).ok_or(Refusal::NotYourself)?)?;
        let presence = match request.headers.contains("Presence") {
            true => request.headers.json("Presence").ok_or(Refusal::BadPresence)?,
            false => Presence::default(),
        };
        let expire = self.expire(request)?;
        Ok((Contact { peer, presence, expires: now + expire }, expire))
    }

    async fn subscribe(&self, request: &Incoming<Request>) -> Result<(Duration, Option<WatchId>), Refusal> {
        if request.headers.text("Event").as_deref() != Some("presence") {
            return Err(Refusal::BadEvent);
        }
        let is_theirs = |peer: &Peer| peer.is_named_by(&request.from);
        let peer = bounded(request.peer.clone().filter(is_theirs).ok_or(Refusal::NotYours)?)?;
        let user = user(&request.to)?;
        let expire = self.expire(request)?;
        if expire.is_zero() {
            self.notifier.ask(|reply| Mail::Unsubscribe { peer, user, reply }).await?;
            return Ok((expire, None));
        }
        let id = self.notifier.ask(|reply| Mail::Subscribe { peer, user, expire, reply }).await??;
        Ok((expire, Some(id)))
    }

    /// For how long. A fraction of a second is rounded up, as the answer has none.
    fn expire(&self, request: &Request) -> Result<Duration, Refusal> {
        if !request.headers.contains("Expire") {
            return Ok(self.settings.expire.min(self.settings.max_expire));
        }
        let seconds: f64 = request.headers.json("Expire").ok_or(Refusal::BadExpire)?;
        let expire = Duration::try_from_secs_f64(seconds.ceil()).map_err(|_| Refusal::BadExpire)?;
        Ok(expire.min(self.settings.max_expire).min(LONGEST))
    }
}

/// The user that a `To` names. A copy: it outlives the frame.
fn user(to: &str) -> Result<ByteString, Refusal> {
    match &*user_in(to) {
        "" => Err(Refusal::Nobody),
        name if name.len() > LONGEST_NAME => Err(Refusal::TooLong("To")),
        name => Ok(ByteString::from(name)),
    }
}

/// That of a device has 64 at most: the server lets no other in.
fn bounded(peer: Peer) -> Result<Peer, Refusal> {
    if peer.user().len() > LONGEST_NAME { Err(Refusal::TooLong("From")) } else { Ok(peer) }
}
