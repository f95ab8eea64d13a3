//! Services that no one should write. They are registered in this test's program alone.

use rtcd_sdk::prelude::*;

register_slp!("faulty", Faulty);
register_slp!("unborn", Unborn);
register_slp!("keep", Keep);

/// Goes wrong in the way that the Request-URI of its first request names.
#[derive(Debug)]
pub(crate) struct Faulty {
    case: String,
    waiting: Option<Incoming<Request, u8>>,
    cancelled: Option<TimerId>,
    seen: u64,
}

const BOB: u8 = 1;
const CAROL: u8 = 2;
const RELATED: u8 = 7;

impl Faulty {
    fn first(&mut self, cx: &mut Cx<u8>, request: &Incoming<Request, u8>) -> Outcome {
        match &*self.case {
            "panic" => panic!("on purpose"),
            "fail" => return Err(Fault::new("on purpose")),
            "ring, then panic" | "ring, then stay" => cx.reply(request, StatusCode::RINGING)?,
            "answer" | "answer, panic at INFO" | "panic at the end" => cx.reply(request, StatusCode::OK)?,
            "answer and finish" => {
                cx.reply(request, StatusCode::OK)?;
                cx.finish();
            }
            "two legs" | "two legs, finish" => {
                for (tag, user) in [(BOB, "bob@client.test"), (CAROL, "carol@client.test")] {
                    let invite = cx.request(Method::Invite, "faulty", user);
                    cx.open(tag, invite)?;
                }
            }
            "many legs" => {
                for _ in 0..4 {
                    let message = cx.request(Method::Message, "faulty", "bob@client.test");
                    cx.open(BOB, message)?;
                }
            }
            "timers" | "panic at a timer" => {
                cx.timer(Duration::from_millis(100));
                let second = cx.timer(Duration::from_millis(200));
                cx.timer(Duration::from_millis(300));
                cx.cancel_timer(second);
                self.cancelled = Some(second);
            }
            "relate" => {
                let id = cx.related_id(RELATED);
                let mut response = request.response(StatusCode::OK);
                response.headers.set_text("Body", &id);
                cx.send(request.leg, response)?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Slp for Faulty {
    type Leg = u8;
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        Self { case: String::new(), waiting: None, cancelled: None, seen: 0 }
    }

    async fn on_request(&mut self, cx: &mut Cx<u8>, request: Incoming<Request, u8>) -> Outcome {
        if request.tag == RELATED {
            self.seen += 1;
            if matches!(request.method, Method::Invite | Method::Info | Method::Message) {
                let mut response = request.response(StatusCode::OK);
                response.headers.set_text("Body", &format!("{} of {RELATED}", self.seen));
                cx.send(request.leg, response)?;
            }
            if &*request.uri == "finish" {
                cx.finish();
            }
            return Ok(());
        }
        if self.case.is_empty() {
            self.case = request.uri.to_string();
            self.first(cx, &request)?;
        } else if request.method == Method::Info
            || (request.method == Method::Message && self.case == "answer")
        {
            assert_ne!(self.case, "answer, panic at INFO", "on purpose");
            cx.reply(&request, StatusCode::OK)?;
        }
        match &*self.case {
            "sleep" => tokio::time::sleep(Duration::from_secs(60)).await,
            "panic later" => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                panic!("on purpose, after a while");
            }
            "ring, then panic" => {
                cx.flush().await;
                panic!("on purpose, after a 180");
            }
            "timers" | "many legs" => self.waiting = Some(request),
            _ => {}
        }
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut Cx<u8>, response: Incoming<Response, u8>) -> Outcome {
        match (&*self.case, response.tag, response.code.as_u16()) {
            ("two legs", BOB, 200) => panic!("on purpose, with legs"),
            ("two legs, finish", BOB, 200) => cx.finish(),
            ("many legs", _, 503) => self.seen += 1,
            ("many legs", _, 200) => {
                if let Some(request) = self.waiting.take() {
                    let mut response = request.response(StatusCode::OK);
                    response.headers.set_number("X-Refused", self.seen);
                    cx.send(request.leg, response)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn on_timer(&mut self, cx: &mut Cx<u8>, timer: TimerId) -> Outcome {
        assert_ne!(self.case, "panic at a timer", "on purpose");
        assert_ne!(Some(timer), self.cancelled);
        self.seen += 1;
        if let (2, Some(request)) = (self.seen, &self.waiting) {
            cx.reply(request, StatusCode::OK)?;
        }
        Ok(())
    }

    async fn on_end(&mut self, cx: &mut Cx<u8>, leg: LegId, tag: u8) -> Outcome {
        assert_ne!(self.case, "panic at the end", "on purpose");
        if self.case == "answer" && leg == LegId::FIRST {
            let mut term = cx.request(Method::Message, "faulty", "bob@client.test");
            term.headers.set_text("Body", &format!("the leg with tag {tag} has ended"));
            cx.open(BOB, term)?;
        }
        Ok(())
    }
}

/// Cannot be made.
#[derive(Debug)]
pub(crate) struct Unborn;

impl Slp for Unborn {
    type Leg = ();
    type Service = ();

    fn new(_: &Arc<()>) -> Self {
        panic!("on purpose, in new");
    }

    async fn on_request(&mut self, _: &mut Cx, _: Incoming<Request>) -> Outcome {
        Ok(())
    }
}

/// Asks its service task what the Request-URI says.
#[derive(Debug)]
pub(crate) struct Keep;

/// What the tasks of [`Keep`] share.
#[derive(Debug)]
pub(crate) struct Shared(Mailbox<Mail>);

/// Counts, and calls Bob.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    count: u64,
}

#[derive(Debug)]
pub(crate) struct Mail {
    what: String,
    reply: Reply<u64>,
}

impl Service for Shared {
    fn load(load: &Load) -> Result<Self, LoadError> {
        Ok(Self(load.spawn(Keeper::default())))
    }
}

impl Slp for Keep {
    type Leg = ();
    type Service = Shared;

    fn new(_: &Arc<Shared>) -> Self {
        Self
    }

    async fn on_request(&mut self, cx: &mut Cx<(), Shared>, request: Incoming<Request>) -> Outcome {
        let what = request.uri.to_string();
        let count = cx.service().0.ask(|reply| Mail { what, reply }).await?;
        let mut response = request.response(StatusCode::OK);
        response.headers.set_number("X-Count", count);
        Ok(cx.send(request.leg, response)?)
    }
}

impl ServiceTask for Keeper {
    type Leg = ();
    type Mail = Mail;

    async fn on_mail(&mut self, cx: &mut Cx, mail: Mail) -> Outcome {
        self.count += 1;
        match &*mail.what {
            "panic" => panic!("on purpose, in a service task"),
            "panic later" => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                panic!("on purpose, in a service task, after a while");
            }
            "fail" => return Err(Fault::new("on purpose")),
            "call" => {
                let invite = cx.request(Method::Invite, "keeper", "bob@client.test");
                cx.open((), invite)?;
            }
            _ => {}
        }
        // Who asked may be gone.
        let _ = mail.reply.send(self.count);
        Ok(())
    }

    async fn on_response(&mut self, cx: &mut Cx, response: Incoming<Response>) -> Outcome {
        if response.code == StatusCode::OK {
            let ack = cx.ack(&response);
            cx.send(response.leg, ack)?;
        }
        Ok(())
    }
}
