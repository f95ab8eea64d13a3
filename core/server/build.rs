//! Tells the program what it was built from: the compiler, and in a release build the git revision, if there is one.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RTCD_REVISION");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if let Some(version) = output(&compiler, &["--version"]) {
        println!("cargo::rustc-env=RTCD_RUSTC={version}");
    }
    // A build without git sets the variable itself. While people develop, each commit would build all anew.
    let release = env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    if release && env::var_os("RTCD_REVISION").is_none() {
        let git = |arguments: &[&str]| output("git".as_ref(), arguments);
        if let Some(file) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo::rerun-if-changed={file}");
        }
        if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
            println!("cargo::rustc-env=RTCD_REVISION={revision}");
        }
    }
}

fn output(program: &OsStr, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
