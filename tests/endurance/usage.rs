//! What a process uses, from `/proc`.

use std::time::Duration;

/// What a process has used up to now, and uses now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Of all threads, user and system, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// Resident memory in KiB.
    pub(crate) rss: i64,
    /// Open files.
    pub(crate) files: usize,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        let status = read("status");
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        Self {
            cpu: Duration::from_millis(10) * u32::try_from(ticks(11) + ticks(12)).unwrap(),
            rss: rss.trim().trim_end_matches(" kB").parse().unwrap(),
            files,
        }
    }
}

/// Resident memory over time.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<(f64, f64)>);

impl Memory {
    /// So many KiB after so many seconds.
    pub(crate) fn add(&mut self, seconds: f64, rss: i64) {
        self.0.push((seconds, rss as f64));
    }

    /// KiB a minute over the last four fifths of the time, by least squares.
    pub(crate) fn slope(&self) -> f64 {
        let points = &self.0[self.0.len() / 5..];
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let (mut rise, mut run) = (0.0, 0.0);
        for point in points {
            rise += (point.0 - x) * (point.1 - y);
            run += (point.0 - x).powi(2);
        }
        60.0 * rise / run
    }
}

#[test]
fn a_line_has_its_slope() {
    let mut memory = Memory::default();
    for second in 0..10 {
        // The first fifth does not count.
        memory.add(f64::from(second), if second < 2 { 1_000_000 } else { 5_000 + 10 * i64::from(second) });
    }
    assert!((memory.slope() - 600.0).abs() < 1e-6, "{}", memory.slope());
}
