//! A file that is new, or gone, is a change too: of those that are there the compiler knows itself.

fn main() {
    for path in ["build.rs", "demo", "client/dist"] {
        println!("cargo::rerun-if-changed={path}");
    }
}
