use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::debug;
use rtcd_sdk::{Peer, Reply};
use rtcd_store::{Kind, Store, StoreError};
use slp_registrar::{Contact, Contacts};

use crate::agenda::Due;
use crate::inbox::{Backlog, Fate, Inbox, Leg, Meanwhile, Moving, Stage, Step, What};
use crate::mail::{Accepted, Mail, Refusal};
use crate::notes::{Done, Notes};
use crate::passed::Sign;
use crate::post::Post;
use crate::room::Part;
use crate::settings::Settings;

/// All that is under way: one actor, so that there is one order. It waits for nobody: what it asks of the store is put in the store's queue
/// at once, in this order, and the answer comes as a note.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) inboxes: HashMap<ByteString, Inbox>,
    pub(crate) posts: HashMap<u64, Moving>,
    made: u64,
    pub(crate) agenda: rtcd_sdk::Agenda<Due>,
    /// With so many receivers, those who are away and have nothing under way are forgotten.
    crowd: usize,
}

/// The fewest receivers among whom it is looked for some to forget.
const CROWD: usize = 1024;

/// What is due at once at most, before others come.
const CHUNK: usize = 256;

pub(crate) type CourierCx = Cx<Leg>;

/// Who is told what becomes of a message.
type Answer = Reply<Result<Accepted, Refusal>>;

impl ServiceTask for Courier {
    type Leg = Leg;
    type Mail = Mail;

    async fn on_mail(&mut self, cx: &mut CourierCx, mail: Mail) -> Outcome {
        match mail {
            Mail::Post { post, room, own, reply } => {
                self.accept(cx, *post, own, Some((reply, room)));
            }
            Mail::Look => {}
        }
        self.settle(cx);
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut CourierCx, response: Incoming<Response, Leg>) -> Outcome {
        if response.code.is_final() {
            if response.code == StatusCode::TEMPORARILY_NOT_AVAILABLE {
                self.not_there(response.tag.to.as_ref());
            }
            self.answered(cx, response.leg, &response.tag, response.code.into());
        }
        self.settle(cx);
        Ok(())
    }

    async fn on_end(&mut self, cx: &mut CourierCx, leg: LegId, tag: Leg) -> Outcome {
        // Nothing, if it has had its answer.
        self.answered(cx, leg, &tag, Fate::Unreached);
        self.settle(cx);
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut CourierCx, timer: TimerId) -> Outcome {
        if self.agenda.is_alarm(timer) {
            for _ in 0..CHUNK {
                match self.agenda.due(cx.now()) {
                    Some(Due::Patience(number)) => self.on_patience(cx, number),
                    Some(Due::Again(receiver)) => self.on_again(cx, &receiver),
                    Some(Due::Passed(receiver)) => self.on_rested(cx, &receiver),
                    Some(Due::Deadline(number)) => self.on_deadline(cx, number),
                    None => break,
                }
            }
        }
        self.settle(cx);
        Ok(())
    }
}

impl Courier {
    pub(crate) fn new(settings: Settings, store: Store, contacts: Arc<Contacts>, notes: Arc<Notes>) -> Self {
        Self {
            settings,
            store,
            contacts,
            notes,
            inboxes: HashMap::new(),
            posts: HashMap::new(),
            made: 0,
            agenda: rtcd_sdk::Agenda::default(),
            crowd: CROWD,
        }
    }

    /// Takes a message. `own` is the device that sent it.
    pub(crate) fn accept(
        &mut self,
        cx: &mut CourierCx,
        post: Post,
        own: Option<Peer>,
        asked: Option<(Answer, Part)>,
    ) {
        let (reply, room) = asked.unzip();
        let (sender, receiver) = (post.sender.clone(), post.receiver.clone());
        let last = cx.now() + self.settings.deadline;
        let due = last.min(cx.now() + self.settings.patience);
        let moving = Moving {
            post,
            stage: Stage::Waits,
            reply,
            _room: room,
            own,
            legs: Vec::new(),
            is_refused: false,
            registrations: 0,
            due,
            last,
        };
        let inbox = self.inboxes.get(&receiver);
        let is_new = inbox.is_none();
        let queued = inbox.and_then(|inbox| inbox.queues.get(&sender)).map_or(0, VecDeque::len);
        if queued >= Settings::PAIR || self.posts.len() >= self.settings.qsize.get() {
            return self.refuse(cx, moving, Refusal::Busy);
        }
        if !moving.post.read.is_empty() {
            self.mark_read(cx, &moving.post);
        }
        self.made += 1;
        let number = self.made;
        let inbox = self.inboxes.entry(receiver.clone()).or_default();
        inbox.queues.entry(sender.clone()).or_default().push_back(number);
        self.agenda.add(due, Due::Patience(number));
        self.agenda.add(last, Due::Deadline(number));
        self.posts.insert(number, moving);
        if is_new {
            self.read(cx, &receiver, Meanwhile::Wait);
        } else {
            self.serve_pair(cx, &receiver, &sender);
        }
    }

