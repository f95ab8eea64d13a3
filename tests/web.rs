//! What runs in browsers: the tests of the client library and of the page, by Node and Chromium, against the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::path::{Path, PathBuf};
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

/// `NAME.test.mjs` and `NAME.test.js` of a folder, in the order of their names.
fn tests_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| [".test.mjs", ".test.js"].iter().any(|end| file.to_string_lossy().ends_with(end)));
    files.sort();
    files
}

fn test(folder: &str) {
    LazyLock::force(&SETUP);
    let files = tests_of(&Path::new(WEB).join(folder));
    assert!(!files.is_empty(), "{folder} has no tests");
    // One file after the other: what runs beside them must not starve.
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1", "--test-timeout=600000", "--test-reporter=spec"])
        .args(files);
    run(node.env("RTCD", env!("CARGO_BIN_EXE_rtcd")));
}

#[test]
fn the_client() {
    test("client/tests");
}

#[test]
fn the_page() {
    test("tests");
}
