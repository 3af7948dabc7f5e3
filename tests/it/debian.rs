//! Programs of Debian's packages, unpacked below `target` and not installed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `program`, a path below `usr`, of `package` is: installed, or unpacked.
pub fn program(package: &str, program: &str) -> PathBuf {
    let installed = Path::new("/usr").join(program);
    if installed.exists() {
        return installed;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    let found = folder.join("usr").join(program);
    if found.exists() {
        return found;
    }
    // One at a time: several updates of apt's lists get in each other's way.
    let lock = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian.lock")).unwrap();
    lock.lock().unwrap();
    if found.exists() {
        return found;
    }
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let get = format!("apt-get download {package}");
    let script = format!("{get} || {{ apt-get update && {get}; }} && dpkg -x *.deb unpacked");
    let done = Command::new("sh").args(["-c", &script]).current_dir(&fresh).output().unwrap();
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "needs Debian's package {package}: {words}");
    std::fs::rename(fresh.path().join("unpacked"), &folder).unwrap();
    found
}
