//! What the system says of this process. Where it says nothing, nothing is known.

use std::path::Path;

/// Folders looked into at most, one below the other.
const DEPTH_MAX: usize = 8;
/// Files counted at most.
const FILES_MAX: usize = 100_000;

/// Memory, threads, files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Memory in use, in bytes.
    pub memory_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Open files and sockets.
    pub files_open: Option<u64>,
    /// How many there may be.
    pub files_max: Option<u64>,
}

impl Process {
    /// As it is now. Reads from `/proc`, which does not wait for a disk.
    pub fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = std::fs::read_dir("/proc/self/fd").ok();
        Self {
            memory_bytes: number(&status, "VmRSS:").map(|kib| kib.saturating_mul(1_024)),
            threads: number(&status, "Threads:"),
            files_open: files.map(|files| files.count() as u64),
            files_max: number(&limits, "Max open files"),
        }
    }
}

/// The first number behind a word at the beginning of a line.
fn number(text: &str, word: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Bytes that the files in a folder take, those below it too. Blocks.
pub fn folder_bytes(folder: &Path) -> u64 {
    let mut counted = 0;
    bytes_in(folder, DEPTH_MAX, &mut counted)
}

fn bytes_in(folder: &Path, depth: usize, counted: &mut usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let mut bytes = 0_u64;
    for entry in entries.flatten() {
        *counted += 1;
        if *counted > FILES_MAX {
            break;
        }
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() {
            bytes = bytes.saturating_add(about.len());
        } else if about.is_dir() && depth > 0 {
            bytes = bytes.saturating_add(bytes_in(&entry.path(), depth - 1, counted));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_threads_and_a_folder_its_bytes() {
        let process = Process::read();
        assert!(
            process.memory_bytes > Some(1_000_000) && process.threads >= Some(1),
            "{process:?}"
        );
        assert!(process.files_open > Some(2) && process.files_max > Some(2), "{process:?}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        std::fs::write(folder.path().join("a"), [0; 10]).unwrap();
        std::fs::write(folder.path().join("below/b"), [0; 32]).unwrap();
        assert_eq!(folder_bytes(folder.path()), 42);
        assert_eq!(folder_bytes(&folder.path().join("none")), 0);
    }
}
