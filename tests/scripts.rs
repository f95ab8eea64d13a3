//! Scripts of `tests/scripts`, as any client can run them, against a whole server. What each user sent and received is the snapshot.

mod common;

use common::{Redactor, Setup, TestServer, play};

/// Runs a script as Alice; nothing is left afterwards.
async fn run(server: TestServer, script: &str) {
    let transcript = play(&server, "alice@client.test", script).end().await;
    insta::assert_snapshot!(script.replace('/', "_"), Redactor::new().redact(&transcript));
    server.end().await;
}

/// Each case of the service `conformance`, by its name; the settings shorten the timer that the case waits for.
mod conformance {
    use super::*;

    macro_rules! cases {
        ($($name:ident $settings:literal;)*) => {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let server = Setup::new().settings($settings).start().await;
                run(server, concat!("conformance/", stringify!($name))).await;
            }
        )*};
    }

    cases! {
        unknown_case "{}";
        recv_message "{}";
        recv_message_timeout "jsip: {transtimer: 300ms}";
        recv_invite "{}";
        recv_invite_timeout "jsip: {prtimer: 300ms}";
        recv_cancel "{}";
        recv_cancel_same_cseq "{}";
        recv_invite_session_timeout "jsip: {sessiontimer: 1s, min_expire: 1s}";
        send_error_msg "{}";
        send_bye_481 "{}";
        send_ack_no_session "{}";
        send_cancel_no_session "{}";
        send_resp_no_session "{}";
        send_update_no_session "{}";
        send_message "{}";
        send_message_timeout "jsip: {transtimer: 300ms}";
        // Half a minute: the case's own time.
        send_invite "{}";
        send_invite_timeout "jsip: {prtimer: 1s}";
        send_invite_session_timeout "jsip: {max_expire: 1s, min_expire: 1s, transtimer: 1s}";
        send_cancel "{}";
    }
}

/// Which service gets a new dialog: each rule, and that it goes before the next ones.
mod dispatch {
    use super::*;

    const ROUTES: &str = "
slps: {default: call, conformance: conformance, call: call}
routes:
  - {when: {method: MESSAGE, request_uri: 'rule:*'}, slp: conformance}
apis: {}
hops: []
";

