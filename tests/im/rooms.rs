//! The history of a room is for its members.

use serde_json::{Value, json};

use crate::common::{Folder, PATIENCE, PORTS, Program};
use crate::user::User;

const ROOM: &str = "room:7@im.test";

async fn history(program: &Program, user: &mut User) -> (u16, Value) {
    let token = user.register().await.unwrap()["Token"].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.get(format!("http://{}/api/im/v1/history/{ROOM}", program.rtc)).bearer_auth(token);
    let answer = request.timeout(PATIENCE).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_alone_can_read_it() {
    let folder = Folder::new("im-rooms");
    folder.write("conf/rtcd.yaml", PORTS);
    let program = Program::start(&folder);
    let mut alice = User::connect(program.rtc, "alice@im.test", 0).await.unwrap();
    let mut bob = User::connect(program.rtc, "bob@im.test", 1).await.unwrap();
    // Whatever the device: the member is the user.
    let identity = json!("alice@im.test;device=phone");
    let join = json!({"Expire": 300, "P-Asserted-Identity": identity});
    assert_eq!(alice.ask("SUBSCRIBE", ROOM, join).await.unwrap()["Code"], 200);
    let text = json!({"Message-ID": "m1", "Body": "hello", "P-Asserted-Identity": identity});
    assert_eq!(alice.ask("MESSAGE", ROOM, text).await.unwrap()["Code"], 200);

    let (status, answer) = history(&program, &mut alice).await;
    let messages = answer["messages"].as_array().unwrap();
    let seen: Vec<_> =
        messages.iter().map(|one| (&one["id"], &one["from"], &one["to"], &one["body"])).collect();
    let (id, from, body) = (json!("m1"), json!("alice@im.test"), json!("hello"));
    assert_eq!((status, seen), (200, vec![(&id, &from, &json!(ROOM), &body)]));
    let (status, answer) = history(&program, &mut bob).await;
    assert_eq!((status, answer), (403, json!({"code": 101, "msg": "No member of the room"})));
    program.signal("KILL");
    program.ended().await;
}
