use std::sync::Arc;

use rtcd_sdk::harness::{Dialog, Harness};
use rtcd_sdk::prelude::*;
use rtcd_store::{Conversation, Page, Store, StoredMessage};

use super::database::{Held, Moody};
use crate::ChatRooms;
use crate::settings::Settings;

pub(super) const ROOM: &str = "room:888@test.com";

/// The chat rooms over a [`Moody`] database.
pub(super) struct Rooms;

pub(super) struct Service {
    rooms: ChatRooms,
}

impl rtcd_sdk::Service for Service {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        let database = load.shared::<Held>().0.clone();
        Ok(Self {
            rooms: ChatRooms::new(load, settings, Some(Store::over(database)), Duration::from_secs(5)),
        })
    }
}

impl Slp for Rooms {
    type Leg = ();
    type Service = Service;

    fn new(_: &Arc<Service>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), Service>, request: Incoming<Request>) -> Outcome {
        let service = cx.service().clone();
        service.rooms.answer(cx, &request).await
    }
}

/// A room, and who is in it.
pub(super) struct World {
    pub(super) harness: Harness<Rooms>,
    /// How many dialogs of the service have been looked at.
    seen: usize,
}

impl World {
    pub(super) fn new(on_join: usize) -> Self {
        Self { harness: Harness::with_settings(&format!("history: {{on_join: {on_join}}}")), seen: 0 }
    }

    pub(super) fn database(&self) -> Arc<Moody> {
        self.harness.api().shared::<Held>().0.clone()
    }

    /// What is kept of the room.
    pub(super) fn kept(&mut self) -> Vec<StoredMessage> {
        let store = Store::over(self.database());
        let page = Page { before: None, after: None, limit: 100 };
        self.harness.block_on(store.history(&Conversation::room(ROOM), page)).unwrap()
    }

    pub(super) fn has_member(&mut self, room: &str, user: &str) -> bool {
        let service: Arc<Service> = self.harness.api().service().unwrap();
        self.harness.block_on(service.rooms.has_member(room, user)).unwrap()
    }

    pub(super) fn request(&self, method: Method, user: &str) -> Request {
        let mut request = self.harness.first(method, &format!("nick-of-{user}"), ROOM);
        request.headers.set_text("P-Asserted-Identity", user);
        request
    }

    pub(super) fn join(&mut self, user: &str) -> Dialog {
        let mut request = self.request(Method::Subscribe, user);
        request.headers.set_number("Expire", 3600);
        self.harness.dial(request)
    }

    /// Says something, with this as its `Message-ID`.
    pub(super) fn say(&mut self, user: &str, text: &str) -> Dialog {
        let mut request = self.request(Method::Message, user);
        request.headers.set_text("Message-ID", text).set_text("Body", text);
        self.harness.dial(request)
    }

    /// What was answered to a request, if anything was.
    pub(super) fn code(&self, dialog: Dialog) -> Option<u16> {
        match self.harness.sent(dialog) {
            [] => None,
            [Message::Response(response)] => Some(response.code.as_u16()),
            other => panic!("one answer, not {other:?}"),
        }
    }

    /// The copies that nobody has looked at, to whom and what, all answered 200.
    pub(super) fn heard(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let opened = self.harness.opened();
            let Some(fresh) = opened.get(self.seen..).filter(|fresh| !fresh.is_empty()) else { return heard };
            self.seen = opened.len();
            for dialog in fresh {
                let copy = self.harness.first_request(*dialog);
                heard.push(format!("{}: {}", copy.uri, copy.headers.text("Body").unwrap()));
            }
            for dialog in fresh {
                self.harness.answer(*dialog, Method::Message, StatusCode::OK);
                self.harness.ended(*dialog);
            }
        }
    }
}
