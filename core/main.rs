//! `rtcd`: the program. What it does is in `rtcd_cli` and `rtcd_server`; here is what is compiled in.

use std::process::ExitCode;

use rtcd_cli::Program;

/// The system's allocator spends twice the time when many dialogs come and go at once, and gives memory back late.
#[cfg(all(feature = "jemalloc", target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    rtcd_cli::main(Program {
        version: env!("CARGO_PKG_VERSION"),
        embedded: rtcd::EMBEDDED,
        check_plugins: || Ok(rtcd::check_plugins()?),
    })
}
