//! Where the programs are, and the folder that they run in.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::Command;

use super::{BenchError, BenchOptions};

/// Free ports, and all files in the folder that it is started in.
const SETTINGS: &str = "rtc: {listen: '127.0.0.1:0'}\napi: {listen: '127.0.0.1:0'}\n";

/// A folder of this run alone, which goes with it.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    rtest: PathBuf,
    rtcd: PathBuf,
    /// Lists of processors: the server's, and the load maker's.
    pins: Option<[String; 2]>,
    files: AtomicU32,
}

impl Place {
    pub(super) fn new(options: &BenchOptions) -> Result<Self, BenchError> {
        let rtest = std::env::current_exe().map_err(BenchError::io("find this program"))?;
        let rtcd = options.server.clone().unwrap_or_else(|| rtest.with_file_name("rtcd"));
        // It is started in another folder.
        let rtcd = rtcd.canonicalize().map_err(|_| BenchError::NoServer(rtcd))?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let folder = std::env::temp_dir().join(format!("rtest-bench-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("conf")).map_err(BenchError::io("make a folder"))?;
        let place = Self {
            folder,
            rtest,
            rtcd,
            pins: options.pin.then(|| halves(processors)),
            files: AtomicU32::new(0),
        };
        let settings = place.folder.join("conf/rtcd.yaml");
        std::fs::write(settings, SETTINGS).map_err(BenchError::io("write settings"))?;
        Ok(place)
    }

    /// Settings of a plugin for the servers that are started from here on; none: as it comes.
    pub(super) fn settings(&self, plugin: &str, text: Option<&str>) -> Result<(), BenchError> {
        let file = self.folder.join(format!("conf/{plugin}.yaml"));
        match text {
            Some(text) => std::fs::write(file, text),
            None => std::fs::remove_file(file),
        }
        .map_err(BenchError::io(format!("set {plugin}")))
    }

    /// Parts the processors from here on, if there are two and `taskset` is there; gives back how it was.
    pub(super) fn part(&mut self) -> Option<[String; 2]> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let can = processors > 1
            && std::process::Command::new("taskset")
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        let parted = if can { Some(halves(processors)) } else { self.pins.clone() };
        std::mem::replace(&mut self.pins, parted)
    }

    /// Undoes it.
    pub(super) fn join(&mut self, before: Option<[String; 2]>) {
        self.pins = before;
    }

    /// Each file has a name of its own.
    pub(super) fn file(&self, kind: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{number}.{kind}"))
    }

    pub(super) fn server(&self) -> Command {
        let mut command = self.command(&self.rtcd, 0);
        // It is to be measured with the settings of its folder, whatever is set for a server of one's own.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RTCD_") {
                command.env_remove(name);
            }
        }
        command
    }

    pub(super) fn echo(&self) -> Command {
        let mut command = self.command(&self.rtest, 0);
        command.args(["echo", "-l", "127.0.0.1:0"]);
        command
    }

    pub(super) fn load(&self) -> Command {
        let mut command = self.command(&self.rtest, 1);
        command.arg("load");
        command
    }

    fn command(&self, program: &Path, half: usize) -> Command {
        let mut command = match self.pins.as_ref().and_then(|pins| pins.get(half)) {
            Some(processors) => {
                let mut command = Command::new("taskset");
                command.arg("-c").arg(processors).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Left over, it does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The first half of the processors, and the other one; all of one, if there is only one.
fn halves(processors: usize) -> [String; 2] {
    let half = processors / 2;
    if half == 0 {
        return ["0".to_owned(), "0".to_owned()];
    }
    [format!("0-{}", half - 1), format!("{half}-{}", processors - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_the_processors() {
        for (processors, expected) in [(1, ["0", "0"]), (2, ["0-0", "1-1"]), (5, ["0-1", "2-4"])] {
            assert_eq!(halves(processors), expected);
        }
    }
}
