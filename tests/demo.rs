//! The README's first minute: its second command, against a server with the routes of the repository.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::sync::{Arc, Mutex};

use common::Setup;
use rtest::Transcript;

#[tokio::test]
async fn a_chat_message_and_a_whole_call() {
    let server = Setup::new().routes(include_str!("../routes.yaml")).start().await;
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let transcript = Transcript::new(move |line| *sink.lock().unwrap() += &format!("{line}\n"));
    rtest::demo(&format!("ws://{}/rtc", server.rtc), &transcript).await.unwrap();
    let seen = lines.lock().unwrap().clone();
    assert!(seen.contains("A chat message and a whole call went through."), "{seen}");
    assert_eq!(seen.matches("\"Type\":\"INVITE\"").count(), 2, "one on each leg: {seen}");
    server.end().await;
}
