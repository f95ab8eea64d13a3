//! What plugins finish when the server stops.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use rtcd_sdk::prelude::*;
use rtcd_sdk::serde::Deserialize;
use rtcd_server::{Ended, Signal};
use tokio::time::Instant;

use crate::common::{Client, PATIENCE, Setup};

const ROUTES: &str = "
slps: {default: last, conformance: last}
routes: []
apis: {}
hops: []
";

/// The last work is done.
static HAS_FINISHED: AtomicBool = AtomicBool::new(false);

register_slp!("last", Last);

#[derive(Debug)]
struct Last;

#[derive(Debug, Default, Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
struct Settings {
    hangs: bool,
}

#[derive(Debug)]
struct AtStop;

impl Service for AtStop {
    fn load(load: &Load) -> Result<Self, LoadError> {
        let settings: Settings = load.settings()?;
        if settings.hangs {
            load.at_stop(pending::<()>);
        } else {
            load.at_stop(async || panic!("on purpose"));
            load.at_stop(|| async {
                tokio::task::yield_now().await;
                HAS_FINISHED.store(true, SeqCst);
            });
        }
        Ok(Self)
    }
}

impl Slp for Last {
    type Leg = ();
    type Service = AtStop;

    fn new(_: &Arc<AtStop>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), AtStop>, request: Incoming<Request>) -> Outcome {
        cx.reply(&request, StatusCode::OK)?;
        Ok(())
    }
}

#[tokio::test]
async fn they_are_waited_for_when_all_connections_are_closed() {
    let server = Setup::new().routes(ROUTES).start().await;
    let mut client = Client::connect(&server, "idle@a").await;
    server.until("connections", 1).await;
    server.signal(Signal::Stop).await;
    assert_eq!(client.close_code().await, 1001);
    assert_eq!(server.ended().await, Ended::Gracefully);
    assert!(HAS_FINISHED.load(SeqCst));
}

#[tokio::test]
async fn one_that_never_ends_does_not_hold_the_server_up() {
    let server = Setup::new().routes(ROUTES).service("last", "hangs: true").start().await;
    let since = Instant::now();
    server.signal(Signal::Stop).await;
    assert_eq!(server.ended().await, Ended::Gracefully);
    assert!((Duration::from_secs(1)..PATIENCE).contains(&since.elapsed()), "{:?}", since.elapsed());
}
