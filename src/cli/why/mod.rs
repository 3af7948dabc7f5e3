//! `anteroom why`: why a player waited, from the journal of the line. Reads files only, beside a
//! running server too.
//!
//! [`replay`] plays the journal, [`telling`] has the words.

mod replay;
mod telling;

use std::io::{self, Write as _};
use std::process::ExitCode;

use aws_lc_rs::hmac;
use clap::{ArgGroup, Args};
use serde::Serialize;

use self::replay::{Asked, Replay, WhyError};
use super::moment::Moment;
use super::{ServeArgs, fail};
use crate::clock::Clock;
use crate::config::secrets::{Secrets, key_bytes};
use crate::config::{Config, load};
use crate::domain::queue::{Identity, Number};
use crate::domain::time::UnixMicros;
use crate::domain::token::ticket::TicketKeys;
use crate::domain::why::{Scene, Story, Subject};

/// Whom, or which moment.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true).multiple(true))]
pub struct WhyArgs {
    /// The number of a ticket
    #[arg(long, value_name = "NUMBER", group = "whom", conflicts_with_all = ["token", "device_key", "owner"])]
    ticket: Option<u64>,
    /// The lifetime of the line that gave the number [default: the latest that did]
    #[arg(long, requires = "ticket")]
    epoch: Option<u32>,
    /// A ticket or pass token, as the player's client holds it
    #[arg(long, group = "whom", conflicts_with_all = ["device_key", "owner"])]
    token: Option<String>,
    /// The secret of a device that entered by the queue API
    #[arg(long, value_name = "SECRET", group = "whom", conflicts_with = "owner")]
    device_key: Option<String>,
    /// Who stood in line without a token: device:ID, custom:ID, email:ADDRESS, username:NAME, steam:ID
    #[arg(long, value_name = "KIND:ID", group = "whom", value_parser = parse_owner)]
    owner: Option<(String, String)>,
    /// With an owner: the wait at that moment. Alone: the line at that moment. 90s, 15m, 2h, 7d ago,
    /// 2027-01-15T08:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", group = "whom", value_parser = Moment::parse)]
    at: Option<Moment>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServeArgs,
}

fn parse_owner(text: &str) -> Result<(String, String), String> {
    let (kind, id) = text.split_once(':').ok_or("not like device:ID")?;
    Ok((kind.to_owned(), id.to_owned()))
}

/// Prints the story. Exit code 0: told; 1: not to be told; 78: settings that cannot be used.
pub fn run(args: &WhyArgs) -> ExitCode {
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, 78),
    };
    let text = match answer(args, &config) {
        Ok(text) => text,
        Err(error) => return fail(&format!("why: {error}"), 1),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever read the output has had enough of it.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error, 1),
        _ => ExitCode::SUCCESS,
    }
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Told<'a> {
    /// Whether the replay is what happened, as far as it could be compared.
    exact: bool,
    /// For people.
    summary: String,
    story: &'a Story,
    /// Other tickets of the owner.
    others: Vec<Number>,
}

fn answer(args: &WhyArgs, config: &Config) -> Result<String, WhyError> {
    let replay = Replay::open(&config.server.data)?;
    let at = args.at.map(|moment| moment.at(Clock::machine().now()));
    let Some(asked) = asked(args, config)? else {
        let scene = replay.scene(at.unwrap_or(UnixMicros(u64::MAX)))?;
        return Ok(if args.json { json::<Scene>(&scene) } else { telling::scene(&scene) });
    };
    let found = replay.stories(asked)?;
    let story = chosen(&found.stories, at).ok_or(WhyError::NobodyThen)?;
    if !args.json {
        return Ok(telling::story(story, &found));
    }
    let others = found.stories.iter().filter(|other| other.number != story.number);
    Ok(json(&Told {
        exact: found.proofs_failed == 0,
        summary: telling::summary(story),
        story,
        others: others.map(|other| other.number).collect(),
    }))
}

fn json<T: Serialize>(told: &T) -> String {
    // Plain data with text keys: it can be written.
    serde_json::to_string_pretty(told).unwrap_or_default() + "\n"
}

/// Whom the arguments mean; `None`: a moment alone.
fn asked(args: &WhyArgs, config: &Config) -> Result<Option<Asked>, WhyError> {
    if let Some(number) = args.ticket {
        return Ok(Some(Asked { subject: Subject::Number(Number(number)), epoch: args.epoch }));
    }
    let wanted = args.token.is_some() || args.device_key.is_some() || args.owner.is_some();
    if !wanted {
        return Ok(None);
    }
    let secrets =
        Secrets::read(&config.server.data).map_err(|e| WhyError::Secrets(e.to_string()))?;
    let bytes = |key: &str| {
        key_bytes(key).ok_or_else(|| WhyError::Secrets("a key is not 32 bytes".to_owned()))
    };
    if let Some(token) = &args.token {
        let before = secrets.previous_ticket_key.as_deref().map(bytes).transpose()?;
        let keys = TicketKeys::new(bytes(&secrets.ticket_key)?, before);
        // Its life does not matter: it is not let in by this.
        let claims = keys.verify(token.trim(), UnixMicros(0)).map_err(WhyError::Token)?;
        let subject = Subject::Number(claims.ticket.number);
        return Ok(Some(Asked { subject, epoch: Some(claims.ticket.epoch) }));
    }
    let (kind, id) = match (&args.device_key, &args.owner) {
        (Some(secret), _) => ("device-key", secret),
        (None, Some((kind, id))) => (kind.as_str(), id),
        (None, None) => return Ok(None),
    };
    // The line's key is the first half, as the server takes it.
    let key = bytes(&secrets.identity_key)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.get(..16).unwrap_or_default());
    Ok(Some(Asked { subject: Subject::Owner(Identity::of(&key, kind, id)), epoch: None }))
}

/// The story of this moment, or the last one.
fn chosen(stories: &[Story], at: Option<UnixMicros>) -> Option<&Story> {
    let Some(at) = at else { return stories.last() };
    stories.iter().rev().find(|story| story.entered_at <= at && at <= story.until)
}
