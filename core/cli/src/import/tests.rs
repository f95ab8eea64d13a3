//! Whole files.

use super::*;

/// What a user sees.
fn seen(text: &str) -> String {
    let Import { yaml, remarks, failed } = import("gortc.ini", text);
    let status = if failed { 1 } else { 0 };
    format!("{yaml}\n--- standard error, exit status {status}\n{}\n", remarks.join("\n"))
}

#[test]
fn every_key() {
    insta::assert_snapshot!(seen(
        "\
logfile = logs/gortc.log
loglevel = INFO

[RTCModule]
listen = :8080
tlslisten = :8443
cert = certs/cert.pem
key = certs/key.pem
location = /rtc
logfile = logs/rtc.log
loglevel = debug
clientheadertimeout = 10s
keepalived = 60s
accessfile = logs/rtc_access.log
qsize = 1024
authurl = http://127.0.0.1:9000/auth
authtimeout = 3s

[APIModule]
listen = 127.0.0.1:2539
tlslisten = :2540
cert = certs/cert.pem
key = certs/key.pem
logfile = logs/api.log
loglevel = warning
clientheadertimeout = 10s
keepalived = 60s
accessfile = logs/api_access.log

[JSIPStack]
realm = node1.rtc.test
location = /rtc
conntimeout = 3s
retry = 10
qsize = 1024
transtimer = 5s
prtimer = 60s
sessiontimer = 600s
termnotify = true
"
    ));
}

#[test]
fn what_a_small_file_leaves_out_has_its_default() {
    insta::assert_snapshot!(seen(
        "; gortc\n[RTCModule]\nlisten=:80 # web\ncert=\n\n[JSIPStack]\nrealm=\"a\"\n"
    ));
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(seen("# nothing\n"));
}

#[test]
fn what_cannot_be_used() {
    insta::assert_snapshot!(seen(
        "\u{feff}[global]\r
loglevel = chatty\r
[rtcmodule]\r
Listen = rtc.test:8080\r
listen = :99999\r
authtimeout = 3\r
qsize = -1\r
color = blue\r
just words\r
= 3\r
[APIModule]\r
qsize = 10\r
listen = :2539\r
keepalived = forever\r
[Plugins]\r
chat = chat.so\r
[JSIPStack\r
transtimer = 1.5m\r
prtimer = 0s\r
[JSIPStack]\r
realm = a b\r
retry = 3\r
retry = 5\r
location = rtc\r
"
    ));
}

#[test]
fn values_that_yaml_would_read_otherwise() {
    insta::assert_snapshot!(seen(
        "logfile = 'a: b'\nloglevel = off\n[RTCModule]\ncert = yes\nkey = \"# no comment\"\naccessfile = 12\n[JSIPStack]\nrealm = 1.50\n"
    ));
}
