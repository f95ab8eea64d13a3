use std::sync::Arc;
use std::time::{Duration, Instant};

use rtcd_sdk::prelude::*;
use rtcd_sdk::tracing::debug;

use crate::agenda::Due;
use crate::changes::Changes;
use crate::contacts::Contacts;
use crate::mail::{Mail, Refusal, Seen, WatchId};
use crate::presence::Document;
use crate::settings::Settings;
use crate::watch::{Next, Watch};
use crate::watches::Watches;

/// Tells of presence, and takes out contacts whose time is over: one actor for all users.
#[derive(Debug)]
pub(crate) struct Notifier {
    settings: Settings,
    contacts: Arc<Contacts>,
    changes: Changes,
    watches: Watches,
    agenda: rtcd_sdk::Agenda<Due>,
    /// Set while there is more to do than fits a turn: other mail comes between the turns.
    next_turn: Option<TimerId>,
}

/// How much is done in a turn.
const CHUNK: usize = 256;

/// For how long a NOTIFY is held back if nobody says that the subscriber has its answer.
const HELD: Duration = Duration::from_millis(200);

/// Longer than anybody subscribes or registers; a clock can take it.
pub(crate) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

type NotifierCx = Cx<WatchId>;

impl ServiceTask for Notifier {
    type Leg = WatchId;
    type Mail = Mail;

    async fn on_mail(&mut self, cx: &mut NotifierCx, mail: Mail) -> Outcome {
        // Who asked may be gone: then nobody hears the answer.
        match mail {
            Mail::Subscribe { peer, user, expire, reply } => {
                let _ = reply.send(self.subscribe(cx.now(), peer, user, expire));
            }
            Mail::Unsubscribe { peer, user, reply } => {
                if let Some(id) = self.watches.find(&peer, &user) {
                    self.remove(id);
                }
                let _ = reply.send(());
            }
            Mail::Answered(id) => self.resume(cx, id),
            Mail::Changed => {}
            Mail::Users { after, limit, reply } => {
                let _ = reply.send(self.contacts.users(&after, limit));
            }
            Mail::Contacts { user, reply } => {
                let _ = reply.send(self.seen(cx.now(), &user));
            }
            Mail::Remove { user, device, reply } => {
                let _ = reply.send(self.unregister(&user, device.as_deref()));
            }
        }
        self.go_on(cx);
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut NotifierCx, response: Incoming<Response, WatchId>) -> Outcome {
        if response.code.is_final() {
            self.answered(cx, response.tag, response.leg, Some(response.code));
        }
        self.go_on(cx);
        Ok(())
    }

    async fn on_end(&mut self, cx: &mut NotifierCx, leg: LegId, id: WatchId) -> Outcome {
        self.answered(cx, id, leg, None);
        self.go_on(cx);
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut NotifierCx, timer: TimerId) -> Outcome {
        if self.next_turn == Some(timer) {
            self.next_turn = None;
        } else if self.agenda.is_alarm(timer) {
            self.on_alarm(cx);
        }
        self.go_on(cx);
        Ok(())
    }
}

impl Notifier {
    pub(crate) fn new(settings: Settings, contacts: Arc<Contacts>, changes: Changes) -> Self {
        Self {
            settings,
            contacts,
            changes,
            watches: Watches::default(),
            agenda: rtcd_sdk::Agenda::default(),
            next_turn: None,
        }
    }

    fn subscribe(
        &mut self,
        now: Instant,
        peer: Peer,
        user: ByteString,
        expire: Duration,
    ) -> Result<WatchId, Refusal> {
        let (expires, held) = (now + expire, now + HELD);
        let id = match self.watches.find(&peer, &user) {
            Some(id) => {
                let watch = self.watches.find_mut(id).ok_or(Refusal::Failed)?;
                forget(&mut self.agenda, id, watch);
                watch.renewed(expires, held);
                id
            }
            None if self.watches.len_of(&peer) >= self.settings.subscriptions.get()
                || self.watches.len_of_user(peer.user()) >= self.settings.user_subscriptions.get()
                || self.watches.len() >= self.settings.all_subscriptions.get() =>
            {
                return Err(Refusal::TooManyWatches);
            }
            None => {
                let contacts = &self.contacts;
                let document = |user: &str| Document::new(user, &contacts.lookup(user));
                self.watches.add(Watch::new(peer, user, expires, held), document)
            }
        };
        self.agenda.add(expires, Due::Expire(id));
        if let Some(until) = self.watches.find_mut(id).and_then(|watch| watch.waits_until()) {
            self.agenda.add(until, Due::Resume(id));
        }
        Ok(id)
    }

    fn seen(&self, now: Instant, user: &str) -> Vec<Seen> {
        let contacts = self.contacts.lookup(user).into_iter();
        let seen = contacts.map(|contact| Seen {
            left: contact.expires.saturating_duration_since(now),
            peer: contact.peer,
            presence: contact.presence,
        });
        seen.collect()
    }

    fn unregister(&self, user: &str, device: Option<&str>) -> bool {
        let contacts = self.contacts.lookup(user).into_iter();
        let gone: Vec<_> =
            contacts.filter(|known| device.is_none() || known.peer.device() == device).collect();
        for contact in &gone {
            self.contacts.gone(contact);
        }
        !gone.is_empty()
    }

