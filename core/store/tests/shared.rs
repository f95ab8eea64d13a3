//! The one store of a process, as services get it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::message;
use rtcd_sdk::harness::Harness;
use rtcd_sdk::prelude::*;
use rtcd_store::Store;

/// A service that asks for the store twice, as two services would.
#[derive(Debug)]
struct Twice;

#[derive(Debug)]
struct Stores(Store, Store);

impl Service for Stores {
    fn load(load: &Load) -> Result<Self, LoadError> {
        Ok(Self(Store::shared(load)?, Store::shared(load)?))
    }
}

impl Slp for Twice {
    type Leg = ();
    type Service = Stores;

    fn new(_: &Arc<Stores>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), Stores>, request: Incoming<Request>) -> Outcome {
        let Stores(first, second) = &**cx.service();
        first.append(message("m1", "alice@t.com", "bob@t.com")).await.unwrap();
        let code = match second.pending_count("bob@t.com").await {
            Ok(1) => StatusCode::OK,
            Ok(_) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        cx.reply(&request, code)?;
        Ok(())
    }
}

#[test]
fn services_share_one_store_and_without_a_state_directory_it_is_in_memory() {
    let mut harness = Harness::<Twice>::new();
    let dialog = harness.dial(harness.first(Method::Message, "alice@t.com", "bob@t.com"));
    let [Message::Response(answer)] = harness.sent(dialog) else { panic!("{}", harness.log()) };
    assert_eq!(answer.code, StatusCode::OK);
}