    /// The state of a receiver has changed: what waits may go on.
    pub(crate) fn serve(&mut self, cx: &mut CourierCx, receiver: &ByteString) {
        let senders = self.inboxes.get(receiver).map(Inbox::senders).unwrap_or_default();
        for sender in senders {
            self.serve_pair(cx, receiver, &sender);
        }
    }

    /// Goes on with the messages of one sender to one receiver, as far as it goes now.
    fn serve_pair(&mut self, cx: &mut CourierCx, receiver: &ByteString, sender: &ByteString) {
        while let Some(inbox) = self.inboxes.get(receiver)
            && let Some(number) = inbox.head(sender)
            && let Some(moving) = self.posts.get(&number)
            && moving.stage == Stage::Waits
        {
            match inbox.step() {
                Step::Wait if moving.due > cx.now() => break,
                Step::Wait | Step::Store => self.store(cx, number),
                Step::Try => {
                    let contacts = self.contacts.lookup(receiver);
                    // Its time is over, and there is somewhere to put it.
                    let is_late = moving.due <= cx.now() && matches!(inbox.backlog, Backlog::Clear);
                    if contacts.is_empty() || is_late || moving.last <= cx.now() {
                        self.store(cx, number);
                    } else {
                        self.go_live(cx, number, &contacts);
                    }
                }
            }
            if self.inboxes.get(receiver).is_some_and(|inbox| inbox.head(sender) == Some(number)) {
                break; // it is under way
            }
        }
    }

    /// Sends it to the receiver's devices.
    fn go_live(&mut self, cx: &mut CourierCx, number: u64, contacts: &[Contact]) {
        let Some(moving) = self.posts.get_mut(&number) else { return };
        let registrations = self.inboxes.get(&moving.post.receiver).map_or(0, |inbox| inbox.registrations);
        moving.stage = Stage::Live;
        moving.is_refused = true;
        moving.registrations = registrations;
        if moving.due <= cx.now() {
            // It has waited for the store, which does not answer: half of what is left is for the devices.
            moving.due = cx.now() + moving.last.saturating_duration_since(cx.now()) / 2;
            self.agenda.add(moving.due, Due::Patience(number));
        }
        for contact in contacts {
            let copy = moving.post.copy(cx, &contact.peer);
            match cx.open(Leg { what: What::Live(number), to: Some(contact.clone()) }, copy) {
                Ok(leg) => moving.legs.push(leg),
                Err(error) => debug!(peer = %contact.peer, %error, "a message cannot be sent"),
            }
        }
        if moving.legs.is_empty() {
            self.store(cx, number);
        }
    }

    /// A device answered, or never will.
    fn answered(&mut self, cx: &mut CourierCx, leg: LegId, tag: &Leg, fate: Fate) {
        let fell = self.hears(tag, fate);
        match &tag.what {
            What::Copy => return,
            What::Live(number) => self.live_answered(cx, *number, leg, fate),
            What::Stored(receiver) => self.stored_answered(cx, receiver, leg, fate, fell),
        }
        if fate == Fate::Taken
            && let Some(contact) = &tag.to
        {
            self.on_sign(cx, contact.peer.user(), Sign::Took);
        }
    }

    /// What an answer says of the device. The device, if it was there when it was sent what it did not answer.
    fn hears(&mut self, tag: &Leg, fate: Fate) -> Option<Peer> {
        let contact = tag.to.as_ref()?;
        let inbox = self.inboxes.get_mut(contact.peer.user())?;
        if fate != Fate::Unreached {
            inbox.lost.remove(&contact.peer);
            return None;
        }
        inbox.loses(contact).then(|| contact.peer.clone())
    }

