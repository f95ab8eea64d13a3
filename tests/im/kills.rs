//! 10,000 messages are stored for 100 users, and the process is killed again and again, while they are sent and while they are fetched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};

use crate::common::{Folder, PATIENCE, PORTS, Program, answer, fields, request};
use crate::user::User;

const MESSAGES: usize = 10_000;
const RECEIVERS: usize = 100;
const SENDERS: usize = 20;
/// Each sender has so many under way.
const WINDOW: usize = 16;
const KILLS: usize = 20;
/// So many of the kills come while messages are fetched.
const KILLS_OF_FETCHING: usize = 6;

/// The server's address; none while it is down.
type Address = watch::Receiver<Option<SocketAddr>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_is_lost_and_none_comes_twice() {
    let folder = Folder::new("im-kills");
    folder.write("conf/rtcd.yaml", PORTS);
    let mut server = Victim::start(&folder);
    let since = Instant::now();

    let stored = Arc::new(AtomicUsize::new(0));
    let tries = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let sender = Sender::new(number, stored.clone(), tries.clone());
            tokio::spawn(sender.run(server.address()))
        })
        .collect();
    let kills = KILLS - KILLS_OF_FETCHING;
    for kill in 1..=kills {
        until(&stored, MESSAGES * kill / (kills + 1)).await;
        server.again().await;
    }
    for sender in senders {
        timeout(8 * PATIENCE, sender).await.unwrap().unwrap();
    }
    assert_eq!(stored.load(Relaxed), MESSAGES);
    let sent_in = since.elapsed();

    let since = Instant::now();
    let fetched = Arc::new(AtomicUsize::new(0));
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|number| tokio::spawn(Receiver::new(number, fetched.clone()).run(server.address())))
        .collect();
    for kill in 1..=KILLS_OF_FETCHING {
        until(&fetched, MESSAGES * kill / (KILLS_OF_FETCHING + 1)).await;
        server.again().await;
    }
    let mut repeats = 0;
    for receiver in receivers {
        repeats += timeout(8 * PATIENCE, receiver).await.unwrap().unwrap().check();
    }
    println!(
        "{MESSAGES} messages sent in {sent_in:?} with {kills} kills, {} times; fetched in {:?} with {KILLS_OF_FETCHING} kills, {repeats} repeats",
        tries.load(Relaxed),
        since.elapsed(),
    );
    history(server.program.as_ref().unwrap()).await;
    server.end().await;
}

/// Each message is in it once.
async fn history(program: &Program) {
    let mut user = User::connect(program.rtc, &receiver(0), 0).await.unwrap();
    let token = user.register().await.unwrap()["Token"].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |path: &str| -> Value {
        let request = http.get(format!("http://{}/api/im/v1/{path}", program.rtc)).bearer_auth(&token);
        let answer = request.timeout(PATIENCE).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    };
    let conversations = ask("conversations").await;
    let conversations = conversations["conversations"].as_array().unwrap();
    assert_eq!(conversations.len(), SENDERS);
    for conversation in conversations {
        let with = conversation["with"].as_str().unwrap();
        let history = ask(&format!("history/{with}")).await;
        let messages = history["messages"].as_array().unwrap().iter();
        let ids: Vec<_> = messages.map(|message| message["id"].as_str().unwrap().to_owned()).collect();
        let sender = with.trim_start_matches("sender-").split('@').next().unwrap();
        let expected: Vec<_> =
            (0..Sender::PART).step_by(RECEIVERS).map(|number| format!("{sender}.{number}")).collect();
        assert_eq!(ids, expected, "{with}");
        assert_eq!(conversation["unread"], expected.len());
    }
}

/// Waits until so much is done.
async fn until(done: &AtomicUsize, count: usize) {
    let mut tick = interval(Duration::from_millis(2));
    let all = timeout(8 * PATIENCE, async {
        while done.load(Relaxed) < count {
            tick.tick().await;
        }
    });
    assert!(all.await.is_ok(), "{} of {count}", done.load(Relaxed));
}

/// The server that is killed.
struct Victim<'a> {
    folder: &'a Folder,
    program: Option<Program>,
    address: watch::Sender<Option<SocketAddr>>,
}

impl<'a> Victim<'a> {
    fn start(folder: &'a Folder) -> Self {
        let program = Program::start(folder);
        let address = watch::Sender::new(Some(program.rtc));
        Self { folder, program: Some(program), address }
    }

    fn address(&self) -> Address {
        self.address.subscribe()
    }

    async fn again(&mut self) {
        self.kill().await;
        let program = tokio::task::block_in_place(|| Program::start(self.folder));
        self.address.send_replace(Some(program.rtc));
        self.program = Some(program);
    }

    async fn kill(&mut self) {
        let program = self.program.take().unwrap();
        program.signal("KILL");
        self.address.send_replace(None);
        program.ended().await;
    }

    async fn end(mut self) {
        self.kill().await;
    }
}

/// Connects to the server that is up; waits for one.
async fn connect(address: &mut Address, name: &str, number: usize) -> User {
    loop {
        let rtc = timeout(PATIENCE, address.wait_for(Option::is_some)).await.unwrap().unwrap().unwrap();
        match User::connect(rtc, name, number).await {
            Ok(user) => return user,
            // It has been killed: there is another one, or will be.
            Err(_) => {
                let other = address.wait_for(|now| *now != Some(rtc));
                drop(timeout(PATIENCE, other).await.unwrap().unwrap());
            }
        }
    }
}

