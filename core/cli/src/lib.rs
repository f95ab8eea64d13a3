//! The command line of rtcd, one file for each command. The program itself says what is compiled in ([`Program`]) and calls
//! [`main`].

mod apim;
mod args;
mod background;
mod check;
mod client;
mod error;
mod import;
mod new;
mod notify;
mod order;
mod pidfile;
mod plugins;
mod runtime;
mod serve;
mod settings;
mod signals;
mod slpm;
mod table;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Arguments, Command};
use error::Error;

/// What the program is made of.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its version.
    pub version: &'static str,
    /// The files that are used if they are not there: name, text.
    pub embedded: &'static [(&'static str, &'static str)],
    /// Compares the plugins that are linked with those that should be.
    pub check_plugins: fn() -> Result<(), Box<dyn StdError + Send + Sync>>,
}

/// Runs the command line of this process.
#[must_use]
pub fn main(program: Program) -> ExitCode {
    match run(program, parse(program.version)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rtcd: {}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn parse(version: &'static str) -> Arguments {
    let mut command = Arguments::command().version(version);
    let parsed = Arguments::from_arg_matches(&command.get_matches_mut());
    let mut arguments = parsed.unwrap_or_else(|error| error.format(&mut command).exit());
    match &mut arguments.command {
        None => {}
        // `rtcd -d serve` is meant as `rtcd serve -d`.
        Some(Command::Serve(serve)) => {
            serve.daemon |= arguments.serve.daemon;
            serve.detached |= arguments.serve.detached;
            serve.signal = serve.signal.or(arguments.serve.signal);
        }
        Some(_) if arguments.serve.daemon || arguments.serve.signal.is_some() => {
            let problem = "-d and -s go with no command but serve";
            command.error(ErrorKind::ArgumentConflict, problem).exit()
        }
        Some(_) => {}
    }
    arguments
}

fn run(program: Program, arguments: Arguments) -> Result<ExitCode, Error> {
    let config = &*arguments.config;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(serve) => match serve.signal {
            Some(order) => order::send(program, config, order)?,
            None if serve.daemon => return Ok(background::start(config)?),
            None => return serve::serve(program, config, serve.detached),
        },
        Command::Check => {
            (program.check_plugins)().map_err(Error::Plugins)?;
            return check::run(program, config);
        }
        Command::Apim(switch) => apim::run(program, config, &switch)?,
        Command::Slpm(switch) => slpm::run(program, config, &switch)?,
        Command::Runtime(arguments) => runtime::run(program, config, &arguments)?,
        Command::Health(server) => runtime::health(program, config, &server)?,
        Command::Plugins(arguments) => {
            (program.check_plugins)().map_err(Error::Plugins)?;
            plugins::list(arguments.json);
        }
        Command::New(what) => new::run(what)?,
        Command::Import(arguments) => return Ok(import::run(&arguments.file)?),
    }
    Ok(ExitCode::SUCCESS)
}
