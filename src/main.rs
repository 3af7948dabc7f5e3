//! Arguments in, exit code out.

/// The accounts, sockets and futures of a launch are allocated all day: a third of a new account's
/// CPU time is saved against glibc's allocator, and musl's would be far slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    anteroom::cli::run()
}
