//! What is kept: data and backups; and whom the server relies on.

use super::Finding;

/// How old the newest backup is, in seconds (`None`: there is none), how often they are made (0: not by
/// the clock), and whether there are accounts to lose.
pub fn backup(age_s: Option<u64>, every_h: u64, has_accounts: bool) -> Finding {
    let check = "backup";
    let hours = |seconds: u64| format!("{} h", seconds / 3_600);
    match age_s {
        None if !has_accounts => Finding::ok(check, "there is nothing to back up yet"),
        None => Finding::failed(
            check,
            "there is none",
            "`anteroom backup`, and backup.every_h above 0: a disk dies when it likes",
        ),
        Some(age) if every_h == 0 && age > 7 * 86_400 => Finding::warning(
            check,
            format!("the newest is {} old, and none is made by the clock", hours(age)),
            "`anteroom backup`, or backup.every_h = 24",
        ),
        Some(age) if every_h > 0 && age > every_h.saturating_mul(2 * 3_600) => Finding::warning(
            check,
            format!("the newest is {} old, and one is due every {every_h} h", hours(age)),
            "look for \"no backup was made\" in the log, and at the space in backup.folder",
        ),
        Some(age) => Finding::ok(check, format!("the newest is {} old", hours(age))),
    }
}

/// Whether the stored data can be read, and if not, why; `None`: a server runs and reads it.
pub fn data(opened: Option<Result<u64, String>>) -> Finding {
    let check = "stored data";
    match opened {
        None => Finding::ok(check, "in use by the server that runs"),
        Some(Ok(accounts)) => Finding::ok(check, format!("{accounts} accounts")),
        Some(Err(why)) => Finding::failed(
            check,
            why,
            "start the version of the program that wrote it, or restore a backup",
        ),
    }
}

/// Ports that cannot be had, each with why; whether a server runs on this folder.
pub fn ports(taken: &[(String, String)], is_running: bool) -> Finding {
    let check = "ports";
    if is_running {
        return Finding::ok(check, "in use by the server that runs");
    }
    let Some((first, why)) = taken.first() else { return Finding::ok(check, "free") };
    Finding::failed(
        check,
        format!("{first}: {why}"),
        format!(
            "{} of the ports cannot be had: stop what has them, or change [server]",
            taken.len()
        ),
    )
}

/// What came of asking an identity provider with a proof that was made up: `Err`, and why, when it
/// could not say no; `None`: nobody had to be asked.
pub fn provider(name: &str, answer: Option<Result<(), String>>) -> Finding {
    let check = format!("provider {name}");
    match answer {
        None => Finding::ok(&check, "configured; it is asked only with a real proof"),
        Some(Ok(())) => Finding::ok(&check, "answers, and refuses what was made up"),
        Some(Err(why)) => Finding::failed(
            &check,
            why,
            "its players cannot sign in: check the way out, and the credentials in [identity]",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::Level::{Failed, Ok as Good, Warning};

    #[test]
    fn backups_that_are_missing_or_old_are_told() {
        let day = 86_400;
        assert_eq!(backup(None, 24, false).level, Good);
        assert_eq!(backup(None, 24, true).level, Failed);
        assert_eq!(backup(Some(day), 24, true).level, Good);
        assert_eq!(backup(Some(3 * day), 24, true).level, Warning);
        assert_eq!(backup(Some(3 * day), 0, true).level, Good);
        assert_eq!(backup(Some(8 * day), 0, true).level, Warning);
    }

    #[test]
    fn data_ports_and_providers_that_fail_are_told() {
        assert_eq!(data(None).level, Good);
        assert_eq!(data(Some(Ok(5))).found, "5 accounts");
        assert_eq!(data(Some(Err("format 9".to_owned()))).level, Failed);
        let taken = [("0.0.0.0:7350".to_owned(), "in use".to_owned())];
        assert_eq!(ports(&taken, true).level, Good);
        assert_eq!(ports(&[], false).level, Good);
        assert_eq!(ports(&taken, false).found, "0.0.0.0:7350: in use");
        assert_eq!(provider("steam", None).level, Good);
        assert_eq!(provider("steam", Some(Ok(()))).level, Good);
        assert_eq!(provider("steam", Some(Err("no connection".to_owned()))).level, Failed);
    }
}
