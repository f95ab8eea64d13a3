//! `rtcd check`: all that a start would stumble over.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use rtcd_server::{ConfigDir, ConfigErrors, Source, Text};

use crate::error::Error;
use crate::{Program, settings};

/// Prints what is wrong, each problem on a line, or which files are good.
pub(crate) fn run(program: Program, folder: &Path) -> Result<ExitCode, Error> {
    match all(program, folder) {
        Ok(files) => {
            for file in files {
                println!("{file}: ok");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(Error::Load(ConfigErrors(problems))) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error),
    }
}

/// The files that were read; or all that is wrong with them.
pub(crate) fn all(program: Program, folder: &Path) -> Result<BTreeSet<String>, Error> {
    settings::is_there(folder)?;
    let files = Arc::new(Files { folder: ConfigDir::new(folder, program.embedded), read: Mutex::default() });
    // What plugins start when they are loaded ends with the runtime.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let checked = runtime.block_on(rtcd_server::check(files.clone()));
    runtime.shutdown_background();
    checked?;
    let read = files.read.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(read.clone())
}

/// A folder, and the files that were read there.
#[derive(Debug)]
struct Files {
    folder: ConfigDir,
    read: Mutex<BTreeSet<String>>,
}

impl Source for Files {
    fn read(&self, name: &str) -> io::Result<Option<Text>> {
        let text = self.folder.read(name)?;
        if let Some(Text { file, .. }) = &text {
            self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(file.clone());
        }
        Ok(text)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.folder.environment()
    }
}
