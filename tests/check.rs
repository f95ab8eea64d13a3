//! `rtcd check`: what it says about configurations that are wrong, and about those that are not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use common::Folder;

const SETTINGS: &str = "conf/rtcd.yaml";
const ROUTES: &str = "routes.yaml";

/// What the check says: standard output, standard error, exit status.
fn check(folder: &Folder, environment: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rtcd"))
        .arg("check")
        .current_dir(folder.path())
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let _ = writeln!(text, "exit status {}", output.status.code().unwrap());
    text
}

/// A table in which one section is this.
fn routes(section: &str, yaml: &str) -> String {
    let mut text = String::new();
    for (name, empty) in [("slps", "{}"), ("routes", "[]"), ("apis", "{}"), ("hops", "[]")] {
        let _ = writeln!(text, "{name}: {}", if name == section { yaml } else { empty });
    }
    text
}

#[test]
fn wrong_files() {
    let settings = [
        ("no YAML", "rtc: [\n"),
        ("a list", "- rtc\n"),
        ("a text", "hello\n"),
        ("a section that is none", "rtc: 5\n"),
        ("a section in the wrong place", "rtc:\n  jsip: {}\n"),
        ("an unknown section", "rtcp: {listen: ':1'}\n"),
        ("an unknown key", "rtc:\n  port: 8080\n"),
        ("a misspelt key", "rtc:\n  # where\n  listne: 0.0.0.0:8080\n"),
        ("a key twice", "rtc:\n  location: /a\n  location: /b\n"),
        ("a section twice", "log: {level: info}\nrtc: {}\nlog: {level: warn}\n"),
        ("tabs", "rtc:\n\tlisten: 0.0.0.0:1\n"),
        ("bad indentation", "rtc:\n  listen: 0.0.0.0:1\n location: /rtc\n"),
        ("two documents", "rtc: {}\n---\napi: {}\n"),
        ("an alias of nothing", "rtc: *nothing\n"),
        ("a host name", "rtc: {listen: 'localhost:8080'}\n"),
        ("an address without port", "rtc: {listen: 0.0.0.0}\n"),
        ("a port that is none", "rtc: {listen: '0.0.0.0:65536'}\n"),
        ("a port alone", "api: {listen: ':2539'}\n"),
        ("a path without /", "rtc: {location: rtc}\n"),
        ("a path with a query", "jsip: {location: '/rtc?x'}\n"),
        ("a time without unit", "jsip: {transtimer: 5}\n"),
        ("a time that is none", "jsip: {prtimer: soon}\n"),
        ("a time of nothing", "jsip: {keepalive: 0s}\n"),
        ("a time for ever", "jsip: {sessiontimer: 1000years}\n"),
        ("a negative time", "jsip: {linger: -5s}\n"),
        ("a number that is none", "limits: {mailbox: many}\n"),
        ("a negative number", "limits: {task_legs: -1}\n"),
        ("a broken number", "jsip: {retry: 1.5}\n"),
        ("a number that is too large", "jsip: {max_bad_frames: 99999999999}\n"),
        ("a realm with blanks", "jsip: {realm: my node}\n"),
        ("the lowest over the highest", "jsip: {min_expire: 1h, max_expire: 1m}\n"),
        ("a level that is none", "log: {level: loud}\n"),
        ("a module's level that is none", "log: {level: 'info,jsip=loud'}\n"),
        ("a format that is none", "log: {format: xml}\n"),
        ("a URL that is none", "rtc: {authurl: 'auth.example.net'}\n"),
        ("a URL of another kind", "rtc: {authurl: 'ftp://auth.example.net/'}\n"),
        ("a short token", "api: {token: secret}\n"),
        ("a token with blanks", "api: {token: 'sixteen or more characters'}\n"),
        ("open to all", "api: {listen: '0.0.0.0:2539'}\n"),
        ("open to all by TLS", "api:\n  tlslisten: '[::]:2540'\n  cert: c.pem\n  key: k.pem\n"),
        ("yes or no", "api: {insecure: maybe}\n"),
        ("TLS without certificate", "rtc: {tlslisten: '127.0.0.1:8443'}\n"),
        ("TLS without key", "rtc:\n  tlslisten: 127.0.0.1:8443\n  cert: cert.pem\n"),
        ("a network that is none", "rtc: {trusted_proxies: [10.0.0.0/8, 10.0.0.0/33]}\n"),
        ("a list that is none", "rtc: {origins: https://example.net}\n"),
        ("much at once", "rtc: {listen: x, port: 1}\napi:\n  token: t\nlog:\n  levle: info\n"),
    ];
    let tables = [
        ("nothing", String::new()),
        ("half-written", "slps: {}\nroutes: []\n".to_owned()),
        ("cut off", "slps:\n  default: chatroom\nroutes:\n  - when: {method: INV".to_owned()),
        ("an unknown section", routes("", "") + "slp: {}\n"),
        ("a list of services", routes("slps", "[call]")),
        ("an unknown service", routes("slps", "{default: chat-room}")),
        ("a bad name", routes("slps", "{'a b': call}")),
        ("a name twice", routes("slps", "{a: call, a: chatroom}")),
        ("a number for a service", routes("slps", "{a: 5}")),
        ("a rule for nothing", routes("routes", "[{when: {method: INVITE}, slp: nothing}]")),
        ("a rule without service", routes("routes", "[{when: {method: INVITE}}]")),
        ("a rule without when", routes("routes", "[{slp: call}]")),
        (
            "a method that is none",
            routes("routes", "[{when: {method: CALL}, slp: call}]").replace("slps: {}", "slps: {call: call}"),
        ),
        ("an unknown condition", routes("routes", "[{when: {verb: INVITE}, slp: call}]")),
        ("a misspelt condition", routes("routes", "[{when: {request-uri: '*'}, slp: call}]")),
        ("an API without version", routes("apis", "{echo: {impl: echo}}")),
        ("an API of version x", routes("apis", "{echo.vx: {impl: echo}}")),
        ("a built-in API", routes("apis", "{apim.v1: {impl: echo}}")),
        ("an unknown implementation", routes("apis", "{echo.v1: {impl: ecoh}}")),
        ("an API without implementation", routes("apis", "{echo.v1: {enabled: false}}")),
        ("an API as a text", routes("apis", "{echo.v1: echo}")),
        ("a rule as a text", routes("routes", "[INVITE]")),
        ("a misspelt key of an API", routes("apis", "{echo.v1: {impl: echo, enable: false}}")),
        ("a hop that is no text", routes("hops", "[{host: a}]")),
    ];
    let mut seen = String::new();
    let mut add = |file: &str, name: &str, text: &str| {
        let folder = Folder::new("check");
        folder.write(ROUTES, &routes("", "")).write(file, text);
        let _ = writeln!(seen, "# {file}: {name}\n{}\n{}", text.trim_end(), check(&folder, &[]));
    };
    for (name, text) in settings {
        add(SETTINGS, name, text);
    }
    for (name, text) in tables {
        add(ROUTES, name, &text);
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn wrong_settings_of_plugins() {
    let mut seen = String::new();
    let bound = "{slps: {default: chatroom, chatroom: chatroom}, routes: [], hops: [], \
                 apis: {access.v1: {impl: access}, webhook.v1: {impl: webhook, enabled: false}, echo.v2: {impl: echo2}}}\n";
    for (file, text) in [
        ("conf/chatroom.yaml", "qsizes: 4\n"),
        ("conf/chatroom.yaml", "transtimer: 5s\nqsize: many\n"),
        ("conf/chatroom.yaml", "qsize: [\n"),
        ("conf/access.yaml", "tokens:\n  - {name: ci, token: short, allow: []}\n"),
        ("conf/access.yaml", "token: []\n"),
        ("conf/webhook.yaml", "hooks: {oncall: nowhere}\n"),
        ("conf/echo2.yaml", "headers: accept\n"),
    ] {
        let folder = Folder::new("check-plugins");
        folder.write(ROUTES, bound).write(file, text);
        let _ = writeln!(seen, "# {file}\n{text}{}", check(&folder, &[]));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn wrong_in_all_places_at_once() {
    let folder = Folder::new("check-all");
    folder
        .write(SETTINGS, "rtc:\n  port: 1\nlog:\n  format: xml\n")
        .write(
            ROUTES,
            "slps:\n  default: chatroom\n  x: nothing\nroutes:\n  - {when: {}, slp: y}\napis: {}\nhops: []\n",
        )
        .write("conf/chatroom.yaml", "# limits\nqsize: many\n");
    std::fs::create_dir(folder.path().join("state")).unwrap();
    folder.write("state/switched.json", "{");
    insta::assert_snapshot!(check(&folder, &[("RTCD_API_LISTEN", "nowhere"), ("RTCD_LOG_LEVLE", "info")]));
}

#[test]
fn a_wrong_shape_hides_no_wrong_name() {
    let folder = Folder::new("check-shape");
    folder.write(ROUTES, "slps:\n  default: chatrom\nroutes:\n- {when: {methd: X}, slp: a}\n- {when: {}, slp: b}\napis: {}\nhops: {}\n");
    let wrong_rule = check(&folder, &[]);
    folder.write(
        ROUTES,
        "slps:\n  default: chatrom\nroutes:\n- {when: {}, slp: b}\napis:\n  echo: {impl: ehco}\nhops: {}\n",
    );
    insta::assert_snapshot!(wrong_rule + &check(&folder, &[]));
}

#[test]
fn what_cannot_be_read() {
    let mut seen = String::new();
    for file in [SETTINGS, ROUTES, "conf/chatroom.yaml"] {
        let folder = Folder::new("check-unreadable");
        folder.write(ROUTES, &routes("slps", "{chatroom: chatroom}"));
        let _ = std::fs::remove_file(folder.path().join(file));
        std::fs::create_dir(folder.path().join(file)).unwrap();
        let _ = writeln!(seen, "# {file} is a folder\n{}", check(&folder, &[]));
        std::fs::remove_dir(folder.path().join(file)).unwrap();
        std::fs::write(folder.path().join(file), b"a: \xff\n").unwrap();
        let _ = writeln!(seen, "# {file} is no UTF-8\n{}", check(&folder, &[]));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn the_environment() {
    let mut seen = String::new();
    for (name, value) in [
        ("RTCD_RTC_LISTEN", "8080"),
        ("RTCD_JSIP_TRANSTIMER", "5"),
        ("RTCD_LIMITS_DIALOGS", "-1"),
        ("RTCD_API_TOKEN", "short"),
        ("RTCD_API_LISTEN", "0.0.0.0:2539"),
        ("RTCD_API_LISTNE", "127.0.0.1:1"),
        ("RTCD_RTC_TRUSTED_PROXIES", "10.0.0.0/8,example"),
        ("RTCD_RTC_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("RTCD_RTC_ORIGINS", ""),
        ("RTCD_LOG_LEVEL", "info,jsip=debug"),
        ("RTCD_JSIP_REALM", "12"),
        ("RTCD_OTHER", "of another program"),
    ] {
        let folder = Folder::new("check-environment");
        let _ = writeln!(seen, "# {name}={value}\n{}", check(&folder, &[(name, value)]));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn good_ones() {
    let nothing = Folder::new("check-good");
    let mut seen = format!("# nothing there\n{}\n", check(&nothing, &[]));
    let own = Folder::new("check-good");
    own.write(SETTINGS, "# nothing is set\n").write("conf/chatroom.yaml", "qsize: 9\n");
    let _ = write!(seen, "# own files\n{}\n", check(&own, &[("RTCD_RTC_LISTEN", "127.0.0.1:1")]));
    let output = Command::new(env!("CARGO_BIN_EXE_rtcd"))
        .args(["check", "-c", env!("CARGO_MANIFEST_DIR")])
        .current_dir(own.path())
        .output()
        .unwrap();
    let _ = write!(seen, "# this repository\n{}", String::from_utf8(output.stdout).unwrap());
    insta::assert_snapshot!(seen);
}
