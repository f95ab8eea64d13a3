use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtcd_sdk::Peer;
use rtcd_sdk::harness::{Dialog, Harness};
use rtcd_sdk::prelude::*;
use rtcd_store::{Conversation, Kind, NewMessage, Page, Store, StoredMessage};
use slp_registrar::{Contact, Contacts, Presence};

use super::database::Moody;
use crate::Messages;

pub(crate) const ALICE: &str = "alice@test.com";
pub(crate) const BOB: &str = "bob@test.com";
pub(crate) const CAROL: &str = "carol@test.com";

pub(crate) const OK: StatusCode = StatusCode::OK;
pub(crate) const AWAY: StatusCode = StatusCode::TEMPORARILY_NOT_AVAILABLE;
pub(crate) const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
pub(crate) const NO: StatusCode = StatusCode::METHOD_NOT_ALLOWED;
pub(crate) const TIMEOUT: StatusCode = StatusCode::REQUEST_TIMEOUT;

pub(crate) fn phone(user: &str) -> Peer {
    Peer::new(user, Some("phone"))
}

pub(crate) fn desk(user: &str) -> Peer {
    Peer::new(user, Some("desk"))
}

/// The service, over a database that does as the test says.
#[derive(Debug)]
struct Im;

struct ImService {
    messages: Messages,
}

impl Service for ImService {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let database = load.shared::<Held>().0.clone();
        Ok(Self { messages: Messages::new(load, Store::over(database))? })
    }
}

/// The database of a test.
#[derive(Debug, Default)]
struct Held(Arc<Moody>);

impl Slp for Im {
    type Leg = ();
    type Service = ImService;

    fn new(_: &Arc<ImService>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), ImService>, request: Incoming<Request>) -> Outcome {
        let service = cx.service().clone();
        service.messages.answer(cx, &request).await
    }
}

/// Where messages are handed in.
pub(crate) struct Office {
    harness: Harness<Im>,
    begin: Instant,
    registered: u32,
    said: usize,
    answered: BTreeSet<Dialog>,
}

/// A message that somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said(Dialog);

impl Office {
    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    pub(crate) fn with_settings(yaml: &str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "it has to differ from others, nothing else")]
        let begin = Instant::now();
        Self {
            harness: Harness::with_settings(yaml),
            begin,
            registered: 0,
            said: 0,
            answered: BTreeSet::new(),
        }
    }

    pub(crate) fn database(&self) -> Arc<Moody> {
        self.harness.api().shared::<Held>().0.clone()
    }

    pub(crate) fn contacts(&self) -> Arc<Contacts> {
        self.harness.api().shared()
    }

    /// A device registers, as the registrar tells it.
    pub(crate) fn registers(&mut self, peer: &Peer) {
        self.registered += 1;
        let expires = self.begin + Duration::from_secs(60) * self.registered;
        self.contacts().register(Contact { peer: peer.clone(), presence: Presence::Online, expires });
        self.goes_on();
    }

    /// A device is no contact any more.
    pub(crate) fn gone(&self, peer: &Peer) {
        for contact in self.contacts().lookup(peer.user()) {
            if contact.peer == *peer {
                self.contacts().gone(&contact);
            }
        }
    }

    /// Lets happen what can.
    pub(crate) fn goes_on(&mut self) {
        self.harness.release();
    }

    pub(crate) fn passes(&mut self, time: Duration) {
        self.harness.advance(time);
    }

    /// The text is the `Message-ID` as well.
    pub(crate) fn message(&self, from: &Peer, to: &str, text: &str) -> Request {
        let mut request = self.harness.first(Method::Message, from.user(), to);
        request.headers.set_text("Message-ID", text).set_text("Body", text);
        request
    }

    pub(crate) fn say(&mut self, from: &Peer, to: &str, text: &str) -> Said {
        let request = self.message(from, to, text);
        self.send(from, request)
    }

    pub(crate) fn send(&mut self, from: &Peer, request: Request) -> Said {
        self.said += 1;
        Said(self.harness.dial_from(from, request))
    }

    /// What its sender was answered.
    pub(crate) fn answer(&self, said: Said) -> Option<Response> {
        match self.harness.sent(said.0) {
            [] => None,
            [Message::Response(response)] => Some(response.clone()),
            other => unreachable!("one answer, not {other:?}"),
        }
    }

    pub(crate) fn code(&self, said: Said) -> Option<u16> {
        self.answer(said).map(|response| response.code.as_u16())
    }

    /// All copies that were sent to a device.
    pub(crate) fn copies(&self, to: &Peer) -> Vec<Dialog> {
        let opened = self.harness.opened();
        opened.into_iter().filter(|dialog| *self.copy(*dialog).uri == *to.uri()).collect()
    }

    pub(crate) fn copy(&self, dialog: Dialog) -> &Request {
        self.harness.first_request(dialog)
    }

    /// Their texts.
    pub(crate) fn texts(&self, to: &Peer) -> Vec<String> {
        self.copies(to).iter().map(|copy| text(self.copy(*copy))).collect()
    }

    /// A device answers the copy of this number.
    pub(crate) fn takes(&mut self, peer: &Peer, number: usize, code: StatusCode) {
        let copy = self.copies(peer)[number];
        self.harness.answer(copy, Method::Message, code);
        self.harness.ended(copy);
    }

    /// The last copy that was sent to a device, if there is one that it has not answered.
    pub(crate) fn unanswered(&mut self, peer: &Peer) -> Option<Dialog> {
        let last = *self.copies(peer).last()?;
        (self.answered.insert(last)).then_some(last)
    }

    pub(crate) fn block_on<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.harness.block_on(future)
    }

    pub(crate) fn answers(&mut self, copy: Dialog, code: StatusCode) {
        self.harness.answer(copy, Method::Message, code);
        self.harness.ended(copy);
    }

    pub(crate) fn ends(&mut self, copy: Dialog) {
        self.harness.ended(copy);
    }

    pub(crate) fn history(&mut self, a: &str, b: &str) -> Vec<StoredMessage> {
        let store = Store::over(self.database());
        let page = Page { before: None, after: None, limit: 1000 };
        self.harness.block_on(async { store.history(&Conversation::between(a, b), page).await }).unwrap()
    }

    pub(crate) fn stored_for(&mut self, user: &str) -> u64 {
        let store = Store::over(self.database());
        self.harness.block_on(async { store.pending_count(user).await }).unwrap()
    }

    pub(crate) fn log(&self) -> &str {
        self.harness.log()
    }

    pub(crate) fn limit_mailboxes(&self, limit: usize) {
        self.harness.limit_mailboxes(limit);
    }

    /// No task is left when the dialogs of those who had their answers are over.
    pub(crate) fn all_done(&mut self, said: &[Said]) {
        for one in said {
            self.harness.ended(one.0);
        }
        assert_eq!(self.harness.tasks(), 0, "{}", self.log());
    }
}

/// What a copy says.
pub(crate) fn text(copy: &Request) -> String {
    copy.headers.raw("Body").unwrap_or_default().trim_matches('"').to_owned()
}

/// A message as it is stored that waits for its receiver.
pub(crate) fn kept(text: &str, from: &str, to: &str) -> NewMessage {
    NewMessage {
        conversation: Conversation::between(from, to),
        id: text.to_owned(),
        sender: from.to_owned(),
        receiver: to.to_owned(),
        kind: Kind::Message,
        date: 0,
        content_type: None,
        headers: "{}".to_owned(),
        body: format!("\"{text}\""),
        delivered: false,
    }
}
