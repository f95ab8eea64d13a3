//! What was answered 202 survives the process.

use crate::common::{Folder, PORTS, Program};
use crate::user::User;

const ALICE: &str = "alice@im.test";
const BOB: &str = "bob@im.test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_to_somebody_absent_arrives_after_a_kill() {
    let folder = Folder::new("im-restart");
    folder.write("conf/rtcd.yaml", PORTS);
    let program = Program::start(&folder);
    let mut alice = User::connect(program.rtc, ALICE, 0).await.unwrap();
    let accepted = alice.say(BOB, "hello").await;
    assert_eq!(accepted["Code"], 202, "{accepted}");
    program.signal("KILL");
    program.ended().await;

    // He has it before him, but the server never hears of it.
    let program = Program::start(&folder);
    let mut bob = User::connect(program.rtc, BOB, 1).await.unwrap();
    assert_eq!(bob.register().await.unwrap()["Code"], 200);
    let first = bob.request().await;
    program.signal("KILL");
    program.ended().await;

    let program = Program::start(&folder);
    let mut bob = User::connect(program.rtc, BOB, 1).await.unwrap();
    bob.register().await.unwrap();
    let again = bob.hears("hello").await;
    for field in ["Message-ID", "Date", "From", "To", "Body"] {
        assert_eq!(
            (&first[field], &again[field]),
            (&accepted_or(&accepted, &again, field), &again[field]),
            "{field}"
        );
    }

    // Alice hears of it when she comes.
    let mut alice = User::connect(program.rtc, ALICE, 0).await.unwrap();
    alice.register().await.unwrap();
    let receipt = alice.request().await;
    assert_eq!(receipt["Content-Type"], "receipt", "{receipt}");
    assert_eq!(receipt["Body"], serde_json::json!({"delivered": ["hello"]}));
    program.signal("KILL");
    program.ended().await;
}

/// What the answer says of the message, or else what came the second time.
fn accepted_or(accepted: &serde_json::Value, again: &serde_json::Value, field: &str) -> serde_json::Value {
    match field {
        "Message-ID" | "Date" => accepted[field].clone(),
        _ => again[field].clone(),
    }
}
