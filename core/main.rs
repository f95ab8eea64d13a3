//! rtcd.
fn main() {}
