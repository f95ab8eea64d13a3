//! `make install`, and what it installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::Folder;

const RTCD: &str = env!("CARGO_BIN_EXE_rtcd");

fn make(target: &str, variables: &[&str]) -> String {
    let output = Command::new("make")
        .arg(target)
        .arg(format!("RTCD={RTCD}"))
        .args(variables)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Modes and names of all that lies below a folder.
fn listed(folder: &Path) -> String {
    let mut paths = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    paths.sort();
    let mut list = String::new();
    for path in paths {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        let slash = if path.is_dir() { "/" } else { "" };
        let _ = writeln!(list, "{mode:o} /{}{slash}", path.strip_prefix(folder).unwrap().display());
    }
    list
}

/// The lines in which an installed file differs from the one in the repository.
fn changed(file: &str, installed: &Path) -> String {
    let ours = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let theirs = fs::read_to_string(installed).unwrap();
    assert_eq!(ours.lines().count(), theirs.lines().count());
    let lines = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs);
    lines.map(|(_, theirs)| format!("{file}: {theirs}\n")).collect()
}

#[test]
fn a_package() {
    let mut seen = String::new();
    for prefix in ["/usr/local", "/usr"] {
        let folder = Folder::new("package");
        let root = folder.path().join("root");
        let said = make("install", &[&format!("PREFIX={prefix}"), &format!("DESTDIR={}", root.display())]);
        assert!(said.contains("useradd"), "{said}");
        let _ = writeln!(seen, "# {prefix}\n{}", listed(&root));
        let etc = if prefix == "/usr" { root.join("etc") } else { root.join("usr/local/etc") };
        seen += &changed("conf/rtcd.yaml", &etc.join("rtcd/conf/rtcd.yaml"));
        seen += &changed("routes.yaml", &etc.join("rtcd/routes.yaml"));
        let unit = root.join(&prefix[1..]).join("lib/systemd/system/rtcd.service");
        seen += &changed("conf/rtcd.service", &unit);
        seen += &changed("conf/rtcd.logrotate", &etc.join("logrotate.d/rtcd"));
        seen += "\n";
    }
    insta::assert_snapshot!(seen);
}

/// The installed program, for which all ports are free ones.
fn installed(prefix: &Path, arguments: &[&str]) -> Output {
    Command::new(prefix.join("bin/rtcd"))
        .arg("-c")
        .arg(prefix.join("etc/rtcd"))
        .args(arguments)
        .current_dir("/")
        .env("RTCD_RTC_LISTEN", "127.0.0.1:0")
        .env("RTCD_API_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap()
}

#[test]
fn an_installed_server() {
    let folder = Folder::new("install");
    let prefix = folder.path().join("rtcd");
    let variable = format!("PREFIX={}", prefix.display());
    make("install", &[&variable]);
    let output = installed(&prefix, &["check"]);
    assert!(output.status.success(), "{output:?}");

    let output = installed(&prefix, &["-d"]);
    assert!(output.status.success(), "{output:?}");
    let pid_file = prefix.join("var/lib/rtcd/rtcd.pid");
    let pid = fs::read_to_string(&pid_file).unwrap();
    // What logrotate runs.
    let logrotate = fs::read_to_string(prefix.join("etc/logrotate.d/rtcd")).unwrap();
    let after = logrotate.split("postrotate\n").nth(1).unwrap().split("endscript").next().unwrap();
    assert!(after.contains("-s reopen"), "{after}");
    assert!(Command::new("sh").args(["-ec", after]).status().unwrap().success());
    // Installing over it keeps what an operator has changed.
    let routes = prefix.join("etc/rtcd/routes.yaml");
    let own = fs::read_to_string(&routes).unwrap() + "# changed\n";
    fs::write(&routes, &own).unwrap();
    let said = make("install", &[&variable]);
    assert!(said.contains(&format!("kept: {}", routes.display())), "{said}");
    assert_eq!(fs::read_to_string(&routes).unwrap(), own);

    assert_eq!(fs::read_to_string(&pid_file).unwrap(), pid);
    let output = installed(&prefix, &["-s", "quit"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!pid_file.exists());
    make("uninstall", &[&variable]);
    assert!(!prefix.join("bin/rtcd").exists());
    assert_eq!(fs::read_to_string(&routes).unwrap(), own);
}

/// A real logrotate, with the shipped file, while lines are written.
#[test]
fn logrotate_loses_no_line() {
    const ROTATIONS: usize = 6;
    const LINES: usize = 60;
    let logrotate = |arguments: &[&str]| Command::new("logrotate").args(arguments).output();
    if logrotate(&["--version"]).is_err() {
        eprintln!("there is no logrotate here: rotation is not tried");
        return;
    }
    let folder = Folder::new("logrotate");
    let prefix = folder.path().join("rtcd");
    make("install", &[&format!("PREFIX={}", prefix.display())]);
    // The postrotate script starts the program for free ports too, for it reads the same settings.
    let settings = prefix.join("etc/rtcd/conf/rtcd.yaml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(
        &settings,
        text.replace("0.0.0.0:8080", "127.0.0.1:0").replace("127.0.0.1:2539", "127.0.0.1:0"),
    )
    .unwrap();
    let output = installed(&prefix, &["-d"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let api = said.split("http://").nth(1).unwrap().split('/').next().unwrap();

    let writer = std::thread::spawn({
        let url = format!("http://{api}");
        let program = prefix.join("bin/rtcd");
        move || {
            for number in 0..ROTATIONS * LINES {
                // Each switch leaves an audit line.
                let slp = format!("s{number}x");
                let output = Command::new(&program)
                    .args(["slpm", "load", &slp, "call", "--url", &url])
                    .current_dir("/")
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{output:?}");
            }
        }
    });
    let config = prefix.join("etc/logrotate.d/rtcd");
    let state = folder.path().join("logrotate.state");
    let log = prefix.join("var/log/rtcd/rtcd.log");
    let mut rotations = 0;
    while rotations < ROTATIONS {
        // The next one when something has been written.
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let output = logrotate(&["-f", "-s", state.to_str().unwrap(), config.to_str().unwrap()]).unwrap();
            assert!(output.status.success(), "{output:?}");
            rotations += 1;
        }
        std::thread::yield_now();
    }
    writer.join().unwrap();
    let output = installed(&prefix, &["-s", "quit"]);
    assert!(output.status.success(), "{output:?}");

    let mut files: Vec<PathBuf> =
        fs::read_dir(log.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), ROTATIONS + 1, "{files:?}");
    let read = Command::new("zcat").arg("-f").args(&files).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    let text = String::from_utf8(read.stdout).unwrap();
    for number in 0..ROTATIONS * LINES {
        let lines = text.lines().filter(|line| line.contains(&format!("/slpm/v1/s{number}x"))).count();
        assert_eq!(lines, 1, "line {number} of {files:?}");
    }
}

#[test]
fn the_unit() {
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    if analyze(&["--version"]).is_err() {
        eprintln!("there is no systemd-analyze here: the unit is not verified");
        return;
    }
    let folder = Folder::new("unit");
    let prefix: PathBuf = folder.path().join("rtcd");
    make("install", &[&format!("PREFIX={}", prefix.display())]);
    let unit = prefix.join("lib/systemd/system/rtcd.service");
    let output = analyze(&["verify", "--man=no", unit.to_str().unwrap()]).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