    /// After each event: what has changed is looked at, a chunk at a time.
    fn go_on(&mut self, cx: &mut NotifierCx) {
        if self.next_turn.is_none() {
            self.take_turn(cx);
            let has_more = !self.changes.is_empty() || self.watches.has_turns();
            self.next_turn = has_more.then(|| cx.timer(Duration::ZERO));
        }
        self.agenda.arm_also(cx, self.contacts.next_expiry());
    }

    fn take_turn(&mut self, cx: &mut NotifierCx) {
        // A device that is there again may have much that waits: that counts, too.
        let mut budget = CHUNK;
        while budget > 0 {
            let Some(peer) = self.changes.next() else { break };
            budget -= 1;
            let contacts = self.contacts.lookup(peer.user());
            self.watches.changed(peer.user(), || Document::new(peer.user(), &contacts));
            // It is there again: what waited for it need not wait.
            if contacts.iter().any(|contact| contact.peer == peer) {
                let watches = self.watches.of(&peer);
                budget = budget.saturating_sub(watches.len());
                for id in watches {
                    self.resume(cx, id);
                }
            }
        }
        let mut budget = CHUNK;
        while budget > 0 && self.watches.has_turns() {
            let turn = self.watches.next_turn(budget);
            budget -= turn.len().max(1);
            for id in turn {
                self.look(cx, id);
            }
        }
    }

    fn on_alarm(&mut self, cx: &mut NotifierCx) {
        let now = cx.now();
        self.contacts.expire(now, CHUNK);
        for _ in 0..CHUNK {
            match self.agenda.due(now) {
                Some(Due::Expire(id)) => self.over(cx, id),
                Some(Due::Resume(id)) => self.resume(cx, id),
                None => break,
            }
        }
    }

    /// A subscription that waits does so no longer.
    fn resume(&mut self, cx: &mut NotifierCx, id: WatchId) {
        let Some(watch) = self.watches.find_mut(id) else { return };
        if let Some(until) = watch.waits_until() {
            self.agenda.remove(until, Due::Resume(id));
            watch.resume();
            self.look(cx, id);
        }
    }

    /// Sends what the subscriber does not know.
    fn look(&mut self, cx: &mut NotifierCx, id: WatchId) {
        let Some(watch) = self.watches.find_mut(id) else { return };
        let user = watch.user.clone();
        let Some(document) = self.watches.document(&user) else { return };
        let Some(watch) = self.watches.find_mut(id).filter(|watch| watch.wants(&document)) else { return };
        let left = watch.expires.saturating_duration_since(cx.now());
        let state = format!("active;expires={}", whole_seconds(left));
        let contact = self.contacts.find(&watch.peer);
        if let Some(leg) = notify(cx, id, watch, &document, &state) {
            watch.telling(leg, document, contact);
        }
    }

    fn answered(&mut self, cx: &mut NotifierCx, id: WatchId, leg: LegId, code: Option<StatusCode>) {
        let Some(watch) = self.watches.find_mut(id) else { return };
        match watch.answered(leg, code) {
            Next::Nothing => {}
            Next::Look => self.look(cx, id),
            Next::Wait(misses) => {
                let until = cx.now() + self.settings.pause(misses);
                watch.wait(until);
                self.agenda.add(until, Due::Resume(id));
            }
            Next::Last => self.end(cx, id),
            Next::Unwanted => {
                self.remove(id);
            }
            Next::NotThere => {
                if let Some(contact) = self.remove(id).and_then(|watch| watch.contact) {
                    self.contacts.gone(&contact);
                }
            }
        }
    }

    /// A subscription's time is over.
    fn over(&mut self, cx: &mut NotifierCx, id: WatchId) {
        if self.watches.find_mut(id).is_some_and(Watch::over) {
            self.end(cx, id);
        }
    }

    /// The last NOTIFY of a subscription; nobody looks at its answer.
    fn end(&mut self, cx: &mut NotifierCx, id: WatchId) {
        let Some(watch) = self.watches.find_mut(id) else { return };
        let user = watch.user.clone();
        let document = self.watches.document(&user);
        if let (Some(watch), Some(document)) = (self.remove(id), document) {
            notify(cx, id, &watch, &document, "terminated;reason=timeout");
        }
    }

    fn remove(&mut self, id: WatchId) -> Option<Watch> {
        let watch = self.watches.remove(id)?;
        forget(&mut self.agenda, id, &watch);
        Some(watch)
    }
}

/// Takes a subscription out of the agenda.
fn forget(agenda: &mut rtcd_sdk::Agenda<Due>, id: WatchId, watch: &Watch) {
    agenda.remove(watch.expires, Due::Expire(id));
    if let Some(until) = watch.waits_until() {
        agenda.remove(until, Due::Resume(id));
    }
}

fn notify(
    cx: &mut NotifierCx,
    id: WatchId,
    watch: &Watch,
    document: &Document,
    state: &str,
) -> Option<LegId> {
    let mut notify = cx.request(Method::Notify, watch.user.clone(), watch.peer.uri());
    notify.to = ByteString::from(watch.peer.user());
    notify.headers.set_text("Event", "presence").set_text("Subscription-State", state);
    notify.headers.copy("Body", &document.0);
    match cx.open(id, notify) {
        Ok(leg) => Some(leg),
        Err(error) => {
            debug!(peer = %watch.peer, user = &*watch.user, %error, "a NOTIFY cannot be sent");
            None
        }
    }
}

/// No fraction is cut off.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
