//! Where the figures are from.

use std::fmt;
use std::process::Command;

/// What a reader must know of the machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) date: String,
    pub(super) processors: usize,
    pub(super) model: String,
    pub(super) kernel: String,
    pub(super) rustc: String,
}

impl Machine {
    /// This one, now. What cannot be found out is "unknown".
    pub(super) fn here() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the date of a page")]
        let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout);
        let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
        Self {
            date: now.chars().take_while(|&c| c != 'T').collect(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            model: known(&model(&read("/proc/cpuinfo"))),
            kernel: known(read("/proc/sys/kernel/osrelease").trim()),
            rustc: known(String::from_utf8_lossy(&rustc.unwrap_or_default()).trim()),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, processors, model, kernel, rustc } = self;
        write!(f, "{date}; {processors} processors ({model}), Linux {kernel}, {rustc}")
    }
}

fn model(cpuinfo: &str) -> String {
    let value = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    value.map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_processor() {
        assert_eq!(
            model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nprocessor\t: 1\n"),
            "Some CPU @ 2 GHz"
        );
        assert_eq!(model("processor\t: 0\n"), "");
    }

    #[test]
    fn here_something_is_known() {
        let here = Machine::here();
        assert!(here.processors > 0);
        let digits = here.date.chars().filter(char::is_ascii_digit).count();
        assert_eq!((here.date.len(), digits), (10, 8), "{here}");
    }
}
