//! `rtcd new` in a copy of this workspace: what it makes builds, passes its tests, and is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::fmt::Write as _;
use std::fs;
use std::future::pending;
use std::io::{BufRead as _, BufReader};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rtest::{Script, Transcript, Uac};

const RTCD: &str = env!("CARGO_BIN_EXE_rtcd");

/// A copy of the sources.
fn copy(test: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("new-{test}"));
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).unwrap();
    for name in [
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "clippy.toml",
        "rustfmt.toml",
        "routes.yaml",
        "README.md",
        "conf",
        "core",
        "slps",
        "apis",
    ] {
        copy_all(&root.join(name), &copy.join(name));
    }
    // Of another version, so that what cargo builds of it takes the place of nothing that is under test.
    let manifest = fs::read_to_string(copy.join("Cargo.toml")).unwrap();
    let (before, after) = manifest.split_once("[workspace.package]\nversion = \"").unwrap();
    let manifest = format!("{before}[workspace.package]\nversion = \"0.0.0-copy+{after}");
    fs::write(copy.join("Cargo.toml"), manifest).unwrap();
    copy
}

fn copy_all(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_all(&entry.path(), &to.join(entry.file_name()));
    }
}

/// What `rtcd new` says in a folder.
fn new(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(RTCD).arg("new").args(arguments).current_dir(folder).output().unwrap();
    let mut text = format!("$ rtcd new {}\n", arguments.join(" "));
    text += std::str::from_utf8(&output.stdout).unwrap();
    text += std::str::from_utf8(&output.stderr).unwrap();
    let _ = writeln!(text, "exit status {}\n", output.status.code().unwrap());
    text
}

/// Runs cargo with what is built already; programs come to a folder of their own, not over those under test.
fn cargo(workspace: &Path, arguments: &[&str]) {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_BUILD_BUILD_DIR", built)
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "cargo {arguments:?}: {status}");
}

/// All files below a folder with their texts.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push((path.clone(), fs::read(&path).unwrap()))
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_service_and_an_api() {
    let workspace = copy("both");
    let mut text = new(&workspace.join("core/jsip"), &["slp", "hello"]);
    text += &new(&workspace, &["api", "greet-all"]);
    text += &new(&workspace, &["slp", "hello"]);
    insta::assert_snapshot!(text.replace(&*workspace.to_string_lossy(), "<workspace>"));

    cargo(&workspace, &["fmt", "--check", "--package", "slp-hello", "--package", "api-greet-all"]);
    cargo(&workspace, &["test", "--package", "slp-hello", "--package", "api-greet-all"]);
    cargo(&workspace, &["build", "--package", "rtcd"]);
    let serving = Serving::start(&workspace);

    let script = Script::load(&workspace.join("slps/hello/try.json")).unwrap();
    let url = format!("ws://{}/rtc?userid=me@here", serving.rtc);
    let uac = Uac { url, script, runs: NonZeroU64::MIN, concurrency: NonZeroUsize::MIN };
    let tally = uac.run(&Transcript::stdout(), pending()).await;
    assert_eq!((tally.failed, tally.succeeded), (0, 1));

    let url = format!("http://{}/greet-all/v1/greetings/Ann", serving.api);
    let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert_eq!(answer, r#"{"code":0,"greeting":"Hello, Ann! This is greet-all.","msg":"OK"}"#);
}

/// The server that was built.
struct Serving {
    child: Child,
    rtc: String,
    api: String,
}

impl Serving {
    fn start(workspace: &Path) -> Self {
        let mut child = Command::new(workspace.join("target/debug/rtcd"))
            .current_dir(workspace)
            .env("RTCD_RTC_LISTEN", "127.0.0.1:0")
            .env("RTCD_API_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("stop:") {
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "it ended: {said}");
        }
        let address = |scheme| said.split(scheme).nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { rtc: address("ws://"), api: address("http://"), child }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_cannot_be_made_leaves_nothing_behind() {
    let workspace = copy("refused");
    let routes = fs::read_to_string(workspace.join("routes.yaml")).unwrap();
    let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let mut text = String::new();
    let mut refused = |name: &str, spoil: &dyn Fn(), folder: &str, arguments: &[&str]| {
        fs::write(workspace.join("routes.yaml"), &routes).unwrap();
        fs::write(workspace.join("Cargo.toml"), &manifest).unwrap();
        spoil();
        let before = files(&workspace);
        let seen =
            new(&workspace.join(folder), arguments).replace(&*workspace.to_string_lossy(), "<workspace>");
        let _ = write!(text, "# {name}\n{seen}");
        assert!(before == files(&workspace), "{name}: something has changed");
    };
    let write = |file: &str, text: &str| fs::write(workspace.join(file), text).unwrap();
    let fine: &dyn Fn() = &|| ();
    refused("a bad name", fine, "", &["slp", "Hello"]);
    refused("a path", fine, "", &["slp", "../hello"]);
    refused("a reserved name", fine, "", &["slp", "default"]);
    refused("a built-in API", fine, "", &["api", "apim"]);
    refused("a service that is there", fine, "", &["slp", "call"]);
    refused("an API of another crate", fine, "", &["api", "chatroom"]);
    refused(
        "a folder that is there",
        &|| fs::create_dir_all(workspace.join("slps/there")).unwrap(),
        "",
        &["slp", "there"],
    );
    fs::remove_dir(workspace.join("slps/there")).unwrap();
    refused(
        "bound in routes.yaml",
        &|| write("routes.yaml", &routes.replace("call: call", "hello: call")),
        "",
        &["slp", "hello"],
    );
    refused(
        "linked already",
        &|| write("Cargo.toml", &manifest.replace("slp-call =", "slp-hello =")),
        "",
        &["slp", "hello"],
    );
    refused("routes.yaml is no YAML", &|| write("routes.yaml", "slps: ["), "", &["slp", "hello"]);
    refused("routes.yaml is another", &|| write("routes.yaml", "a: b"), "", &["slp", "hello"]);
    refused(
        "routes.yaml in one line",
        &|| write("routes.yaml", "{slps: {}, apis: {}}"),
        "",
        &["api", "hello"],
    );
    refused(
        "no routes.yaml",
        &|| fs::remove_file(workspace.join("routes.yaml")).unwrap(),
        "",
        &["slp", "hello"],
    );
    // Not below the workspace of this test, which would be found.
    let nowhere = std::env::temp_dir().join(format!("rtcd-new-{}", std::process::id()));
    fs::create_dir_all(nowhere.join("slps")).unwrap();
    fs::write(nowhere.join("Cargo.toml"), "[workspace]\n\n[package]\nname = \"other\"\n").unwrap();
    let seen = new(&nowhere, &["slp", "hello"]).replace(&*nowhere.to_string_lossy(), "<nowhere>");
    let _ = write!(text, "# no workspace\n{seen}");
    fs::remove_dir_all(nowhere).unwrap();
    insta::assert_snapshot!(text);
}
