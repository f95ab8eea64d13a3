use rtcd_sdk::Peer;
use rtcd_sdk::axum::body::Body;
use rtcd_sdk::axum::http::Request as HttpRequest;
use rtcd_sdk::harness::{ApiAnswer, Dialog, Harness};
use rtcd_sdk::jsip::{Message, Method, Request, StatusCode};
use rtcd_sdk::serde_json::Value;
use slp_chatroom::{ChatRoom, ChatRoomApi};

pub(crate) const ROOM: &str = "room:888@test.com";

/// The chat rooms, with nobody in them.
pub(crate) struct Chat {
    pub(crate) harness: Harness<ChatRoom>,
}

impl Chat {
    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    pub(crate) fn with_settings(yaml: &str) -> Self {
        Self { harness: Harness::with_settings(yaml) }
    }

    /// A chat in which these users are in the room, and nothing has happened yet.
    pub(crate) fn of(users: &[&str]) -> Self {
        let mut chat = Self::new();
        for user in users {
            chat.join(user);
        }
        chat.harness.take_log();
        chat
    }

    pub(crate) fn request(&self, method: Method, user: &str) -> Request {
        let mut request = self.harness.first(method, &format!("nick-of-{user}"), ROOM);
        request.headers.set_text("P-Asserted-Identity", user);
        request
    }

    pub(crate) fn subscribe(&self, user: &str, expire: u64) -> Request {
        let mut request = self.request(Method::Subscribe, user);
        request.headers.set_number("Expire", expire);
        request
    }

    /// Sends a request to the rooms; its dialog ends with the answer.
    pub(crate) fn ask(&mut self, request: Request) -> u16 {
        let dialog = self.harness.dial(request);
        self.code(dialog)
    }

    /// The same, from the connection of a user.
    pub(crate) fn ask_from(&mut self, peer: &Peer, request: Request) -> u16 {
        let dialog = self.harness.dial_from(peer, request);
        self.code(dialog)
    }

    fn code(&mut self, dialog: Dialog) -> u16 {
        let code = match self.harness.sent(dialog) {
            [Message::Response(response)] => response.code.as_u16(),
            other => unreachable!("one answer, not {other:?}"),
        };
        self.harness.ended(dialog);
        code
    }

    #[track_caller]
    pub(crate) fn join(&mut self, user: &str) {
        let request = self.subscribe(user, 3600);
        assert_eq!(self.ask(request), 200);
    }

    #[track_caller]
    pub(crate) fn leave(&mut self, user: &str) {
        let request = self.subscribe(user, 0);
        assert_eq!(self.ask(request), 200);
    }

    #[track_caller]
    pub(crate) fn say(&mut self, user: &str, text: &str) {
        let mut request = self.request(Method::Message, user);
        request.headers.set_text("Body", text);
        assert_eq!(self.ask(request), 200);
    }

    /// All copies so far, to whom and what, in order.
    pub(crate) fn copies(&self) -> Vec<(String, String)> {
        let text = |request: &Request| request.headers.text("Body").unwrap_or_default().into_owned();
        let opened = self.harness.opened();
        let first = opened.iter().map(|dialog| self.harness.first_request(*dialog));
        first.map(|request| (request.uri.to_string(), text(request))).collect()
    }

    /// The texts of the copies to one member.
    pub(crate) fn copies_to(&self, user: &str) -> Vec<String> {
        self.copies().into_iter().filter(|(to, _)| to == user).map(|(_, text)| text).collect()
    }

    /// A member's n-th copy.
    pub(crate) fn copy(&self, user: &str, n: usize) -> Dialog {
        let opened = self.harness.opened();
        let mut of_user = opened.iter().filter(|dialog| &*self.harness.first_request(**dialog).uri == user);
        *of_user.nth(n).unwrap()
    }

    /// A member's answer to its n-th copy.
    pub(crate) fn answer(&mut self, user: &str, n: usize, code: StatusCode) {
        let copy = self.copy(user, n);
        self.harness.answer(copy, Method::Message, code);
        self.harness.ended(copy);
    }

    /// Status and body that the API answers.
    pub(crate) fn call(&mut self, method: &str, path: &str) -> (u16, Value) {
        let request = HttpRequest::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let ApiAnswer { status, body } = self.harness.call_api::<ChatRoomApi>(request);
        (status.as_u16(), body)
    }

    /// The members of the room with their nicknames.
    pub(crate) fn members(&mut self) -> Value {
        self.call("GET", "/rooms/room%3A888%40test.com").1[ROOM].take()
    }
}
