//! Arguments in, exit code out.

fn main() -> std::process::ExitCode {
    anteroom::cli::run()
}
