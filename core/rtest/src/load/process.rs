//! What a process has used, from `/proc`.

use std::io;
use std::time::Duration;

/// Length of a clock tick as `/proc` counts it: 1/100 s on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    /// User and system time of all its threads.
    pub(super) cpu: Duration,
    /// Resident memory in KiB.
    pub(super) rss: u64,
}

impl Usage {
    /// Of the process `pid`.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}"));
        let cpu = parse_stat(&read("stat")?);
        let rss = parse_status(&read("status")?);
        cpu.zip(rss)
            .map(|(cpu, rss)| Self { cpu, rss })
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "cannot make sense of /proc"))
    }
}

fn parse_stat(text: &str) -> Option<Duration> {
    // The second field, a name in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let user = times.next()?.ok()?;
    let system = times.next()?.ok()?;
    TICK.checked_mul(user.checked_add(system)?)
}

fn parse_status(text: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc() {
        let stat = "12 (a) b) S 1 12 12 0 -1 4194560 500 0 0 0 250 50 7 7 20 0 3 0 1 2 3";
        assert_eq!(parse_stat(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse_status("Name:\tx\nVmRSS:\t   10240 kB\nVmSwap: 0 kB\n"), Some(10_240));
        assert_eq!(parse_stat("12 (a"), None);
        assert_eq!(parse_status("Name: x"), None);
        assert!(Usage::of(std::process::id()).unwrap().rss > 0);
    }
}