    fn live_answered(&mut self, cx: &mut CourierCx, number: u64, leg: LegId, fate: Fate) {
        let Some(moving) = self.posts.get_mut(&number) else { return };
        let Some(at) = moving.legs.iter().position(|open| *open == leg) else { return };
        moving.legs.swap_remove(at);
        moving.is_refused &= fate == Fate::Refused;
        match (&mut moving.stage, fate) {
            (Stage::Live, Fate::Taken) => self.delivered(cx, number),
            (Stage::Live, _) if moving.legs.is_empty() => self.give_up(cx, number),
            (Stage::Writing { is_taken }, Fate::Taken) => {
                *is_taken = true;
                answer(moving.reply.take(), Ok(Accepted::Delivered));
            }
            (Stage::Stored, Fate::Taken) => {
                if let Some(post) = self.not_late(number) {
                    self.taken_late(cx, &post);
                }
            }
            (Stage::Stored, _) if moving.legs.is_empty() => drop(self.not_late(number)),
            (Stage::Waits | Stage::Live | Stage::Writing { .. } | Stage::Stored, _) => {}
        }
    }

    /// A device has taken a message that was never stored.
    fn delivered(&mut self, cx: &mut CourierCx, number: u64) {
        let Some(moving) = self.take(number) else { return };
        answer(moving.reply, Ok(Accepted::Delivered));
        if moving.post.kind == Kind::Message {
            begin(cx, self.store.append(moving.post.to_store(true)), |kept| {
                if let Err(error) = kept {
                    debug!(%error, "a delivered message is not in the history");
                }
            });
        }
        self.copy_to_own(cx, &moving.post, moving.own.as_ref());
        self.serve_pair(cx, &moving.post.receiver, &moving.post.sender);
    }

    /// No device has taken it: it goes to the store.
    fn give_up(&mut self, cx: &mut CourierCx, number: u64) {
        let Some(moving) = self.posts.get(&number) else { return };
        let (sender, receiver) = (moving.post.sender.clone(), moving.post.receiver.clone());
        if let Some(inbox) = self.inboxes.get_mut(&receiver)
            && inbox.registrations == moving.registrations
            && !moving.is_unwanted(inbox)
        {
            inbox.is_deaf = true;
            self.ask_again(cx, &receiver);
        }
        self.store(cx, number);
        self.serve_pair(cx, &receiver, &sender);
    }

    /// Takes out a message that is decided.
    pub(crate) fn take(&mut self, number: u64) -> Option<Moving> {
        let moving = self.posts.remove(&number)?;
        self.agenda.remove(moving.due, Due::Patience(number));
        self.agenda.remove(moving.last, Due::Deadline(number));
        if let Some(inbox) = self.inboxes.get_mut(&moving.post.receiver) {
            inbox.remove(&moving.post.sender, number);
        }
        Some(moving)
    }

    /// The sender's other devices see what it has sent.
    pub(crate) fn copy_to_own(&self, cx: &mut CourierCx, post: &Post, own: Option<&Peer>) {
        let Some(own) = own.filter(|_| post.sender != post.receiver) else { return };
        for contact in self.contacts.lookup(&post.sender) {
            if contact.peer != *own {
                let copy = post.copy(cx, &contact.peer);
                if let Err(error) = cx.open(Leg { what: What::Copy, to: Some(contact) }, copy) {
                    debug!(%error, "a copy cannot be sent");
                }
            }
        }
    }

    /// A message has waited for long enough.
    fn on_patience(&mut self, cx: &mut CourierCx, number: u64) {
        let Some(moving) = self.posts.get(&number) else { return };
        let (sender, receiver) = (moving.post.sender.clone(), moving.post.receiver.clone());
        match moving.stage {
            Stage::Live => self.give_up(cx, number),
            Stage::Waits => {
                let Some(inbox) = self.inboxes.get_mut(&receiver) else { return };
                if inbox.head(&sender) != Some(number) {
                    return; // it goes when those before it are decided
                }
                if matches!(inbox.backlog, Backlog::Reading(_)) && inbox.is_empty() {
                    // The store does not answer. It is not waited for again.
                    inbox.backlog = Backlog::Reading(Meanwhile::Try);
                    self.serve(cx, &receiver);
                } else {
                    self.store(cx, number);
                    self.serve_pair(cx, &receiver, &sender);
                }
            }
            Stage::Writing { .. } | Stage::Stored => {}
        }
    }

