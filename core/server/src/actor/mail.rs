//! What actors say to each other, and the room in their mailboxes.
//!
//! Only new requests and provisional responses compete for room; a provisional response that finds none is dropped. What answers
//! finally, cancels or ends something that was let in is always taken, because letting it in reserved its room. So a mailbox holds at
//! most its limit of competing mails, and a few mails for each open dialog.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use jsip::{DialogId, Message, Method, Request, StatusCode};
use rtcd_sdk::host::{Effect, Event, Hosted, RelatedKey, TaskFault};
use rtcd_sdk::{LegId, Peer};
use tokio::sync::{mpsc, oneshot};

use super::tasks::TaskKey;
use crate::inspect::Question;
use crate::rtc::Attachment;

/// One mail. Boxed where it is large: an idle mailbox costs less then.
pub(crate) enum Mail {
    /// A new socket of the peer.
    Attach(Box<Attachment>),
    /// A next hop cannot be reached.
    Unreachable(StatusCode),
    /// A task elsewhere opens a dialog with this peer.
    Open(Box<(RemoteLeg, Request)>),
    /// A task elsewhere sends in a dialog of this peer.
    Send(Box<(RemoteLeg, DialogId, Message)>),
    /// A task elsewhere has ended: its dialog with this peer is nobody's.
    Release(Box<(RemoteLeg, DialogId, jsip::Release)>),
    /// Something happened on a leg of a task that lives here.
    Event(Box<(TaskKey, Event)>),
    /// A dialog of another peer that names a task here by a related id.
    Related(Box<Related>),
    /// What a task that waits elsewhere wants done. The task goes on when it is.
    Effects(Box<(TaskKey, Vec<Effect>, oneshot::Sender<()>)>),
    /// A task that waited comes home.
    Back(Box<Homecoming>),
    /// Mail for the service task that lives here.
    Service(Box<dyn Any + Send>),
    /// Somebody wants to see what is here.
    Inspect(Box<Question>),
    /// The server goes down soon: what is still up ends. The actor drops the sender when it has done it.
    HangUp(mpsc::Sender<()>),
    /// The server goes down.
    Stop,
}

/// A task whose handler is done.
pub(crate) struct Homecoming {
    pub(crate) task: TaskKey,
    pub(crate) hosted: Box<dyn Hosted>,
    pub(crate) end: Result<(), TaskFault>,
}

/// The first message of a dialog that another peer opened towards a task here.
pub(crate) struct Related {
    pub(crate) task: TaskKey,
    pub(crate) key: RelatedKey,
    pub(crate) leg: LegId,
    pub(crate) from: Address,
    /// Where it is sent.
    pub(crate) home: Address,
    pub(crate) request: Request,
}

/// A leg, seen from the peer that it leads to.
#[derive(Clone)]
pub(crate) struct RemoteLeg {
    pub(crate) home: Address,
    pub(crate) task: TaskKey,
    pub(crate) leg: LegId,
}

/// Who an actor is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// A user's peer.
    User(Peer),
    /// Another server. Apart from users, so that no user can connect as one.
    Hop(Arc<Hop>),
    /// The service task of an implementation.
    Service(&'static str, u32),
}

/// A next hop. This server goes by its realm there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hop {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Name {
    /// The user's peer, if it is one.
    pub(crate) fn peer(&self) -> Option<&Peer> {
        match self {
            Self::User(peer) => Some(peer),
            Self::Hop(_) | Self::Service(..) => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(peer) => f.write_str(peer.as_str()),
            Self::Hop(hop) => write!(f, "hop {}:{}", hop.host, hop.port),
            Self::Service(name, number) => write!(f, "service {name} {number}"),
        }
    }
}

/// Where an actor takes its mail.
#[derive(Clone)]
pub(crate) struct Address(Arc<Inner>);

struct Inner {
    name: Name,
    /// Its place in listings.
    number: u64,
    tx: mpsc::UnboundedSender<Mail>,
    /// Mails in the box that competed for room.
    competing: AtomicUsize,
    room: Room,
}

/// The room in a mailbox.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// Mails that may compete.
    pub(crate) most: usize,
    /// Counts those that found none.
    pub(crate) refused: Arc<AtomicU64>,
}

/// A mail that was not taken.
pub(crate) enum Undelivered {
    /// There is no room for new requests.
    Full(Mail),
    /// The actor has ended.
    Gone(Mail),
}

impl Address {
    /// An address and the box behind it.
    pub(crate) fn new(name: Name, number: u64, room: Room) -> (Self, Mailbox) {
        let (tx, rx) = mpsc::unbounded_channel();
        let address = Self(Arc::new(Inner { name, number, tx, competing: AtomicUsize::new(0), room }));
        (address.clone(), Mailbox { rx, address })
    }

    pub(crate) fn name(&self) -> &Name {
        &self.0.name
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits until the actor has ended.
    pub(crate) async fn ended(&self) {
        self.0.tx.closed().await;
    }

    /// Leaves a mail; one that competes only if there is room.
    pub(crate) fn send(&self, mail: Mail) -> Result<(), Undelivered> {
        if mail.competes() {
            if self.0.competing.fetch_add(1, Relaxed) >= self.0.room.most {
                self.0.competing.fetch_sub(1, Relaxed);
                self.0.room.refused.fetch_add(1, Relaxed);
                return Err(Undelivered::Full(mail));
            }
            return self.0.tx.send(mail).map_err(|error| {
                self.0.competing.fetch_sub(1, Relaxed);
                Undelivered::Gone(error.0)
            });
        }
        self.0.tx.send(mail).map_err(|error| Undelivered::Gone(error.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.name, f)
    }
}

/// The box behind an address.
pub(crate) struct Mailbox {
    rx: mpsc::UnboundedReceiver<Mail>,
    address: Address,
}

impl Mailbox {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The next mail, or the task is woken when there is one.
    pub(crate) fn poll(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Mail>> {
        self.rx.poll_recv(cx).map(|mail| mail.inspect(|mail| self.taken(mail)))
    }

    /// Takes no more mail, and gives what is left.
    pub(crate) async fn close(mut self) -> Vec<Mail> {
        self.rx.close();
        let mut left = Vec::new();
        // The competing ones need no counting any more: nobody can send. It ends when the last one under way is in.
        while let Some(mail) = self.rx.recv().await {
            left.push(mail);
        }
        left
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.rx.is_empty()
    }

    fn taken(&self, mail: &Mail) {
        if mail.competes() {
            self.address.0.competing.fetch_sub(1, Relaxed);
        }
    }
}

impl Mail {
    fn competes(&self) -> bool {
        match self {
            Self::Open(_) | Self::Related(_) | Self::Service(_) => true,
            Self::Send(send) => competes(&send.2),
            Self::Event(event) => {
                matches!(&event.1, Event::Request { request, .. } if request_competes(request))
            }
            Self::Attach(_)
            | Self::Unreachable(_)
            | Self::Release(_)
            | Self::Effects(_)
            | Self::Back(_)
            | Self::Inspect(_)
            | Self::HangUp(_)
            | Self::Stop => false,
        }
    }
}

fn competes(message: &Message) -> bool {
    match message {
        Message::Request(request) => request_competes(request),
        Message::Response(response) => response.code.is_provisional(),
    }
}

/// New work competes; what ends or confirms something that was let in does not.
pub(crate) fn request_competes(request: &Request) -> bool {
    !matches!(request.method, Method::Ack | Method::Bye | Method::Cancel)
}
