//! What the machine says about a server's process. Only for one on this machine.

use std::fs;

/// Clock ticks a second in `/proc`: fixed for programs since Linux 2.6.
const TICKS: f64 = 100.0;

/// A process that can be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(pub(super) u32);

/// CPU and memory at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// User and system time of all threads so far, in seconds.
    pub(super) cpu_s: f64,
    /// Resident memory, in bytes.
    pub(super) rss: u64,
}

impl Process {
    /// What it has used; `None` when it is gone.
    pub(super) fn usage(self) -> Option<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        Some(Usage { cpu_s: cpu(&stat)?, rss: rss(&status)? })
    }
}

fn cpu(stat: &str) -> Option<f64> {
    // The name in parentheses may hold spaces and parentheses itself.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

fn rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found() {
        let stat = "42 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(rss("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2_097_152));
        assert!(Process(std::process::id()).usage().is_some_and(|usage| usage.rss > 100_000));
        assert_eq!(Process(u32::MAX).usage(), None);
    }
}