    macro_rules! rules {
        ($($name:ident $script:literal;)*) => {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                run(Setup::new().routes(ROUTES).start().await, concat!("dispatch/", $script)).await;
            }
        )*};
    }

    rules! {
        a_related_id_goes_first "1_relid";
        then_the_type "2_type";
        then_the_rules_of_the_table "3_rules";
        then_the_label_of_the_host "4_label";
        then_the_default "5_default";
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn without_a_default_the_rest_is_404() {
        let routes = ROUTES.replace("default: call, ", "");
        run(Setup::new().routes(&routes).start().await, "dispatch/6_no_default").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_some_methods_open_a_dialog() {
        run(TestServer::start().await, "dispatch/7_methods").await;
    }
}

/// The rules of the chat room, each by one or two users.
mod chat {
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::time::interval;

    use super::*;

    const ROUTES: &str = "
slps: {default: chatroom, chatroom: chatroom}
routes: []
apis: {chatroom.v1: {impl: chatroom}}
hops: []
";

    const ALICE: &str = "alice@chat.test";
    const BOB: &str = "bob@chat.test";
    const CAROL: &str = "carol@chat.test";

    async fn start(settings: &str) -> TestServer {
        let setup = Setup::new().routes(ROUTES).settings(settings);
        setup.service("chatroom", "transtimer: 300ms").start().await
    }

    async fn alone(settings: &str, script: &str) {
        let server = start(settings).await;
        let transcript = play(&server, ALICE, script).end().await;
        insta::assert_snapshot!(script.replace('/', "_"), Redactor::new().redact(&transcript));
        server.end().await;
    }

    macro_rules! alone {
        ($($name:ident $settings:literal;)*) => {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                alone($settings, concat!("chat/", stringify!($name))).await;
            }
        )*};
    }

    alone! {
        refusals_join "{}";
        refusals_message "{}";
        unexpected "{}";
        join_refresh_leave "{}";
        two_members_on_one_socket "{}";
    }

    /// Bob joins, then Alice does what she does, and Bob sees it.
    async fn alice_to_bob(settings: &str, name: &str) {
        let server = start(settings).await;
        let mut bob = play(&server, BOB, &format!("chat/{name}_bob"));
        bob.saw("\"Code\":200", 1).await;
        let alice = play(&server, ALICE, &format!("chat/{name}_alice")).end().await;
        let bob = bob.end().await;
        insta::assert_snapshot!(format!("chat_{name}"), Redactor::new().redact(&format!("{alice}\n{bob}")));
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn fan_out() {
        alice_to_bob("{}", "fan_out").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_408_sends_it_again_at_once() {
        // As long as Bob's second answer may take on a busy machine.
        alice_to_bob("jsip: {transtimer: 2s}", "again_after_408").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn other_final_answers_end_it() {
        alice_to_bob("{}", "other_finals").await;
    }

    /// Waits until the API gives this for a path.
    async fn until(server: &TestServer, path: &str, expected: Value) {
        let mut tick = interval(Duration::from_millis(10));
        let waited = tokio::time::timeout(common::PATIENCE, async {
            while server.api("GET", path).await.1 != expected {
                tick.tick().await;
            }
        });
        assert!(waited.await.is_ok(), "{path} never gave {expected}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_does_not_refresh_is_dropped() {
        let server = start("jsip: {min_expire: 1s}").await;
        let joined = play(&server, ALICE, "chat/expiry_join").end().await;
        let alice_alone = json!({"code": 0, "msg": "OK", "room:888@rtc.test": {ALICE: ALICE}});
        until(&server, "/chatroom/v1/rooms/room:888@rtc.test", alice_alone).await;
        let after = play(&server, ALICE, "chat/expiry_after").end().await;
        until(&server, "/chatroom/v1/rooms", json!({"code": 0, "msg": "OK", "rooms": []})).await;
        insta::assert_snapshot!("chat_expiry", Redactor::new().redact(&format!("{joined}\n{after}")));
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_480_sends_it_again_until_the_member_is_there() {
        let server = start("{}").await;
        let alice = play(&server, ALICE, "chat/not_here_alice").end().await;
        let carol = play(&server, CAROL, "chat/not_here_carol").end().await;
        insta::assert_snapshot!("chat_not_here", Redactor::new().redact(&format!("{alice}\n{carol}")));
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_is_no_member_any_more_gets_nothing_more() {
        let server = start("{}").await;
        play(&server, ALICE, "chat/not_here_alice").end().await;
        let room = "/chatroom/v1/rooms/room:888@rtc.test";
        assert_eq!(server.api("DELETE", &format!("{room}/{CAROL}")).await.0, 200);
        // What comes to her first is what was said after she joined again.
        let mut carol = play(&server, CAROL, "chat/no_member_any_more_carol");
        carol.saw("\"Code\":200", 1).await;
        play(&server, ALICE, "chat/no_member_any_more_alice").end().await;
        carol.end().await;
        server.end().await;
    }

    /// The last two, in order, as they were sent; again to who comes again.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_joins_is_told_what_was_said() {
        let setup = Setup::new().routes(ROUTES).service("chatroom", "history: {on_join: 2}");
        let server = setup.start().await;
        let alice = play(&server, ALICE, "chat/history_alice").end().await;
        let bob = play(&server, BOB, "chat/history_bob").end().await;
        insta::assert_snapshot!("chat_history", Redactor::new().redact(&format!("{alice}\n{bob}")));
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_api_shows_rooms_and_drops_members() {
        let server = start("{}").await;
        let room = "/chatroom/v1/rooms/room:888@rtc.test";
        let mut seen = String::new();
        let mut ask = async |method: &str, path: &str| {
            let (status, answer) = server.api(method, path).await;
            seen += &format!("{method} {path}\n  {status} {answer}\n");
        };
        ask("GET", "/chatroom/v1/rooms").await;
        ask("GET", room).await;
        play(&server, ALICE, "chat/join_refresh_leave").end().await;
        play(&server, ALICE, "chat/not_here_alice").end().await;
        ask("GET", "/chatroom/v1/rooms").await;
        ask("GET", room).await;
        ask("DELETE", &format!("{room}/{BOB}")).await;
        ask("DELETE", &format!("{room}/{CAROL}")).await;
        ask("GET", room).await;
        ask("DELETE", &format!("{room}/{ALICE}")).await;
        ask("GET", "/chatroom/v1/rooms").await;
        ask("GET", "/chatroom/v1/nothing").await;
        ask("POST", "/chatroom/v1/rooms").await;
        insta::assert_snapshot!("chat_api", seen);
        server.end().await;
    }
}

/// REGISTER, and presence by SUBSCRIBE and NOTIFY, with the routes that come with the server.
mod presence {
    use serde_json::json;

    use super::*;

    const ROUTES: &str = include_str!("../routes.yaml");

    const ALICE: &str = "alice@presence.test&device=phone";
    const DESK: &str = "bob@presence.test&device=desk";
    const PHONE: &str = "bob@presence.test&device=phone";

    async fn start(settings: &str) -> TestServer {
        Setup::new().routes(ROUTES).settings(settings).start().await
    }

    macro_rules! alone {
        ($($name:ident $settings:literal;)*) => {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let server = start($settings).await;
                let script = concat!("presence/", stringify!($name));
                let transcript = play(&server, ALICE, script).end().await;
                insta::assert_snapshot!(script.replace('/', "_"), Redactor::new().redact(&transcript));
                server.end().await;
            }
        )*};
    }

    alone! {
        register "{}";
        refusals "{}";
        its_time "jsip: {min_expire: 1s}";
    }

    /// One change after the other, each when the one before has been told.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_devices_are_watched() {
        let server = start("{}").await;
        let mut alice = play(&server, ALICE, "presence/alice");
        let mut bobs = String::new();
        let steps = [(DESK, "online"), (PHONE, "busy"), (PHONE, "away"), (DESK, "leaves")];
        for (told, (device, script)) in (1..).zip(steps) {
            alice.saw("NOTIFY", told).await;
            bobs += &play(&server, device, &format!("presence/bob_{script}")).end().await;
        }
        let alice = alice.end().await;
        insta::assert_snapshot!("presence_two_devices", Redactor::new().redact(&format!("{alice}\n{bobs}")));
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_api_shows_users_and_drops_devices() {
        let server = start("{}").await;
        play(&server, DESK, "presence/bob_online").end().await;
        play(&server, PHONE, "presence/bob_busy").end().await;
        let bob = "/registrar/v1/users/bob@presence.test";
        assert_eq!(
            server.api("GET", "/registrar/v1/users").await,
            (200, json!({"code": 0, "msg": "OK", "users": ["bob@presence.test"], "next": null}))
        );
        let mut seen = server.api("GET", bob).await;
        for contact in seen.1["contacts"].as_array_mut().unwrap() {
            assert!(contact["expires"].as_u64().is_some_and(|left| left <= 300));
            contact["expires"] = json!(300);
        }
        let expected = json!({"code": 0, "msg": "OK", "user": "bob@presence.test", "state": "busy", "contacts": [
            {"contact": "bob@presence.test;device=desk", "device": "desk", "state": "online", "expires": 300},
            {"contact": "bob@presence.test;device=phone", "device": "phone", "state": "busy", "expires": 300},
        ]});
        assert_eq!(seen, (200, expected));
        assert_eq!(server.api("DELETE", &format!("{bob}/phone")).await.0, 200);
        assert_eq!(server.api("GET", bob).await.1["state"], "online");
        assert_eq!(server.api("DELETE", &format!("{bob}/phone")).await.0, 404);
        server.end().await;
    }
}

/// Messages between users, with the routes that come with the server.
mod im {
    use super::*;

    const ROUTES: &str = include_str!("../routes.yaml");

    const ALICE: &str = "alice@im.test&device=phone";
    const ALICES_DESK: &str = "alice@im.test&device=desk";
    const DESK: &str = "bob@im.test&device=desk";
    const PHONE: &str = "bob@im.test&device=phone";

    async fn start(settings: &'static str) -> TestServer {
        let setup = Setup::new().routes(ROUTES).settings("jsip: {transtimer: 30s}");
        setup.service("im", settings).start().await
    }

    fn snapshot(name: &str, transcripts: &[String]) {
        insta::assert_snapshot!(name, Redactor::new().redact(&transcripts.join("\n")));
    }

    /// Bob's phone registers, then Alice does what she does.
    async fn alice_to_bob(settings: &'static str, name: &str) {
        let server = start(settings).await;
        let mut bob = play(&server, PHONE, &format!("im/{name}_bob"));
        bob.saw("\"Code\":200", 1).await;
        let alice = play(&server, ALICE, &format!("im/{name}_alice")).end().await;
        snapshot(&format!("im_{name}"), &[alice, bob.end().await]);
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_devices_get_it_and_the_first_answer_counts() {
        let server = start("{patience: 20s, deadline: 25s}").await;
        let mut others = Vec::new();
        for (user, script) in
            [(PHONE, "im/live_bob_phone"), (DESK, "im/live_bob_desk"), (ALICES_DESK, "im/live_alice_desk")]
        {
            let mut other = play(&server, user, script);
            other.saw("\"Code\":200", 1).await;
            others.push(other);
        }
        let mut transcripts = vec![play(&server, ALICE, "im/live_alice").end().await];
        for other in others {
            transcripts.push(other.end().await);
        }
        snapshot("im_live", &transcripts);
        server.end().await;
    }

    /// With receipts, which are stored as well.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_sent_to_somebody_absent_comes_when_he_registers() {
        let server = start("{}").await;
        let mut transcripts = Vec::new();
        for (user, script) in
            [(ALICE, "im/absent_alice"), (PHONE, "im/absent_bob"), (ALICE, "im/absent_alice_again")]
        {
            transcripts.push(play(&server, user, script).end().await);
        }
        snapshot("im_absent", &transcripts);
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_late_answer_counts() {
        alice_to_bob("{patience: 100ms}", "late").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_not_taken_comes_again_as_the_same_message() {
        alice_to_bob("{}", "redelivery").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn refusals() {
        let server = start("{}").await;
        snapshot("im_refusals", &[play(&server, ALICE, "im/refusals").end().await]);
        server.end().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sender_has_a_tenth_of_a_mailbox() {
        let server = start("{max_stored: 20}").await;
        snapshot("im_full", &[play(&server, ALICE, "im/full").end().await]);
        server.end().await;
    }
}
