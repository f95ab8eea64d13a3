//! What the application may not send.

use jsip::Method::{Ack, Bye, Cancel, Info, Invite, Message as Text, Update};
use jsip::{ByteString, DialogId, Method, Request, SendError, Side, StackConfig};
use rtcd_testkit::{MessageExt as _, Rig, request, response};

use crate::states::session;

#[test]
fn a_request_without_from_to_or_request_uri() {
    for (field, method) in [("From", Invite), ("To", Text), ("Request-URI", Update)] {
        let mut bad = request(method, 1);
        match field {
            "From" => bad.from = ByteString::new(),
            "To" => bad.to = ByteString::new(),
            _ => bad.uri = ByteString::new(),
        }
        let mut rig = Rig::new();
        assert_eq!(rig.open(bad.clone()), Err(SendError::Missing { method, field }));
        rig.sees(&[], &[]);
        rig.is_over();
        let mut rig = session("Early", Side::Peer);
        assert_eq!(rig.app(bad), Err(SendError::Missing { method, field }));
        rig.sees(&[], &[]);
        assert_eq!(rig.stack.counters().refused_sends, 1);
    }
    assert_eq!(SendError::Missing { method: Invite, field: "To" }.to_string(), "INVITE without To");
}

#[test]
fn a_dialog_cannot_be_opened_by_what_ends_one() {
    for method in [Ack, Bye, Cancel] {
        let mut rig = Rig::new();
        assert_eq!(rig.open(request(method, 1)), Err(SendError::NoSession { method }));
        rig.sees(&[], &[]);
        assert!(rig.stack.is_idle());
    }
}

/// The message with so many bytes as the text of its frame.
fn of_size(mut message: Request, bytes: usize) -> Request {
    message.headers.set_text("Body", "");
    let rest = bytes - message.encode().len();
    message.headers.set_text("Body", &"x".repeat(rest));
    assert_eq!(message.encode().len(), bytes);
    message
}

#[test]
fn what_is_too_long_for_the_peer_does_not_leave() {
    let most = 1000;
    for method in [Text, Invite] {
        let mut rig = Rig::with(|config| config.max_message_size = most);
        rig.open(of_size(request(method, 1), most)).unwrap();
        rig.sees(&[], &["513 1", "END"]);
        assert!(rig.stack.is_idle());
        // Room is left for `Max-Forwards`.
        rig.open(of_size(request(method, 1), most - 64)).unwrap();
        rig.asks(method, 1);
    }
    let mut rig = session("Confirmed", Side::Peer);
    rig.app(of_size(request(Info, 80), StackConfig::default().max_message_size)).unwrap();
    rig.sees(&[], &["513 80"]);
}

#[test]
fn what_must_be_said_is_said_without_what_makes_it_too_long() {
    let most = StackConfig::default().max_message_size;
    let long = |code, cseq| {
        let mut response = response(code, cseq);
        response.headers.set_text("Body", &"x".repeat(most));
        response
    };
    let mut rig = session("Confirmed", Side::Peer);
    rig.peer(request(Info, 7));
    rig.peer(request(Info, 8));
    rig.heard();
    rig.app(long(182, 7)).unwrap();
    rig.app(long(200, 7)).unwrap();
    rig.app(long(404, 8)).unwrap();
    rig.sees(&["182 7", "500 7 Reason=\"The answer is too long\"", "404 8"], &[]);
    rig.app(of_size(request(Bye, 81), most + 1)).unwrap();
    rig.sees(&["BYE 81"], &[]);

    // A call whose answer cannot be passed on is over, and its application is told.
    let mut rig = Rig::new();
    rig.peer(request(Invite, 1));
    rig.heard();
    rig.app(long(200, 1)).unwrap();
    rig.asks(Ack, 1);
    rig.sees(&["500 1 Reason=\"The answer is too long\""], &["END"]);
}

#[test]
fn escapes_count() {
    let mut message = request(Text, 1);
    for (name, escaped) in [("x", 1), ("\u{1}", 6), ("\"", 2), ("é", 2)] {
        message.from = ByteString::from(name.repeat(1000));
        let rest = of_size(request(Text, 1), 1000).encode().len();
        assert!(message.is_longer_than(1000 * escaped), "{name}");
        assert!(!message.is_longer_than(1000 * escaped + rest), "{name}");
    }
}

#[test]
fn a_dialog_is_opened_once() {
    let mut rig = Rig::new();
    rig.open(request(Text, 1)).unwrap();
    assert_eq!(rig.open(request(Text, 2)), Err(SendError::DialogExists));
    rig.asks(Text, 1);
    rig.peer(request(Text, 1).in_dialog("x"));
    assert_eq!(rig.open(request(Text, 2).in_dialog("x")), Err(SendError::DialogExists));
}

#[test]
fn a_message_stays_in_its_dialog() {
    let mut rig = Rig::new();
    let key = rig.open(request(Text, 1)).unwrap();
    let mut other = response(200, 1);
    other.dialog = DialogId::new("x").unwrap();
    let now = rig.now();
    assert_eq!(rig.stack.handle_send(now, key, other.into()), Err(SendError::OtherDialog));
    rig.replies(200, 1);
    assert_eq!(rig.stack.handle_send(now, key, response(200, 1).into()), Err(SendError::UnknownDialog));
    rig.sees(&["MESSAGE 1"], &["200 1", "END"]);
}

#[test]
fn a_key_that_is_over_names_nothing() {
    let mut rig = Rig::new();
    let key = rig.open(request(Text, 1)).unwrap();
    rig.replies(200, 1);
    let again = rig.open(request(Text, 2)).unwrap();
    assert_ne!(key, again);
    let now = rig.now();
    assert!(rig.stack.tag(key).is_none());
    assert!(rig.stack.tag(again).is_some());
    rig.stack.handle_bind(key, "other".to_owned());
    rig.stack.handle_release(now, key, jsip::Release::Failed);
    assert_eq!(rig.stack.tag(again).map(String::as_str), Some("d"));
}

#[test]
fn responses_to_nothing() {
    let mut rig = session("Confirmed", Side::Peer);
    for code in [180, 200, 404] {
        assert!(matches!(rig.app(response(code, 60)), Err(SendError::NoTransaction { .. })));
        // A request of its own is not its to answer.
        rig.app(request(Info, 80 + u64::from(code))).unwrap();
        rig.wire();
        assert!(rig.app(response(code, 80 + u64::from(code))).is_err());
    }
    rig.sees(&[], &[]);
}

#[test]
fn expire_of_an_own_invite() {
    for (value, bad) in [("0", true), ("-5", true), ("\"x\"", true), ("1", false), ("0.5", false)] {
        let mut rig = Rig::new();
        let mut invite = request(Invite, 1);
        invite
            .headers
            .set_json("Expire", &serde_json::from_str::<serde_json::Value>(value).unwrap())
            .unwrap();
        assert_eq!(rig.open(invite).err(), bad.then_some(SendError::Expire), "{value}");
    }
}

#[test]
fn an_error_changes_nothing() {
    let mut rig = session("Early", Side::Peer);
    for method in Method::ALL {
        if !matches!(method, Info | Update) && !method.opens_dialog() || method == Invite {
            assert!(matches!(rig.app(request(method, 80)), Err(SendError::State { state: "Early", .. })));
        }
    }
    assert!(matches!(rig.app(response(202, 1)), Err(SendError::NotAccepting { .. })));
    rig.sees(&[], &[]);
    rig.app_replies(200, 1);
    rig.sees(&["200 1"], &[]);
}