    /// A sender has to have an answer.
    fn on_deadline(&mut self, cx: &mut CourierCx, number: u64) {
        let Some(moving) = self.posts.get_mut(&number) else { return };
        match moving.stage {
            Stage::Waits | Stage::Live => {
                let Some(moving) = self.take(number) else { return };
                let (sender, receiver) = (moving.post.sender.clone(), moving.post.receiver.clone());
                self.refuse(cx, moving, Refusal::NoStore);
                self.serve_pair(cx, &receiver, &sender);
            }
            // It may be stored all the same: the sender sends it again with the same id.
            Stage::Writing { .. } | Stage::Stored => answer(moving.reply.take(), Err(Refusal::NoStore)),
        }
    }

    /// Tries a receiver again in a while, as it has a device.
    pub(crate) fn ask_again(&mut self, cx: &CourierCx, receiver: &ByteString) {
        if !self.contacts.lookup(receiver).is_empty() {
            self.again(cx, receiver);
        }
    }

    /// Goes on with what is left of a receiver in a while.
    pub(crate) fn again(&mut self, cx: &CourierCx, receiver: &ByteString) {
        if let Some(inbox) = self.inboxes.get_mut(receiver)
            && inbox.again.is_none()
        {
            let at = cx.now() + self.settings.retry;
            inbox.again = Some(at);
            self.agenda.add(at, Due::Again(receiver.clone()));
        }
    }

    /// A device is not there. If it has registered again meanwhile, it is.
    fn not_there(&self, contact: Option<&Contact>) {
        let Some(contact) = contact else { return };
        self.contacts.gone(contact);
    }

    /// The end of each event: the notes are read, as long as there are any.
    fn settle(&mut self, cx: &mut CourierCx) {
        while let Some(left) = self.notes.take() {
            for (peer, is_new) in left.registered {
                self.on_registered(cx, &peer, is_new);
            }
            for done in left.done {
                match done {
                    Done::Appended { number, result } => self.on_appended(cx, number, &result),
                    Done::Found { receiver, result } => self.on_found(cx, &receiver, result),
                    Done::Marked { receiver, unmarked } => self.on_marked(cx, &receiver, unmarked),
                }
            }
        }
        if self.inboxes.len() >= self.crowd {
            let contacts = &self.contacts;
            self.inboxes.retain(|user, inbox| !inbox.is_idle() || !contacts.lookup(user).is_empty());
            self.crowd = CROWD.max(self.inboxes.len() * 2);
        }
        self.agenda.arm(cx);
    }
}

pub(crate) fn answer(reply: Option<Answer>, accepted: Result<Accepted, Refusal>) {
    if let Some(reply) = reply {
        let _ = reply.send(accepted); // who asked may be gone
    }
}

/// Asks the store. Its answer is waited for beside the courier, and comes as a note. The question is in the store's queue when this returns (one
/// without a queue is asked by the first poll), so that what is asked first is done first. There is an answer whatever becomes of the question.
pub(crate) fn begin<T: 'static>(
    cx: &CourierCx,
    question: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    then: impl FnOnce(Result<T, StoreError>) + Send + 'static,
) {
    let hears = Hears(Some(then), PhantomData);
    let mut question: Pin<Box<dyn Future<Output = ()> + Send>> =
        Box::pin(async move { hears.hear(question.await) });
    let mut poll = || question.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    // One that panicked is not polled again, and is dropped here.
    if let Ok(Poll::Pending) = catch_unwind(AssertUnwindSafe(&mut poll)) {
        cx.run(question);
    }
}

/// Hears the answer to a question; or else, when the question is dropped, that there is none.
struct Hears<T, F: FnOnce(Result<T, StoreError>)>(Option<F>, PhantomData<fn(T)>);

impl<T, F: FnOnce(Result<T, StoreError>)> Hears<T, F> {
    fn hear(mut self, answer: Result<T, StoreError>) {
        if let Some(then) = self.0.take() {
            then(answer);
        }
    }
}

impl<T, F: FnOnce(Result<T, StoreError>)> Drop for Hears<T, F> {
    fn drop(&mut self) {
        if let Some(then) = self.0.take() {
            then(Err(StoreError::Unavailable("the question was dropped".to_owned())));
        }
    }
}
