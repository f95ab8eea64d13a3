//! Whatever happens, in whatever order: each message has one answer in time, what was answered 200 or 202 arrives, and on no device does a
//! message of a sender come before an earlier one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::harness::Dialog;
use rtcd_sdk::jsip::StatusCode;

use super::office::{ALICE, AWAY, BOB, BUSY, CAROL, NO, OK, Office, Said, TIMEOUT, desk, phone, text};

#[test]
fn nothing_is_lost_and_nothing_overtakes() {
    for seed in 1..120 {
        Run::new(seed, Trouble::Fills).whole();
    }
}

/// What cannot be read is sent later than what is new.
#[test]
fn nothing_is_lost_if_the_store_dies_and_comes_back() {
    for seed in 1..120 {
        Run::new(seed, Trouble::Dies).whole();
    }
}

/// What cannot be taken for a while is sent later than what is behind it.
#[test]
fn nothing_is_lost_if_devices_often_cannot_take_it() {
    for seed in 1..120 {
        Run::new(seed, Trouble::Declined).whole();
    }
}

/// What nobody wants who is there is sent later than what is behind it.
#[test]
fn nothing_is_lost_if_devices_often_refuse_it() {
    for seed in 1..120 {
        Run::new(seed, Trouble::Refused).whole();
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The disk is full now and then.
    Fills,
    /// The store is dead now and then.
    Dies,
    /// As [`Fills`](Self::Fills), and devices say 503.
    Declined,
    /// As [`Fills`](Self::Fills), and devices say 405.
    Refused,
}

struct Run {
    seed: u64,
    random: u64,
    trouble: Trouble,
    office: Office,
    devices: [Peer; 2],
    /// Copies that a device has before it, in order: as on a socket.
    before: BTreeMap<String, VecDeque<Dialog>>,
    seen_copies: BTreeSet<Dialog>,
    /// What a device has taken, by sender, without repeats.
    taken: BTreeMap<(String, String), Vec<u32>>,
    seen: BTreeSet<(String, String, u32)>,
    said: Vec<(Said, String, u32)>,
    /// Those without an answer, and when their time is over.
    open: Vec<(Said, Duration)>,
    passed: Duration,
    numbers: BTreeMap<String, u32>,
}

impl Run {
    fn new(seed: u64, trouble: Trouble) -> Self {
        Self {
            seed,
            trouble,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            office: Office::with_settings("{patience: 2s, retry: 5s}"),
            devices: [phone(BOB), desk(BOB)],
            before: BTreeMap::new(),
            seen_copies: BTreeSet::new(),
            taken: BTreeMap::new(),
            seen: BTreeSet::new(),
            said: Vec::new(),
            open: Vec::new(),
            passed: Duration::ZERO,
            numbers: BTreeMap::new(),
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    fn whole(mut self) {
        for _ in 0..120 {
            let device = self.devices[self.draw(2)].clone();
            match self.draw(16) {
                0..=4 => self.say(),
                6 | 7 if self.trouble == Trouble::Declined => self.answer(&device, BUSY),
                6 | 7 if self.trouble == Trouble::Refused => self.answer(&device, NO),
                5..=7 => self.answer(&device, OK),
                8 => self.answer(&device, TIMEOUT),
                9 => {
                    let code = [AWAY, BUSY][self.draw(2)];
                    self.answer(&device, code);
                }
                10 => self.office.registers(&device),
                11 => self.office.gone(&device),
                12 => {
                    let ms = [1, 300, 2000, 5000][self.draw(4)];
                    self.pass(Duration::from_millis(ms));
                }
                13 => self.office.database().set_slow(true),
                14 => self.be_quick(),
                _ => {
                    let is_full = self.draw(3) == 0;
                    match self.trouble {
                        Trouble::Fills | Trouble::Declined | Trouble::Refused => {
                            self.office.database().set_full(is_full);
                        }
                        Trouble::Dies => self.office.database().set_dead(is_full),
                    }
                }
            }
            self.look();
        }
        self.end();
    }

    fn say(&mut self) {
        let sender = [ALICE, CAROL][self.draw(2)];
        let number = self.numbers.entry(sender.to_owned()).or_default();
        *number += 1;
        let number = *number;
        let said = self.office.say(&phone(sender), BOB, &number.to_string());
        self.said.push((said, sender.to_owned(), number));
        self.open.push((said, self.passed + Duration::from_secs(4)));
    }

    /// No sender waits for longer than its stack does.
    fn pass(&mut self, time: Duration) {
        self.office.passes(time);
        self.passed += time;
        self.open.retain(|(said, _)| self.office.code(*said).is_none());
        for (said, until) in &self.open {
            let log = self.office.log();
            assert!(*until > self.passed, "seed {}: no answer for {said:?}\n{log}", self.seed);
        }
    }

    fn be_quick(&mut self) {
        self.office.database().set_slow(false);
        self.office.goes_on();
    }

    /// A device does something with the first copy before it.
    fn answer(&mut self, device: &Peer, code: StatusCode) {
        let name = device.to_string();
        let Some(copy) = self.before.entry(name.clone()).or_default().pop_front() else { return };
        if code == OK {
            let request = self.office.copy(copy);
            let (sender, number) = (request.from.to_string(), text(request).parse().unwrap());
            if self.seen.insert((name.clone(), sender.clone(), number)) {
                self.taken.entry((name, sender)).or_default().push(number);
            }
        }
        self.office.answers(copy, code);
    }

    /// What was sent since.
    fn look(&mut self) {
        for device in self.devices.clone() {
            let copies = self.office.copies(&device);
            let queue = self.before.entry(device.to_string()).or_default();
            for copy in copies {
                let is_new = self.seen_copies.insert(copy);
                if is_new {
                    queue.push_back(copy);
                }
            }
        }
    }

    /// All goes well for a while.
    fn end(&mut self) {
        self.office.database().set_full(false);
        self.office.database().set_dead(false);
        self.be_quick();
        for device in self.devices.clone() {
            self.office.gone(&device);
        }
        for device in self.devices.clone() {
            self.office.registers(&device);
        }
        self.look();
        for _ in 0..20 {
            while self.before.values().any(|queue| !queue.is_empty()) {
                for device in self.devices.clone() {
                    self.answer(&device, OK);
                }
                self.look();
            }
            self.pass(Duration::from_secs(1));
            self.look();
        }
        self.check();
    }

    fn check(&mut self) {
        let seed = self.seed;
        for ((device, sender), numbers) in &self.taken {
            assert!(
                self.trouble != Trouble::Fills || numbers.is_sorted(),
                "seed {seed}: {sender} to {device}: {numbers:?}\n{}",
                self.office.log()
            );
        }
        for (said, sender, number) in &self.said {
            let code = self.office.code(*said);
            let is_there = self.seen.iter().any(|(_, from, taken)| from == sender && taken == number);
            match code {
                Some(200 | 202) => {
                    assert!(is_there, "seed {seed}: {number} of {sender} is lost\n{}", self.office.log());
                }
                Some(503) => {}
                other => panic!("seed {seed}: {number} of {sender}: {other:?}\n{}", self.office.log()),
            }
        }
        let said: Vec<_> = self.said.iter().map(|(said, ..)| *said).collect();
        self.office.all_done(&said);
        assert_eq!(self.office.stored_for(BOB), 0, "seed {seed}");
    }
}
