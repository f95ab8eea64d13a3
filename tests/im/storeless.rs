//! Without a store: what needs it is refused, all else goes on, and when it is back all is as before.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::common::{Folder, PATIENCE, PORTS, Program, answer};
use crate::user::User;

const ALICE: &str = "alice@im.test";
const BOB: &str = "bob@im.test";
const CAROL: &str = "carol@im.test";

/// However slow the machine is, a message that arrives is not stored.
fn patient(folder: &Folder) -> &Folder {
    folder
        .write("conf/rtcd.yaml", &format!("{PORTS}jsip: {{transtimer: 30s}}\n"))
        .write("conf/im.yaml", "patience: 20s\ndeadline: 25s\n")
}

/// Alice sends to Bob, who is there: it arrives.
async fn live(alice: &mut User, bob: &mut User, text: &str) {
    let message = json!({"Message-ID": text, "Body": text});
    let (answer, _) = tokio::join!(alice.ask("MESSAGE", BOB, message), bob.hears(text));
    let answer = answer.unwrap();
    assert_eq!(answer["Code"], 200, "{answer}");
}

/// Sends again until it is stored, as a client would that has a 503.
async fn until_stored(alice: &mut User, to: &str, text: &str) -> Value {
    let mut tick = interval(Duration::from_millis(20));
    let stored = timeout(PATIENCE, async {
        loop {
            tick.tick().await;
            let answer = alice.say(to, text).await;
            match answer["Code"].as_u64() {
                Some(202) => return answer,
                Some(503) => {}
                _ => panic!("{answer}"),
            }
        }
    });
    stored.await.unwrap()
}

async fn there(program: &Program, name: &str) -> User {
    let mut user = User::connect(program.rtc, name, 1).await.unwrap();
    assert_eq!(user.register().await.unwrap()["Code"], 200);
    user
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database() {
    let folder = Folder::new("im-dead");
    std::fs::create_dir_all(folder.path().join("state")).unwrap();
    patient(&folder).write("conf/store.yaml", "retry: 50ms\n");
    folder.write("state/messages.db", &"this is no database\n".repeat(1000));
    let program = Program::start(&folder);
    let mut alice = there(&program, ALICE).await;
    let refused = alice.say(CAROL, "1").await;
    assert_eq!(
        (&refused["Code"], &refused["Reason"]),
        (&json!(503), &json!("Messages cannot be stored now"))
    );
    let mut bob = there(&program, BOB).await;
    live(&mut alice, &mut bob, "2").await;

    // Somebody takes it out of the way.
    std::fs::remove_file(folder.path().join("state/messages.db")).unwrap();
    until_stored(&mut alice, CAROL, "1").await;
    live(&mut alice, &mut bob, "3").await;
    let mut carol = there(&program, CAROL).await;
    carol.hears("1").await;

    // It dies under the running server. What was acknowledged lies in it.
    let accepted = until_stored(&mut alice, "dave@im.test", "4").await;
    for end in ["", "-wal", "-shm"] {
        let file = folder.path().join(format!("state/messages.db{end}"));
        if file.exists() {
            std::fs::rename(&file, folder.path().join(format!("state/away.db{end}"))).unwrap();
        }
    }
    std::fs::create_dir(folder.path().join("state/messages.db")).unwrap();
    let mut tick = interval(Duration::from_millis(20));
    let noticed = timeout(PATIENCE, async {
        for number in 0.. {
            tick.tick().await;
            if alice.say("erin@im.test", &format!("e{number}")).await["Code"] == 503 {
                return;
            }
        }
    });
    noticed.await.unwrap();
    live(&mut alice, &mut bob, "5").await;

    // And comes back.
    std::fs::remove_dir(folder.path().join("state/messages.db")).unwrap();
    for end in ["", "-wal", "-shm"] {
        let away = folder.path().join(format!("state/away.db{end}"));
        if away.exists() {
            std::fs::rename(&away, folder.path().join(format!("state/messages.db{end}"))).unwrap();
        }
    }
    until_stored(&mut alice, CAROL.replace("carol", "frank").as_str(), "6").await;
    let mut dave = there(&program, "dave@im.test").await;
    assert_eq!(dave.hears("4").await["Date"], accepted["Date"]);
    live(&mut alice, &mut bob, "7").await;
    program.signal("KILL");
    program.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk() {
    let folder = Folder::new("im-full");
    patient(&folder).write("conf/store.yaml", "{max_size: 400000, retry: 50ms}\n");
    let program = Program::start(&folder);
    let mut alice = there(&program, ALICE).await;
    let mut bob = there(&program, BOB).await;
    let long = "x".repeat(20_000);
    let mut stored = Vec::new();
    let refused = loop {
        let id = format!("{}", stored.len());
        let more = json!({"Message-ID": id, "Body": long});
        let answer = timeout(PATIENCE, alice.ask("MESSAGE", CAROL, more)).await.unwrap().unwrap();
        match answer["Code"].as_u64() {
            Some(202) => stored.push(id),
            _ => break answer,
        }
    };
    assert_eq!(
        (&refused["Code"], &refused["Reason"]),
        (&json!(503), &json!("Messages cannot be stored now"))
    );
    assert!(!stored.is_empty());
    live(&mut alice, &mut bob, "live").await;
    program.signal("KILL");
    program.ended().await;

    // The disk has room again: nothing that was acknowledged is missing.
    folder.write("conf/store.yaml", "retry: 50ms\n");
    let program = Program::start(&folder);
    let mut alice = there(&program, ALICE).await;
    let last = format!("{}", stored.len());
    let more = json!({"Message-ID": last, "Body": long});
    let answer_ = timeout(PATIENCE, alice.ask("MESSAGE", CAROL, more)).await.unwrap().unwrap();
    assert_eq!(answer_["Code"], 202, "{answer_}");
    stored.push(last);
    let mut carol = there(&program, CAROL).await;
    for id in stored {
        let message = carol.request().await;
        assert_eq!(message["Message-ID"], id.as_str());
        carol.send(&answer(&message, 200)).await.unwrap();
    }
    program.signal("KILL");
    program.ended().await;
}
