//! What is switched is kept; what is edited takes over; what runs goes on.

use serde_json::json;

use crate::common::{Client, Folder, PORTS, Program, TestServer, ack, answer, request};

const ROUTES: &str = "
slps: {default: conformance, conformance: conformance, call: call}
routes: []
apis:
  echo.v1: {impl: echo, enabled: false}
hops: []
";

#[tokio::test]
async fn a_switch_outlives_restart_and_reload() {
    let folder = Folder::new("kept");
    folder.write("conf/rtcd.yaml", PORTS).write("routes.yaml", ROUTES);
    let program = Program::start(&folder);
    assert_eq!(program.curl("GET", "/echo/v1/x").await.0, 404);
    let (status, text) = program.curl("POST", "/apim/v1/echo.v1?file=echo").await;
    assert_eq!((status, &*text), (200, "Load API echo.v1 echo successd\n"));
    assert_eq!(program.curl("POST", "/slpm/v1/second?file=conformance").await.0, 200);
    assert_eq!(program.curl("DELETE", "/slpm/v1/call").await.0, 200);
    program.signal("KILL");
    program.ended().await;

    let program = Program::start(&folder);
    let names = names(&program).await;
    assert_eq!(names, ["conformance", "default", "second"]);
    assert_eq!(program.curl("GET", "/echo/v1/x").await.0, 200);

    // A reload reads the table again, and the switches stand over it.
    folder.write("routes.yaml", &ROUTES.replace("call: call", "call: call, third: call"));
    program.signal("HUP");
    until(&program, "third").await;
    assert_eq!(self::names(&program).await, ["conformance", "default", "second", "third"]);
    assert_eq!(program.curl("GET", "/echo/v1/x").await.0, 200);

    // A switch back to what the table says leaves nothing behind.
    assert_eq!(program.curl("POST", "/slpm/v1/call?file=call").await.0, 200);
    assert_eq!(program.curl("DELETE", "/slpm/v1/second").await.0, 200);
    assert_eq!(program.curl("DELETE", "/apim/v1/echo.v1").await.0, 200);
    let kept = std::fs::read_to_string(folder.path().join("state/switched.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&kept).unwrap(), json!({"slps": {}, "apis": {}}));
    // The table itself is the operator's.
    let table = std::fs::read_to_string(folder.path().join("routes.yaml")).unwrap();
    assert_eq!(table, ROUTES.replace("call: call", "call: call, third: call"));
    program.signal("TERM");
    assert!(program.ended().await.success());
}

async fn names(program: &Program) -> Vec<String> {
    let (_, listing) = program.api("GET", "/slpm/v1/slps").await.unwrap();
    listing["slps"].as_array().unwrap().iter().map(|slp| slp["slp"].as_str().unwrap().to_owned()).collect()
}

/// Waits until a service is bound.
async fn until(program: &Program, name: &str) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(10));
    while !names(program).await.iter().any(|known| known == name) {
        tick.tick().await;
    }
}

#[tokio::test]
async fn the_next_call_goes_to_the_other_service_and_the_running_one_stays() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let running = request("INVITE", "Recv_INVITE_Session_Timeout", "alice@a", "running", 1);
    alice.send(&running).await;
    alice.expect(json!({"Code": 180})).await;
    let accepted = alice.expect(answer(&running, 200)).await;
    alice.send(&ack(&accepted, 2)).await;

    let routes = crate::common::ROUTES.replace("default: conformance", "default: call");
    server.files.write("routes.yaml", &routes);
    server.signal(rtcd_server::Signal::Reload).await;
    server.until_bound("default", "call").await;
    // `call` knows nobody of this name.
    let next = request("INVITE", "Recv_INVITE_Session_Timeout", "alice@a", "next", 1);
    alice.send(&next).await;
    let refused = alice.expect(answer(&next, 480)).await;
    alice.send(&ack(&refused, 2)).await;

    let bye = request("BYE", "Recv_INVITE_Session_Timeout", "alice@a", "running", 3);
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    server.end_with([alice]).await;
}

#[tokio::test]
async fn a_service_that_is_off_finishes_its_tasks() {
    let server = TestServer::start().await;
    let mut alice = Client::connect(&server, "alice@a").await;
    let running = request("INVITE", "Recv_INVITE_Session_Timeout", "alice@a", "running", 1);
    alice.send(&running).await;
    alice.expect(json!({"Code": 180})).await;
    let accepted = alice.expect(answer(&running, 200)).await;
    alice.send(&ack(&accepted, 2)).await;
    assert_eq!(server.curl("DELETE", "/slpm/v1/default").await.0, 200);
    let (_, listing) = server.api("GET", "/slpm/v1/slps").await;
    let default = listing["slps"].as_array().unwrap().iter().find(|slp| slp["slp"] == "default").unwrap();
    assert_eq!(
        (&default["used"], &default["using"], &default["from"]),
        (&json!(0), &json!(1), &json!("replaced"))
    );

    let next = request("MESSAGE", "Recv_MESSAGE", "alice@a", "next", 1);
    alice.send(&next).await;
    alice.expect(answer(&next, 404)).await;
    let bye = request("BYE", "Recv_INVITE_Session_Timeout", "alice@a", "running", 3);
    alice.send(&bye).await;
    alice.expect(answer(&bye, 200)).await;
    server.until("tasks", 0).await;

    assert_eq!(server.curl("POST", "/slpm/v1/default?file=conformance").await.0, 200);
    let (_, listing) = server.api("GET", "/slpm/v1/slps").await;
    let default = listing["slps"].as_array().unwrap().iter().find(|slp| slp["slp"] == "default").unwrap();
    assert_eq!((&default["used"], &default["using"]), (&json!(1), &json!(0)));
    server.end_with([alice]).await;
}

#[tokio::test]
async fn a_switch_whose_implementation_has_gone_can_be_taken_back() {
    let folder = Folder::new("vanished");
    folder.write("conf/rtcd.yaml", PORTS).write("routes.yaml", ROUTES);
    std::fs::create_dir(folder.path().join("state")).unwrap();
    folder.write("state/switched.json", r#"{"slps": {"foo": "vanished"}, "apis": {"bar.v1": "vanished"}}"#);
    let program = Program::start(&folder);
    for path in ["/slpm/v1/foo", "/apim/v1/bar.v1"] {
        assert_eq!(program.curl("DELETE", path).await.0, 200, "{path}");
        assert_eq!(program.curl("DELETE", path).await.0, 404, "{path}");
    }
    let kept = std::fs::read_to_string(folder.path().join("state/switched.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&kept).unwrap(), json!({"slps": {}, "apis": {}}));
    program.signal("TERM");
    assert!(program.ended().await.success());
}
