//! `rtcd check`: all that a start would stumble over.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use rtcd_server::{ConfigDir, ConfigErrors, Source, Text};

use crate::Program;
use crate::error::Error;

/// Prints what is wrong, each problem on a line, or which files are good.
pub(crate) fn run(program: Program, folder: &Path) -> Result<ExitCode, Error> {
    let files = Arc::new(Files { folder: ConfigDir::new(folder, program.embedded), read: Mutex::default() });
    // What plugins start when they are loaded ends with the runtime.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let checked = runtime.block_on(rtcd_server::check(files.clone()));
    runtime.shutdown_background();
    match checked {
        Ok(()) => {
            for file in files.read.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                println!("{file}: ok");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(ConfigErrors(problems)) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
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
