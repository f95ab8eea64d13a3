//! The files of a new crate. The templates are real files, which the compiler and rustfmt would take as they are.

use super::Kind;
use super::name::Name;

/// Path in the crate's folder, and text.
pub(super) fn files(kind: Kind, name: &Name) -> Vec<(String, String)> {
    let files: &[(&str, &str)] = match kind {
        Kind::Slp => &[
            ("Cargo.toml", include_str!("../../templates/slp.toml")),
            ("src/lib.rs", include_str!("../../templates/slp.rs")),
            ("try.json", include_str!("../../templates/slp.json")),
        ],
        Kind::Api => &[
            ("Cargo.toml", include_str!("../../templates/api.toml")),
            ("src/lib.rs", include_str!("../../templates/api.rs")),
        ],
    };
    let camel_case = name.camel_case();
    let filled =
        |text: &str| text.replace("TemplateName", &camel_case).replace("template-name", name.as_str());
    files.iter().map(|(path, text)| ((*path).to_owned(), filled(text))).collect()
}

/// What to do after that.
pub(super) fn next_steps(kind: Kind, name: &Name) -> String {
    let (folder, prefix, name) = (kind.folder(), kind.prefix(), name.as_str());
    let (what, bound, ask) = match kind {
        Kind::Slp => (
            "a service that answers a MESSAGE with a greeting",
            format!("{name}: {name}"),
            format!(
                "cargo run -p rtest -- -t uac -u 'ws://127.0.0.1:8080/rtc?userid=me@here' -f {folder}/{name}/try.json"
            ),
        ),
        Kind::Api => (
            "an HTTP API that answers a GET with a greeting",
            format!("{name}.v1: {{ impl: {name} }}"),
            format!("curl http://127.0.0.1:2539/{name}/v1/greetings/Ann"),
        ),
    };
    format!(
        "\
Made {folder}/{name}: {what}.
  linked:  {prefix}-{name} in Cargo.toml
  bound:   {bound} in routes.yaml ({folder})
What to do next:
  change it:  {folder}/{name}/src/lib.rs
  test it:    cargo test -p {prefix}-{name}
  run it:     cargo run
  ask it:     {ask}
"
    )
}
