//! What runs in browsers: the tests of the client library and of the page, by Node and Chromium, against the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::process::Command;
use std::sync::LazyLock;

const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/core/web");

/// What the tests need, installed once for both.
static SETUP: LazyLock<()> = LazyLock::new(|| run(&mut Command::new("./setup.sh")));

/// Runs it in the folder of the page; shows all that it said if it fails.
fn run(command: &mut Command) {
    let output = command.current_dir(WEB).output().unwrap_or_else(|problem| panic!("{command:?}: {problem}"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{}{}", output.status, said[0], said[1]);
    println!("{}{}", said[0], said[1]);
}

fn test(folder: &str) {
    LazyLock::force(&SETUP);
    run(Command::new("node").args(["test.mjs", folder]).env("RTCD", env!("CARGO_BIN_EXE_rtcd")));
}

#[test]
fn the_client() {
    test("client/tests");
}

#[test]
fn the_page() {
    test("tests");
}
