//! `anteroom ctl`: the dials from a shell, over the operator API. A change is shown before it is made.

mod telling;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::moment::Moment;
use super::operator::{Operator, OperatorArgs, OperatorError};
use super::{ServeArgs, UNUSABLE, fail, say};
use crate::config::load;
use crate::domain::time::UnixMicros;

/// The line answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(30);
/// A backup takes its time.
const BACKUP_PATIENCE: Duration = Duration::from_hours(1);

/// What to look at or turn.
#[derive(Clone, Debug, Args)]
pub struct CtlArgs {
    #[command(subcommand)]
    what: Ctl,
    /// Print answers as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    operator: OperatorArgs,
    #[command(flatten)]
    server: ServeArgs,
}

#[derive(Clone, Debug, Subcommand)]
enum Ctl {
    /// The line and its dials
    Queue {
        #[command(subcommand)]
        what: Queue,
    },
    /// A backup, on the server's disk
    Backup {
        /// Put the server's secrets in as well
        #[arg(long)]
        with_secrets: bool,
    },
}

#[derive(Clone, Debug, Subcommand)]
enum Queue {
    /// The line at a glance
    Show,
    /// Turn rate and cap
    Set {
        /// Admissions a second
        #[arg(long)]
        rate: Option<f64>,
        /// Slots
        #[arg(long)]
        cap: Option<u64>,
        #[command(flatten)]
        sure: Sure,
    },
    /// Let nobody in; places are kept
    Pause(Said),
    /// The same, and players are told that sign-ins fail
    Hold(Said),
    /// Let in who waits, take nobody new
    Drain(Said),
    /// Let nobody in, take nobody new
    Maintenance(Said),
    /// Go on
    Open(Sure),
    /// Take a change back
    Undo {
        /// Its id [default: the last one]
        id: Option<uuid::Uuid>,
        #[command(flatten)]
        sure: Sure,
    },
}

/// What players are told, and until when.
#[derive(Clone, Debug, Args)]
struct Said {
    /// What players read, 200 characters at most
    #[arg(long, default_value = "")]
    message: String,
    /// When the line opens by itself: 15m, 2h from now, or 2027-01-15T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    until: Option<Moment>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Clone, Copy, Debug, Args)]
struct Sure {
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
enum CtlError {
    /// No answer, or no.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// Nobody says yes.
    #[error("nobody to ask: give --yes. Nothing was changed")]
    NobodyThere,
    /// Somebody said no.
    #[error("nothing was changed")]
    Declined,
    /// There is nothing to take back.
    #[error("nothing was changed lately that could be taken back")]
    NothingMade,
    /// `set` without a dial.
    #[error("say what to turn: --rate, --cap")]
    NothingAsked,
}

pub(super) fn run(args: &CtlArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    let patience = match args.what {
        Ctl::Queue { .. } => PATIENCE,
        Ctl::Backup { .. } => BACKUP_PATIENCE,
    };
    let operator = Operator::new(&args.operator, config.operators_url(), patience);
    match operator.map_err(Into::into).and_then(|operator| act(&operator, args)) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error @ (CtlError::NobodyThere | CtlError::NothingAsked)) => fail(&error, 2),
        Err(error) => fail(&error, 1),
    }
}

fn act(operator: &Operator, args: &CtlArgs) -> Result<String, CtlError> {
    let turn = Turn { operator, json: args.json };
    match &args.what {
        Ctl::Backup { with_secrets } => {
            let ask = json!({"secrets": with_secrets});
            let made = operator.ask(Method::POST, "/backup", Some(&ask))?;
            Ok(turn.told(&made, telling::backup))
        }
        Ctl::Queue { what } => match what {
            Queue::Show => {
                let seen = operator.ask(Method::GET, "/queue", None)?;
                Ok(turn.told(&seen, telling::queue))
            }
            Queue::Set { rate, cap, sure } => {
                let mut change = Map::new();
                change.extend(rate.map(|rate| ("rate".to_owned(), rate.into())));
                change.extend(cap.map(|cap| ("cap".to_owned(), cap.into())));
                if change.is_empty() {
                    return Err(CtlError::NothingAsked);
                }
                turn.change(&change.into(), *sure)
            }
            Queue::Pause(said) => turn.announce("paused", said),
            Queue::Hold(said) => turn.announce("held", said),
            Queue::Drain(said) => turn.announce("draining", said),
            Queue::Maintenance(said) => turn.announce("maintenance", said),
            Queue::Open(sure) => turn.change(&json!({"announce": {"mode": "open"}}), *sure),
            Queue::Undo { id, sure } => turn.undo(*id, *sure),
        },
    }
}

/// Turns a dial: stage, show, ask, apply.
struct Turn<'a> {
    operator: &'a Operator,
    json: bool,
}

impl Turn<'_> {
    fn told(&self, answer: &Value, words: fn(&Value) -> String) -> String {
        if self.json { answer.to_string() } else { words(answer) }
    }

    fn announce(&self, mode: &str, said: &Said) -> Result<String, CtlError> {
        let mut announce = json!({"mode": mode, "message": said.message});
        if let Some(until) = said.until {
            // By the server's clock: ours may be off.
            let seen = self.operator.ask(Method::GET, "/queue", None)?;
            let now = UnixMicros::from_millis(seen["now_ms"].as_u64().unwrap_or_default());
            announce["until_ms"] = until.ahead_of(now).as_millis().into();
        }
        self.change(&json!({"announce": announce}), said.sure)
    }

    fn change(&self, change: &Value, sure: Sure) -> Result<String, CtlError> {
        let staged = self.operator.ask(Method::POST, "/queue/changes", Some(change))?;
        let id = staged["id"].as_str().unwrap_or_default();
        if let Err(error) = confirm(&telling::preview(&staged), sure) {
            // It would lapse by itself.
            let _ = self.operator.ask(Method::DELETE, &format!("/queue/changes/{id}"), None);
            return Err(error);
        }
        let made = self.operator.ask(Method::POST, &format!("/queue/changes/{id}/apply"), None)?;
        Ok(self.told(&made, telling::made))
    }

    fn undo(&self, id: Option<uuid::Uuid>, sure: Sure) -> Result<String, CtlError> {
        let seen = self.operator.ask(Method::GET, "/queue", None)?;
        let made = seen["made"].as_array().map(Vec::as_slice).unwrap_or_default();
        let wanted = id.map(|id| id.to_string());
        let found = made.iter().filter(|made| match &wanted {
            Some(id) => made["id"] == **id,
            None => made["undone"] == false,
        });
        let found = found.max_by_key(|made| made["at_ms"].as_u64()).ok_or(CtlError::NothingMade)?;
        confirm(&telling::undoing(found), sure)?;
        let id = found["id"].as_str().unwrap_or_default();
        let undone = self.operator.ask(Method::POST, &format!("/queue/changes/{id}/undo"), None)?;
        Ok(self.told(&undone, telling::undone))
    }
}

/// Shows what would be done and asks, unless that was said before.
fn confirm(preview: &str, sure: Sure) -> Result<(), CtlError> {
    let mut out = io::stderr();
    // Nobody may be reading; then nobody says yes either.
    let _ = writeln!(out, "{preview}");
    if sure.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CtlError::NobodyThere);
    }
    let _ = write!(out, "do it? [y/N] ").and_then(|()| out.flush());
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).is_ok();
    if read && matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(CtlError::Declined)
    }
}