/// Sends its part to all receivers in turn. What is not acknowledged it sends again, with the same `Message-ID`.
struct Sender {
    name: String,
    number: usize,
    next: usize,
    /// In order, without an acknowledgement.
    open: VecDeque<usize>,
    stored: Arc<AtomicUsize>,
    tries: Arc<AtomicUsize>,
}

impl Sender {
    const PART: usize = MESSAGES / SENDERS;

    fn new(number: usize, stored: Arc<AtomicUsize>, tries: Arc<AtomicUsize>) -> Self {
        let name = format!("sender-{number}@im.test");
        Self { name, number, next: 0, open: VecDeque::new(), stored, tries }
    }

    async fn run(mut self, mut address: Address) {
        while self.next < Self::PART || !self.open.is_empty() {
            let mut user = connect(&mut address, &self.name, self.number).await;
            // Whatever breaks, breaks the connection.
            let _ = self.talk(&mut user).await;
        }
    }

    async fn talk(&mut self, user: &mut User) -> std::io::Result<()> {
        for number in self.open.clone() {
            user.send(&self.message(number)).await?;
        }
        loop {
            while self.open.len() < WINDOW && self.next < Self::PART {
                let number = self.next;
                self.next += 1;
                self.open.push_back(number);
                user.send(&self.message(number)).await?;
            }
            if self.open.is_empty() {
                return Ok(());
            }
            let response = user.recv().await?;
            let number: usize = response["DialogueID"].as_str().unwrap().parse().unwrap();
            match response["Code"].as_u64().unwrap() {
                202 => {
                    assert_eq!(response["Message-ID"], self.id(number));
                    self.open.retain(|open| *open != number);
                    self.stored.fetch_add(1, Relaxed);
                }
                // Not stored in time, or not now.
                408 | 503 => user.send(&self.message(number)).await?,
                _ => panic!("{}: {response}", self.name),
            }
        }
    }

    fn id(&self, number: usize) -> String {
        format!("{}.{number}", self.number)
    }

    fn message(&self, number: usize) -> Value {
        let try_ = self.tries.fetch_add(1, Relaxed) as u64;
        let to = receiver(number % RECEIVERS);
        let message = request("MESSAGE", &to, &self.name, &number.to_string(), try_ + 1);
        fields(message, json!({"Message-ID": self.id(number), "Body": {"number": number}}))
    }
}

fn receiver(number: usize) -> String {
    format!("receiver-{number}@im.test")
}

/// Registers and takes what comes, until it has all.
struct Receiver {
    name: String,
    number: usize,
    /// `Message-ID`s by sender, in the order in which they came first.
    came: BTreeMap<String, Vec<String>>,
    known: BTreeSet<(String, String)>,
    repeats: usize,
    fetched: Arc<AtomicUsize>,
}

impl Receiver {
    const PART: usize = MESSAGES / RECEIVERS;

    fn new(number: usize, fetched: Arc<AtomicUsize>) -> Self {
        let (came, known) = (BTreeMap::new(), BTreeSet::new());
        Self { name: receiver(number), number, came, known, repeats: 0, fetched }
    }

    async fn run(mut self, mut address: Address) -> Self {
        while self.known.len() < Self::PART {
            let mut user = connect(&mut address, &self.name, self.number).await;
            let _ = self.talk(&mut user).await;
        }
        self
    }

    async fn talk(&mut self, user: &mut User) -> std::io::Result<()> {
        user.register().await?;
        for message in user.early() {
            self.take(user, &message).await?;
        }
        while self.known.len() < Self::PART {
            let message = user.recv().await?;
            self.take(user, &message).await?;
        }
        Ok(())
    }

    async fn take(&mut self, user: &mut User, message: &Value) -> std::io::Result<()> {
        assert_eq!((&message["Type"], &message["To"]), (&json!("MESSAGE"), &json!(self.name)), "{message}");
        let text = |name: &str| message[name].as_str().unwrap().to_owned();
        let (sender, id) = (text("From"), text("Message-ID"));
        let number = id.split('.').nth(1).unwrap().parse::<usize>().unwrap();
        assert_eq!(message["Body"], json!({"number": number}));
        if self.known.insert((sender.clone(), id.clone())) {
            self.came.entry(sender).or_default().push(id);
            self.fetched.fetch_add(1, Relaxed);
        } else {
            self.repeats += 1;
        }
        user.send(&answer(message, 200)).await
    }

    /// All have come, each sender's in its order.
    fn check(self) -> usize {
        let senders = (0..SENDERS).map(|sender| {
            let numbers = (0..Sender::PART).filter(|number| number % RECEIVERS == self.number);
            let ids: Vec<_> = numbers.map(|number| format!("{sender}.{number}")).collect();
            (format!("sender-{sender}@im.test"), ids)
        });
        let expected: BTreeMap<_, _> = senders.collect();
        assert_eq!(self.came, expected, "{}", self.name);
        self.repeats
    }
}
