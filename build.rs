//! Links the plugins: rustc links only crates that source names, so this writes a `use` line for each crate below `slps/` and
//! `apis/`, and the list of them, with which the registry is compared at start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=Cargo.toml");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let mut packages = BTreeMap::new();
    for folder in ["slps", "apis"] {
        println!("cargo::rerun-if-changed={folder}");
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let file = entry.path().join("Cargo.toml");
            println!("cargo::rerun-if-changed={}", file.display());
            if let Some(package) = fs::read_to_string(&file).ok().as_deref().and_then(package_name) {
                packages.insert(package, format!("{folder}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    let missing: Vec<_> = packages.iter().filter(|(package, _)| !is_dependency(&manifest, package)).collect();
    for (package, path) in &missing {
        println!(
            "cargo::error={path} is not linked: add this line to [dependencies] in Cargo.toml:  {package} = {{ path = \"{path}\" }}"
        );
    }
    if !missing.is_empty() {
        return ExitCode::FAILURE;
    }
    let mut source = String::new();
    for package in packages.keys() {
        source += &format!("use {} as _;\n", package.replace('-', "_"));
    }
    let names: Vec<_> = packages.keys().collect();
    source += &format!(
        "/// The plugin crates that lie in `slps/` and `apis/`.\npub const EXPECTED: &[&str] = &{names:?};\n"
    );
    let out = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("plugins.rs");
    match fs::write(&out, source) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}: {error}", out.display());
            ExitCode::FAILURE
        }
    }
}

/// `name` of `[package]`.
fn package_name(manifest: &str) -> Option<String> {
    let section = manifest.split("[package]").nth(1)?;
    let line = section.lines().take_while(|line| !line.starts_with('[')).find(|line| key(line) == "name")?;
    Some(line.split('"').nth(1)?.to_owned())
}

fn is_dependency(manifest: &str, package: &str) -> bool {
    let mut inside = false;
    manifest.lines().any(|line| {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
        }
        inside && (key(line) == package || key(line) == format!("{package}.workspace"))
    })
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}
