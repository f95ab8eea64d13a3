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
