//! `anteroom doctor`: what is measured here is judged by [`crate::domain::checkup`].

mod outside;
mod probes;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::ServeArgs;
use super::operator::OperatorArgs;
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::domain::checkup::{self, Finding, Level};

/// Which server, and how to tell.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// Tell it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    server: ServeArgs,
}

pub(super) fn run(args: &DoctorArgs) -> ExitCode {
    let findings = match load(&args.server.clone().into()) {
        Ok(config) => look(&config, &args.operator),
        Err(error) => {
            let advice = "the server does not start with them: config.toml lists every key";
            vec![Finding::failed("settings", error.to_string(), advice)]
        }
    };
    let worst = checkup::worst(&findings);
    let text = if args.json {
        serde_json::json!({"level": worst, "findings": findings}).to_string()
    } else {
        told(&findings)
    };
    // Nobody may be reading; the exit code says it, too.
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    if worst == Level::Failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Every check, cheap ones first.
fn look(config: &Config, operator: &OperatorArgs) -> Vec<Finding> {
    let clock = Clock::machine();
    let mut findings = vec![Finding::ok("settings", "as they should be")];
    findings.extend(probes::machine(config));
    findings.extend(probes::access(config));
    findings.extend(probes::certificate(config, &clock));
    findings.extend(probes::upkeep(config, &clock));
    findings.extend(outside::look(config, &clock));
    findings.push(outside::round_trip(config, operator));
    findings
}

fn told(findings: &[Finding]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for Finding { check, level, found, advice } in findings {
        let word = match level {
            Level::Ok => "ok     ",
            Level::Warning => "warning",
            Level::Failed => "FAILED ",
        };
        let _ = writeln!(text, "{word}  {check}: {found}");
        if !advice.is_empty() {
            let _ = writeln!(text, "         {advice}");
        }
    }
    text
}
