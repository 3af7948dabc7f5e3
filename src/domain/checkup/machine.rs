//! The machine: limits, clock, disk, speed.

use super::Finding;

/// Files a server needs beside its sockets.
const FILES_BESIDE: u64 = 512;
/// Fewer files than this are no server's.
const FILES_MIN: u64 = 4_096;

/// Open files the process may have (`None`: without limit), and sockets the settings allow for: a file
/// each.
pub fn files(limit: Option<u64>, sockets: u64) -> Finding {
    let check = "open files";
    let wanted = sockets.saturating_add(FILES_BESIDE).max(FILES_MIN);
    let advice = format!(
        "raise it to {wanted} or more: LimitNOFILE={wanted} in the systemd unit, or `ulimit -n \
         {wanted}` before the start"
    );
    match limit {
        None => Finding::ok(check, "without limit"),
        Some(limit) if limit >= wanted => Finding::ok(check, format!("{limit}")),
        Some(limit) if limit >= FILES_MIN => {
            let found = format!("{limit}, and queue.cap lets {sockets} sockets in");
            Finding::warning(check, found, advice)
        }
        Some(limit) => {
            let found = format!("{limit}: no more than so many players can be connected");
            Finding::failed(check, found, advice)
        }
    }
}

/// The longest line of connections that wait to be accepted, as the system allows it (`None`: it does
/// not say), and as long as the server would have it.
pub fn backlog(allowed: Option<u64>, wanted: u64) -> Finding {
    let check = "connections waiting to be accepted";
    match allowed {
        None => Finding::ok(check, "not checked: the system does not say"),
        Some(allowed) if allowed >= wanted => Finding::ok(check, format!("{allowed}")),
        Some(allowed) => Finding::warning(
            check,
            format!("{allowed} (net.core.somaxconn)"),
            format!(
                "a crowd that connects in one second is cut off: sysctl -w net.core.somaxconn={wanted}"
            ),
        ),
    }
}

/// How far the clock is from others', in seconds (`None`: nobody to compare with), and whose.
pub fn clock(off_s: Option<i64>, whose: &str) -> Finding {
    let check = "clock";
    let advice =
        "tokens are good by the clock: let the machine keep time (timedatectl set-ntp true)";
    match off_s.map(i64::unsigned_abs) {
        None => Finding::ok(check, "not checked: no provider answered with its time"),
        Some(off) if off <= 2 => Finding::ok(check, format!("{off} s off {whose}'s")),
        Some(off) if off <= 30 => Finding::warning(check, format!("{off} s off {whose}'s"), advice),
        Some(off) => Finding::failed(check, format!("{off} s off {whose}'s"), advice),
    }
}

/// How long the disk takes to have something for certain: the median, in microseconds.
pub fn flush(median_us: u64) -> Finding {
    let check = "disk flush";
    let found = format!("{}.{:02} ms", median_us / 1_000, median_us % 1_000 / 10);
    let advice = "every sign-up waits for one, shared with those who come at the same time: use a \
                  local SSD, no network disk";
    match median_us {
        0..10_000 => Finding::ok(check, found),
        10_000..100_000 => Finding::warning(check, found, advice),
        _ => Finding::failed(check, found, advice),
    }
}

/// Free bytes where the data is, and how many there are.
pub fn disk(free: u64, total: u64) -> Finding {
    let check = "disk space";
    let gib =
        |bytes: u64| format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30);
    let found = format!("{} of {} free", gib(free), gib(total));
    let advice = "a full disk ends the server: it never says that something is done which is not";
    if free < 1 << 30 {
        Finding::failed(check, found, advice)
    } else if free < 10 << 30 && free < total / 5 {
        Finding::warning(check, found, advice)
    } else {
        Finding::ok(check, found)
    }
}

/// The server's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// There is none yet; whether one can be made.
    Missing {
        /// Whether it can.
        can_be_made: bool,
    },
    /// It cannot be used, and why.
    Unusable(String),
    /// It is there and can be written; its mode.
    Writable {
        /// The mode's last nine bits.
        mode: u32,
    },
}

/// Whether the server can use its folder, and who else can.
pub fn folder(folder: &Folder, path: &str) -> Finding {
    let check = "data folder";
    match folder {
        Folder::Missing { can_be_made: true } => {
            Finding::ok(check, format!("{path} is not there yet and will be made"))
        }
        Folder::Missing { can_be_made: false } => Finding::failed(
            check,
            format!("{path} is not there and cannot be made"),
            "make it, owned by the user the server runs as, or set server.data",
        ),
        Folder::Unusable(why) => Finding::failed(
            check,
            format!("{path}: {why}"),
            "let the user the server runs as own it: chown -R anteroom FOLDER",
        ),
        Folder::Writable { mode } if mode & 0o022 != 0 => Finding::failed(
            check,
            format!("{path} can be written by others (mode {mode:03o})"),
            format!("chmod 750 {path}"),
        ),
        Folder::Writable { mode } if mode & 0o005 != 0 => Finding::warning(
            check,
            format!("{path} can be read by everybody (mode {mode:03o})"),
            format!("password hashes and addresses are in it: chmod 750 {path}"),
        ),
        Folder::Writable { .. } => Finding::ok(check, path),
    }
}

