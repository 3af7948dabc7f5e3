//! Arguments in, exit code out.

/// The accounts, sockets and futures of a launch are allocated all day, on many threads: cheaper here
/// than with glibc's allocator (docs/figures.md), and musl's would be far slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    anteroom::cli::run()
}
