//! Three users with two devices each, each of which watches the two other users: from every pair of states, each device goes by
//! every way to every state. Who is told what is compared with what the states say, and written as a table.

use std::time::Duration;

use rtcd_sdk::Peer;
use rtcd_sdk::serde_json::{Value, json};

use crate::desk::{ALICE, BOB, CAROL, Desk, desk, phone};

const USERS: [&str; 3] = [ALICE, BOB, CAROL];
const NAMES: [&str; 2] = ["desk", "phone"];

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Gone,
    Online,
    Busy,
    Away,
}

/// What happens to it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Register(Is),
    Unregister,
    Expire,
    Delete,
    /// Another service sees a 480.
    NotThere,
}

const STATES: [Is; 4] = [Is::Gone, Is::Online, Is::Busy, Is::Away];

const STEPS: [Step; 7] = [
    Step::Register(Is::Online),
    Step::Register(Is::Busy),
    Step::Register(Is::Away),
    Step::Unregister,
    Step::Expire,
    Step::Delete,
    Step::NotThere,
];

#[test]
fn three_users_with_two_devices_each() {
    let [alice, bob, carol] = USERS.map(walk);
    // But for the names the tables are the same.
    let anonymous = |table: &str, user: &str| {
        let others = USERS.into_iter().filter(|other| *other != user).zip(["B", "C"]);
        others.fold(table.to_owned(), |table, (user, name)| table.replace(short(user), name))
    };
    assert_eq!(anonymous(&alice, ALICE), anonymous(&bob, BOB));
    assert_eq!(anonymous(&alice, ALICE), anonymous(&carol, CAROL));
    insta::assert_snapshot!(alice);
}

/// All steps of a user from all states.
fn walk(user: &str) -> String {
    let mut table = String::from("desk   phone  | what happens           | desk   phone  | user   | told\n");
    table += "--------------|------------------------|---------------|--------|------------------------------------\n";
    for (index, before) in STATES.into_iter().flat_map(|desk| STATES.map(|phone| [desk, phone])).enumerate() {
        let mut office = everybody_watches();
        // Whatever the others are.
        for other in USERS.into_iter().filter(|other| *other != user) {
            bring(&mut office, other, [STATES[index % 3], STATES[(index + 1) % 4]]);
        }
        for (device, step) in (0..2).flat_map(|device| STEPS.map(|step| (device, step))) {
            bring(&mut office, user, before);
            office.told();
            if let Some(row) = take(&mut office, user, before, device, step) {
                table += &row;
            }
        }
    }
    table
}

/// Each device watches the two other users.
fn everybody_watches() -> Desk {
    let mut office = Desk::new();
    for watcher in USERS {
        for device in [desk(watcher), phone(watcher)] {
            for watched in USERS.into_iter().filter(|user| *user != watcher) {
                office.watches(&device, watched);
            }
        }
    }
    assert_eq!(office.told().len(), 12);
    office
}

/// One step: a row of the table, if there is such a step.
fn take(office: &mut Desk, user: &str, before: [Is; 2], device: usize, step: Step) -> Option<String> {
    let mut after = before;
    after[device] = match step {
        Step::Register(is) => is,
        Step::Expire | Step::Delete if before[device] == Is::Gone => return None,
        Step::Unregister | Step::Expire | Step::Delete | Step::NotThere => Is::Gone,
    };
    go(office, user, device, step, before[device]);
    let mut told = office.told();
    told.sort_by(|one, other| one.to.cmp(&other.to));
    let to: Vec<_> = told.iter().map(|notify| notify.to.clone()).collect();
    let expected = if before == after { Vec::new() } else { watchers(user) };
    let row = format!("{before:?} {} {step:?}", NAMES[device]);
    assert_eq!(to, expected, "{user}: {row}");
    for notify in &told {
        assert_eq!(notify.body, document(user, after), "{user}: {row}");
    }
    let [desk, phone] = before.map(text);
    let [desk_after, phone_after] = after.map(text);
    let what = format!("{} {}", NAMES[device], name(step));
    let state = document(user, after)["state"].as_str().unwrap().to_owned();
    let told = if told.is_empty() { "nobody".to_owned() } else { by_user(&to) };
    Some(format!(
        "{desk:<6} {phone:<6} | {what:<22} | {desk_after:<6} {phone_after:<6} | {state:<6} | {told}\n"
    ))
}

/// Makes a user's devices what they have to be.
fn bring(office: &mut Desk, user: &str, states: [Is; 2]) {
    for (device, is) in states.into_iter().enumerate() {
        match is {
            Is::Gone => office.leaves(&peer(user, device)),
            Is::Online | Is::Busy | Is::Away => office.is(&peer(user, device), text(is)),
        }
    }
}

fn go(office: &mut Desk, user: &str, device: usize, step: Step, before: Is) {
    let peer = peer(user, device);
    match step {
        Step::Register(is) => office.is(&peer, text(is)),
        Step::Unregister => office.leaves(&peer),
        Step::Expire => {
            let mut short = office.register(&peer, 1);
            short.headers.set_text("Presence", text(before));
            office.ask(&peer, short);
            assert!(office.told().is_empty());
            office.harness.advance(Duration::from_secs(1));
        }
        Step::Delete => {
            let path = format!("/users/{user}/{}", NAMES[device]);
            assert_eq!(office.call("DELETE", &path).0, 200);
        }
        Step::NotThere => {
            office.gone(&peer);
            office.harness.advance(Duration::ZERO); // it hears of it
        }
    }
}

fn peer(user: &str, device: usize) -> Peer {
    Peer::new(user, Some(NAMES[device]))
}

/// Where a change of this user is told.
fn watchers(user: &str) -> Vec<String> {
    let others = USERS.into_iter().filter(|other| *other != user);
    others.flat_map(|other| [desk(other), phone(other)]).map(|peer| peer.to_string()).collect()
}

/// What is told of a user: written down once more, not by the program's own rule.
fn document(user: &str, states: [Is; 2]) -> Value {
    let state = match states {
        [Is::Busy, _] | [_, Is::Busy] => "busy",
        [Is::Online, _] | [_, Is::Online] => "online",
        [Is::Away | Is::Gone, Is::Away | Is::Gone] => "away",
    };
    let devices = states.into_iter().enumerate().filter(|(_, is)| *is != Is::Gone);
    let devices = devices.map(|(device, is)| json!({"device": NAMES[device], "state": text(is)}));
    json!({"user": user, "state": state, "devices": devices.collect::<Vec<_>>()})
}

fn text(is: Is) -> &'static str {
    match is {
        Is::Gone => "-",
        Is::Online => "online",
        Is::Busy => "busy",
        Is::Away => "away",
    }
}

fn name(step: Step) -> String {
    match step {
        Step::Register(is) => format!("registers {}", text(is)),
        Step::Unregister => "unregisters".to_owned(),
        Step::Expire => "expires".to_owned(),
        Step::Delete => "is deleted".to_owned(),
        Step::NotThere => "is not there".to_owned(),
    }
}

fn short(user: &str) -> &str {
    user.split('@').next().unwrap_or_default()
}

/// `bob: desk phone, carol: desk phone`
fn by_user(told: &[String]) -> String {
    let of = |user: &str| {
        let devices = told.iter().filter_map(|to| to.strip_prefix(user)?.strip_prefix(";device="));
        (short(user).to_owned(), devices.collect::<Vec<_>>().join(" "))
    };
    let all = USERS.into_iter().map(of).filter(|(_, devices)| !devices.is_empty());
    all.map(|(user, devices)| format!("{user}: {devices}")).collect::<Vec<_>>().join(", ")
}
