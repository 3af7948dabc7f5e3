//! What a server costs that nobody plays on.

use std::path::Path;

use crate::program::Program;

/// What the kernel says of a process's memory, in kB.
pub fn resident_kb(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a field");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[actix_rt::test]
async fn an_idle_server_holds_little_memory_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let held = resident_kb(program.pid(), "RssAnon");
    // 7 MB measured. One of sled's histograms, an early channel or a huge page more is 22, 2 or 60.
    assert!(held < 14_000, "{held} kB");
}