/// How long a password takes to hash, in microseconds, on how many threads, and how many are let in a
/// second.
pub fn hashing(each_us: u64, threads: u64, rate: f64) -> Finding {
    let check = "passwords";
    let each_us = each_us.max(1);
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let a_second = threads as f64 * 1_000_000.0 / each_us as f64;
    let found = format!("{} ms each, {a_second:.0} a second on {threads} threads", each_us / 1_000);
    if each_us > 1_000_000 {
        let advice =
            "a second and more for each: lower passwords.memory_kib or passwords.iterations";
        return Finding::failed(check, found, advice);
    }
    if rate <= a_second {
        return Finding::ok(check, found);
    }
    let cost = (rate / a_second).ceil();
    Finding::warning(
        check,
        format!("{found}, and queue.rate lets {rate:.0} in"),
        format!(
            "if most of them sign in by password, they would wait behind the line again: set \
             queue.rate = {a_second:.0}, or queue.cost_password = {cost:.0} so that only they slow it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::Level::{self, Failed, Ok, Warning};

    #[track_caller]
    fn is(finding: &Finding, level: Level, words: &str) {
        assert_eq!(finding.level, level, "{finding:?}");
        let text = format!("{} {}", finding.found, finding.advice);
        assert!(text.contains(words), "{finding:?}");
        assert_eq!(finding.advice.is_empty(), level == Ok, "{finding:?}");
    }

    #[test]
    fn too_few_files_are_told_with_how_many_it_takes() {
        is(&files(None, 60_000), Ok, "without limit");
        is(&files(Some(100_000), 60_000), Ok, "100000");
        is(&files(Some(20_000), 60_000), Warning, "LimitNOFILE=60512");
        is(&files(Some(1_024), 60_000), Failed, "1024: no more");
        is(&files(Some(4_096), 10), Ok, "4096");
    }

    #[test]
    fn a_short_backlog_is_told() {
        is(&backlog(Some(4_096), 4_096), Ok, "4096");
        is(&backlog(None, 4_096), Ok, "not checked");
        is(&backlog(Some(128), 4_096), Warning, "net.core.somaxconn=4096");
    }

    #[test]
    fn a_clock_that_is_off_is_told_either_way() {
        is(&clock(Some(-1), "google"), Ok, "google");
        is(&clock(None, ""), Ok, "not checked");
        is(&clock(Some(-10), "google"), Warning, "10 s off google's");
        is(&clock(Some(3_600), "google"), Failed, "3600 s");
    }

    #[test]
    fn slow_and_full_disks_are_told() {
        is(&flush(150), Ok, "0.15 ms");
        is(&flush(12_340), Warning, "12.34 ms");
        is(&flush(250_000), Failed, "250.00 ms");
        is(&disk(500 << 30, 1_000 << 30), Ok, "500.0 GiB of 1000.0 GiB");
        is(&disk(8 << 30, 20 << 30), Ok, "8.0 GiB");
        is(&disk(5 << 30, 100 << 30), Warning, "5.0 GiB");
        is(&disk(1 << 29, 100 << 30), Failed, "0.5 GiB");
    }

    #[test]
    fn a_folder_that_is_broken_or_open_is_told() {
        let at = |it| folder(&it, "/srv/a");
        is(&at(Folder::Missing { can_be_made: true }), Ok, "will be made");
        is(&at(Folder::Missing { can_be_made: false }), Failed, "cannot be made");
        is(&at(Folder::Unusable("read-only".to_owned())), Failed, "read-only");
        is(&at(Folder::Writable { mode: 0o750 }), Ok, "/srv/a");
        is(&at(Folder::Writable { mode: 0o755 }), Warning, "chmod 750 /srv/a");
        is(&at(Folder::Writable { mode: 0o777 }), Failed, "written by others");
    }

    #[test]
    fn slow_hashes_recommend_a_rate() {
        is(&hashing(16_000, 2, 50.0), Ok, "125 a second on 2 threads");
        is(&hashing(16_000, 2, 500.0), Warning, "queue.cost_password = 4");
        is(&hashing(2_000_000, 2, 0.1), Failed, "passwords.memory_kib");
    }
}
