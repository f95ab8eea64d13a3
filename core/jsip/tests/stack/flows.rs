//! Whole flows, as transcripts.

use jsip::Detach::Lost;
use jsip::Method::{Ack, Bye, Cancel, Info, Invite, Message as Text, Prack, Update};
use jsip::{Message, Release};
use rtcd_testkit::{MessageExt as _, Pings, RequestExt as _, Rig, request, response};

#[test]
fn a_message() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.peer(request(Text, 1).text("Body", "hello"));
    rig.app_replies(200, 1);
    rig.seconds(1.0);
    rig.pong(1);
    insta::assert_snapshot!(rig.transcript());
}

#[test]
fn a_call_received() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.seconds(0.1);
    rig.app_replies(100, 1);
    rig.app_replies(180, 1);
    rig.seconds(0.1);
    rig.asks(Prack, 2);
    rig.app_replies(200, 2);
    rig.app_asks(Update, 21);
    rig.replies(200, 21);
    rig.seconds(3.0);
    rig.app_replies(200, 1);
    rig.peer(request(Ack, 3).related(1));
    rig.seconds(60.0);
    rig.asks(Info, 4);
    rig.app_replies(200, 4);
    rig.seconds(60.0);
    rig.asks(Update, 5);
    rig.asks(Invite, 6);
    rig.app_replies(200, 6);
    rig.peer(request(Ack, 7).related(6));
    rig.seconds(60.0);
    rig.asks(Bye, 8);
    rig.asks(Bye, 8);
    insta::assert_snapshot!(rig.transcript());
}

#[test]
fn a_call_sent() {
    let mut rig = Rig::new();
    rig.open(request(Invite, 1).number("Expire", 60)).unwrap();
    rig.seconds(0.1);
    rig.replies(100, 1);
    rig.replies(180, 1);
    rig.app_asks(Prack, 2);
    rig.replies(200, 2);
    rig.asks(Update, 1);
    rig.app_replies(200, 1);
    rig.seconds(3.0);
    rig.replies(200, 1);
    rig.app_asks(Ack, 3);
    for _ in 0..2 {
        rig.seconds(20.0);
        let Some(Message::Request(update)) = rig.sent.last().cloned() else { panic!("an UPDATE") };
        rig.replies(200, update.cseq.as_u64());
    }
    rig.app_asks(Bye, 4);
    rig.replies(200, 4);
    insta::assert_snapshot!(rig.transcript());
}

#[test]
fn a_call_that_is_taken_back() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.app_replies(180, 1);
    rig.seconds(2.0);
    rig.peer(request(Cancel, 2).related(1));
    rig.peer(request(Ack, 3).related(1));
    insta::assert_snapshot!("received", rig.transcript());

    let mut rig = Rig::new();
    rig.open(request(Invite, 1)).unwrap();
    rig.replies(180, 1);
    rig.seconds(2.0);
    rig.app_asks(Cancel, 2);
    rig.replies(200, 2);
    rig.replies(487, 1);
    insta::assert_snapshot!("sent", rig.transcript());

    let mut rig = Rig::new();
    rig.open(request(Invite, 1)).unwrap();
    rig.replies(180, 1);
    rig.app_asks(Cancel, 2);
    rig.replies(200, 1);
    rig.replies(481, 2);
    rig.seconds(5.0);
    insta::assert_snapshot!("crossed", rig.transcript());
}

#[test]
fn calls_that_nobody_answers() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.seconds(60.0);
    rig.peer(request(Ack, 2).related(1));
    insta::assert_snapshot!("received_and_not_answered", rig.transcript());

    let mut rig = Rig::new();
    rig.open(request(Invite, 1)).unwrap();
    rig.seconds(120.0);
    insta::assert_snapshot!("sent_and_not_answered", rig.transcript());
}

#[test]
fn a_call_whose_peer_falls_silent() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.open(request(Invite, 1).number("Expire", 60)).unwrap();
    rig.replies(200, 1);
    rig.app_asks(Ack, 2);
    rig.seconds(100.0);
    insta::assert_snapshot!(rig.transcript());
}

#[test]
fn a_call_over_a_lost_socket() {
    let mut rig = Rig::new();
    rig.pings = Pings::Record;
    rig.asks(Invite, 1);
    rig.app_replies(180, 1);
    rig.seconds(1.0);
    rig.pong(1);
    rig.app_replies(200, 1);
    rig.detach(Lost);
    rig.seconds(2.0);
    rig.app_asks(Info, 21);
    rig.app(response(180, 1)).unwrap_err();
    rig.attach();
    rig.asks(Invite, 1);
    rig.peer(request(Ack, 2).related(1));
    rig.replies(200, 21);
    rig.seconds(1.0);
    rig.pong(3);
    rig.asks(Bye, 3);
    insta::assert_snapshot!(rig.transcript());
}

#[test]
fn an_application_that_leaves() {
    let mut rig = Rig::new();
    rig.asks(Invite, 1);
    rig.app_replies(200, 1);
    rig.peer(request(Ack, 2).related(1));
    rig.release(Release::Finished);
    let Some(Message::Request(bye)) = rig.sent.last().cloned() else { panic!("a BYE") };
    rig.replies(200, bye.cseq.as_u64());
    rig.asks(Info, 3);
    insta::assert_snapshot!(rig.transcript());
}
