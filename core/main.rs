//! `rtcd`: the program. What it does is in `rtcd_cli` and `rtcd_server`; here is what is compiled in.

use std::process::ExitCode;

use rtcd_cli::Program;

fn main() -> ExitCode {
    rtcd_cli::main(Program {
        version: env!("CARGO_PKG_VERSION"),
        embedded: rtcd::EMBEDDED,
        check_plugins: || Ok(rtcd::check_plugins()?),
    })
}
