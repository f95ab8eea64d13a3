//! What a task and a service task can rely on, seen through the harness.
#![expect(clippy::panic, reason = "a test")]

use rtcd_sdk::NoAnswer;
use rtcd_sdk::harness::Harness;
use rtcd_sdk::prelude::*;

/// Does what the Request-URI of its first request says.
struct Doer {
    timer: Option<TimerId>,
    first: Option<Incoming<Request, &'static str>>,
}

/// A service task beside it, and its mailbox.
struct Shared {
    echo: Mailbox<Ask>,
}

struct Ask {
    what: String,
    reply: Reply<String>,
}

#[derive(Default)]
struct Echo {
    mails: u32,
}

impl Service for Shared {
    fn load(load: &Load) -> Result<Self, LoadError> {
        Ok(Self { echo: load.spawn(Echo::default()) })
    }
}

impl ServiceTask for Echo {
    type Leg = ();
    type Mail = Ask;

    async fn on_mail(&mut self, cx: &mut Cx, mail: Ask) -> Outcome {
        self.mails += 1;
        match mail.what.as_str() {
            "panic" => panic!("as asked"),
            "fail" => return Err(Fault::new("as asked")),
            "open" => {
                let message = cx.request(Method::Message, "echo", "bob");
                cx.open((), message)?;
            }
            _ => {}
        }
        let _ = mail.reply.send(format!("{} {}", mail.what, self.mails));
        Ok(())
    }
}

impl Slp for Doer {
    type Leg = &'static str;
    type Service = Shared;

    fn new(_: &Arc<Shared>) -> Self {
        Self { timer: None, first: None }
    }

    async fn on_request(
        &mut self,
        cx: &mut Cx<&'static str, Shared>,
        request: Incoming<Request, &'static str>,
    ) -> Outcome {
        if self.first.is_some() {
            let mut response = request.response(StatusCode::OK);
            response.headers.set_text("X-Tag", request.tag);
            return Ok(cx.send(request.leg, response)?);
        }
        match &*request.uri {
            "timer" => {
                self.timer = Some(cx.timer(Duration::from_secs(2)));
                cx.timer(Duration::from_secs(1));
            }
            "relate" => {
                cx.reply(&request, StatusCode::OK)?;
                let id = cx.related_id("guest");
                assert_eq!(id, "rel_1");
            }
            "panic" => panic!("as asked"),
            "fail" => return Err(Fault::new("as asked")),
            "flush" => {
                cx.reply(&request, StatusCode::RINGING)?;
                cx.flush().await;
                cx.reply(&request, StatusCode::OK)?;
            }
            "stray" => {
                for method in [Method::Ack, Method::Bye, Method::Cancel] {
                    let stray = cx.request(method, "a", "b");
                    assert_eq!(cx.open("", stray), Err(SendError::NoSession(method)));
                }
                let mut incomplete = cx.request(Method::Message, "a", "b");
                incomplete.from = ByteString::new();
                assert_eq!(cx.open("", incomplete), Err(SendError::Missing("From")));
                cx.finish();
            }
            what => {
                let what = what.to_owned();
                let answer = cx.service().clone().echo.ask(|reply| Ask { what, reply }).await;
                let text = answer.unwrap_or_else(|problem| problem.to_string());
                let mut response = request.response(StatusCode::OK);
                response.headers.set_text("Body", &text);
                cx.send(request.leg, response)?;
            }
        }
        self.first = Some(request);
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut Cx<&'static str, Shared>, timer: TimerId) -> Outcome {
        assert_ne!(Some(timer), self.timer, "it was taken back");
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        if let Some(first) = &self.first {
            cx.reply(first, StatusCode::OK)?;
        }
        Ok(())
    }
}

fn run(uri: &str) -> Harness<Doer> {
    let mut harness = Harness::new();
    let message = harness.first(Method::Message, "alice", uri);
    harness.dial(message);
    harness.take_log();
    harness
}

fn log_of(uri: &str) -> String {
    let mut harness = Harness::<Doer>::new();
    let message = harness.first(Method::Message, "alice", uri);
    harness.dial(message);
    harness.take_log().lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[test]
fn timers_and_one_that_is_taken_back() {
    let mut harness = run("timer");
    harness.advance(Duration::from_secs(5));
    assert_eq!(harness.log(), "-- 5s\n< in_1 200 OK 1\n");
}

#[test]
fn a_task_ends_with_its_last_dialog_unless_it_holds_a_timer_or_a_related_id() {
    for (uri, tasks) in [("ask", 0), ("timer", 1), ("relate", 1)] {
        let mut harness = Harness::<Doer>::new();
        let message = harness.first(Method::Message, "alice", uri);
        let dialog = harness.dial(message);
        harness.ended(dialog);
        assert_eq!(harness.tasks(), tasks, "{uri}");
    }
}

#[test]
fn a_related_id_brings_other_peers_dialogs() {
    let mut harness = run("relate");
    let mut guest = harness.first(Method::Message, "bob", "anything");
    guest.router = Some("test.local;relid=rel_1".into());
    harness.dial(guest);
    assert!(harness.log().ends_with("< in_2 200 OK 1 X-Tag=\"guest\"\n"), "{}", harness.log());
    assert_eq!(harness.tasks(), 1);
}

#[test]
fn a_panic_or_an_error_ends_the_task_alone() {
    assert_eq!(log_of("panic"), "== task 1 panicked: as asked");
    assert_eq!(log_of("fail"), "== task 1 failed: as asked");
}

#[test]
fn what_was_sent_leaves_before_the_handler_goes_on() {
    assert_eq!(log_of("flush"), "< in_1 180 Ringing 1\n< in_1 200 OK 1");
}

#[test]
fn what_the_message_itself_shows_is_refused_at_once() {
    assert_eq!(log_of("stray"), "== task 1 ends");
}

#[test]
fn a_service_task_survives_its_faults() {
    let mut harness = Harness::<Doer>::new();
    let echo = harness.api().service::<Shared>().map(|shared| shared.echo.clone()).unwrap();
    let answers = ["one", "panic", "fail", "two"].map(|what| {
        let what = what.to_owned();
        harness.block_on(echo.ask(|reply| Ask { what, reply }))
    });
    let dropped = Err(NoAnswer::Dropped);
    assert_eq!(answers, [Ok("one 1".to_owned()), dropped.clone(), dropped, Ok("two 4".to_owned())]);
    assert_eq!(harness.log(), "!! service task panicked: as asked\n!! service task failed: as asked\n");
}

#[test]
fn a_service_task_opens_dialogs_and_a_full_mailbox_says_so() {
    let mut harness = run("open");
    assert_eq!(harness.opened().len(), 1);
    harness.limit_mailboxes(0);
    let message = harness.first(Method::Message, "alice", "ask");
    harness.dial(message);
    assert!(harness.log().ends_with("< in_2 200 OK 1 Body=\"the service is busy\"\n"));
}
