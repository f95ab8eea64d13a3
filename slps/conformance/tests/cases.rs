//! Every case, as its row of the table says.
#![expect(clippy::indexing_slicing, reason = "a test")]

use std::time::Duration;

use rtcd_sdk::harness::{Dialog, Harness};
use rtcd_sdk::jsip::{Method, StatusCode};
use slp_conformance::Conformance;

const RINGING: StatusCode = StatusCode::RINGING;
const OK: StatusCode = StatusCode::OK;

fn begin(method: Method, case: &str) -> (Harness<Conformance>, Dialog) {
    let mut harness = Harness::new();
    let mut first = harness.first(method, "alice@test.com", case);
    first.to = "conformance@test.com".into();
    let dialog = harness.dial(first);
    (harness, dialog)
}

/// A `Send_…` case, and the dialog that it opens.
fn begin_send(case: &str) -> (Harness<Conformance>, Dialog) {
    let (mut harness, first) = begin(Method::Message, case);
    harness.ended(first);
    let opened = harness.opened();
    assert_eq!(opened.len(), 1, "{}", harness.log());
    (harness, opened[0])
}

#[track_caller]
fn assert_over(harness: &Harness<Conformance>) {
    assert_eq!(harness.tasks(), 0, "{}", harness.log());
}

#[test]
fn unknown_case() {
    let (harness, _) = begin(Method::Message, "Recv_Nothing");
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_message() {
    let (harness, _) = begin(Method::Message, "Recv_MESSAGE");
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_message_timeout() {
    let (harness, _) = begin(Method::Message, "Recv_MESSAGE_Timeout");
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_invite() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_INVITE");
    harness.send(dialog, Method::Prack);
    harness.answer(dialog, Method::Update, OK);
    harness.send(dialog, Method::Ack);
    harness.send(dialog, Method::Invite);
    harness.send(dialog, Method::Ack);
    harness.send(dialog, Method::Bye);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_invite_timeout() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_INVITE_Timeout");
    harness.send(dialog, Method::Cancel); // the stack's, when the time is over
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_cancel() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_CANCEL");
    harness.send(dialog, Method::Cancel);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_invite_session_timeout() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_INVITE_Session_Timeout");
    harness.send(dialog, Method::Ack);
    harness.send(dialog, Method::Bye); // the stack's, when the session's time is over
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn recv_info() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_INFO");
    harness.send(dialog, Method::Ack);
    harness.send(dialog, Method::Info);
    harness.send(dialog, Method::Info);
    harness.send(dialog, Method::Bye);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_error_msg() {
    let (harness, _) = begin(Method::Message, "Send_Error_Msg");
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn requests_without_a_session() {
    for case in ["Send_BYE_481", "Send_ACK_No_Session", "Send_CANCEL_No_Session"] {
        let (harness, _) = begin(Method::Message, case);
        assert_over(&harness);
        insta::assert_snapshot!(case, harness.log());
    }
}

#[test]
fn send_resp_no_session() {
    let (harness, _) = begin(Method::Message, "Send_Resp_No_Session");
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_update_no_session() {
    let (mut harness, update) = begin_send("Send_UPDATE_No_Session");
    harness.answer(update, Method::Update, StatusCode::NO_SUCH_TRANSACTION); // the stack's
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_update_no_session_takes_nothing_but_481() {
    let (mut harness, update) = begin_send("Send_UPDATE_No_Session");
    harness.answer(update, Method::Update, OK);
    assert!(harness.log().ends_with("== task 1 failed: an UPDATE without a session was answered 200\n"));
}

#[test]
fn send_message() {
    let (mut harness, message) = begin_send("Send_MESSAGE");
    harness.answer(message, Method::Message, OK);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_message_timeout() {
    let (mut harness, message) = begin_send("Send_MESSAGE_Timeout");
    harness.answer(message, Method::Message, StatusCode::REQUEST_TIMEOUT);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_invite() {
    let (mut harness, call) = begin_send("Send_INVITE");
    harness.answer(call, Method::Invite, RINGING);
    harness.answer(call, Method::Invite, RINGING); // one PRACK is enough
    harness.answer(call, Method::Prack, OK);
    harness.send(call, Method::Update);
    harness.answer(call, Method::Invite, OK);
    harness.send(call, Method::Invite);
    harness.send(call, Method::Ack);
    harness.advance(Duration::from_secs(29));
    assert_eq!(harness.tasks(), 1);
    harness.advance(Duration::from_secs(1));
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_invite_declined() {
    let (mut harness, call) = begin_send("Send_INVITE");
    harness.answer(call, Method::Invite, StatusCode::DECLINE);
    assert_over(&harness);
}

#[test]
fn send_invite_timeout() {
    let (mut harness, call) = begin_send("Send_INVITE_Timeout");
    harness.answer(call, Method::Invite, RINGING);
    harness.answer(call, Method::Invite, StatusCode::REQUEST_TIMEOUT);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_invite_session_timeout() {
    let (mut harness, call) = begin_send("Send_INVITE_Session_Timeout");
    harness.answer(call, Method::Invite, RINGING);
    harness.answer(call, Method::Invite, OK);
    harness.send(call, Method::Bye); // the stack's, after three UPDATEs without an answer
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn send_cancel() {
    let (mut harness, call) = begin_send("Send_CANCEL");
    harness.answer(call, Method::Invite, StatusCode::REQUEST_TERMINATED);
    assert_over(&harness);
    insta::assert_snapshot!(harness.log());
}

#[test]
fn a_request_that_no_case_expects_is_answered() {
    let (mut harness, dialog) = begin(Method::Invite, "Recv_CANCEL");
    harness.send(dialog, Method::Info);
    assert!(harness.log().ends_with("< in_1 405 Method Not Allowed 2 Reason=\"Not a part of this case\"\n"));
}
