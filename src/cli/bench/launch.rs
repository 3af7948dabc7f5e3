//! A launch from beginning to end.

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use awc::http::{Method, header};
use base64::Engine as _;
use futures_util::future::{Either, join_all, select};
use serde_json::Value;

use super::args::{LaunchArgs, authority};
use super::cast::{Part, cast};
use super::child::Child;
use super::probe::{self, Probed};
use super::progress::Bars;
use super::report::Report;
use super::score::micros;
use super::stage::{Scene, Stage, Usher};
use super::tally::Tally;
use super::watch::Watch;
use super::{http, player, verdict};
use crate::clock::Clock;

/// How often a thread looks whether the run is over.
const CURTAIN: Duration = Duration::from_millis(50);

/// Measures, prints, writes; `false`: a promise was broken.
pub(super) fn run(args: &LaunchArgs) -> anyhow::Result<bool> {
    args.check()?;
    let report = actix::System::new().block_on(measure(args))?;
    let json = serde_json::to_string_pretty(&report)?;
    std::fs::write(&args.json, json + "\n")
        .with_context(|| format!("cannot write {}", args.json.display()))?;
    print!("{report}");
    println!("\nWritten to {}.", args.json.display());
    Ok(report.broken.is_empty())
}

async fn measure(args: &LaunchArgs) -> anyhow::Result<Report> {
    let probed = if args.target.is_none() { probe::run(args).await? } else { Probed::default() };
    let own = match args.target {
        Some(_) => None,
        None => Some(Child::start(&settings(args)).await?),
    };
    let authority = match (&own, &args.target) {
        (Some(child), _) => child.authority.clone(),
        (None, Some(target)) => authority(target)?,
        (None, None) => anyhow::bail!("no server"),
    };
    let (tally, seen) = play(args, &authority, own.as_ref()).await?;
    let mut report = Report::new(args, tally, &seen, probed);
    report.broken = verdict::broken(args, &report);
    if own.as_ref().is_some_and(|child| child.process().usage().is_none()) {
        report.broken.push("the server ended by itself".into());
    }
    if let Some(child) = own.filter(|_| !report.broken.is_empty()) {
        eprintln!("The server's last words:\n{}", child.last_words());
    }
    Ok(report)
}

fn settings(args: &LaunchArgs) -> [(&'static str, String); 4] {
    [
        ("QUEUE__RATE", args.rate.to_string()),
        ("QUEUE__CAP", args.cap.to_string()),
        ("QUEUE__BURST", args.burst.to_string()),
        ("QUEUE__PASS_TTL_S", args.pass_ttl.to_string()),
    ]
}

async fn play(
    args: &LaunchArgs,
    authority: &str,
    own: Option<&Child>,
) -> anyhow::Result<(Tally, super::watch::Seen)> {
    let clock = Clock::machine();
    let scene = Arc::new(Scene::default());
    let mut usher = usher(args, authority, &scene);
    usher.shard = shard(&usher.open()).await?;
    let watch = Watch {
        client: http::client(),
        metrics: metrics(args, authority)?,
        process: own.map(Child::process),
        scene: Arc::clone(&scene),
        clock: clock.clone(),
        bars: Bars::new(args.players.into(), args.cap),
    };
    let ends = clock.now().plus_us(micros(args.limit));
    let threads: Vec<JoinHandle<Tally>> = (0..usize::from(args.threads))
        .map(|one| {
            let parts = cast(args).into_iter().skip(one).step_by(args.threads.into()).collect();
            let usher = usher.clone();
            std::thread::spawn(move || actix::System::new().block_on(perform(&usher, parts)))
        })
        .collect();
    let seen = watch.run(ends.0, &threads).await;
    let mut tally = Tally::default();
    for thread in threads {
        tally.add(thread.join().map_err(|_| anyhow::anyhow!("a thread of players panicked"))?);
    }
    Ok((tally, seen))
}

/// What players of a run have in common.
pub(super) fn usher(args: &LaunchArgs, authority: &str, scene: &Arc<Scene>) -> Usher {
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{}:", args.server_key));
    Usher {
        authority: authority.to_owned(),
        server_key: format!("Basic {key}"),
        shard: String::new(),
        pass_ttl: args.pass_ttl,
        login_ms: micros(args.seconds_to_login) / 1_000,
        clock: Clock::machine(),
        scene: Arc::clone(scene),
    }
}

/// Plays all parts of one thread.
async fn perform(usher: &Usher, parts: Vec<Part>) -> Tally {
    let stage = Rc::new(usher.open());
    let players = parts.into_iter().map(|part| actix::spawn(player::play(Rc::clone(&stage), part)));
    let all = join_all(players.collect::<Vec<_>>());
    let curtain = async {
        while !stage.is_over() {
            tokio::time::sleep(CURTAIN).await;
        }
        // Again and again, for somebody may just be about to sit down.
        loop {
            stage.curtain.notify_waiters();
            tokio::time::sleep(CURTAIN).await;
        }
    };
    let (all, curtain) = (pin!(all), pin!(curtain));
    let Either::Left((ended, _)) = select(all, curtain).await;
    for _ in ended.iter().filter(|end| end.is_err()) {
        stage.went_wrong("a player panicked: a bug in the bench".into());
    }
    stage.tally.take()
}

/// The shard Pragma's players sign in to.
pub(super) async fn shard(stage: &Stage) -> anyhow::Result<String> {
    let url = format!("http://{}/v1/info", stage.authority);
    let request = stage.client.request(Method::GET, &url).insert_header((header::ACCEPT, "*/*"));
    let mut answer =
        request.send().await.map_err(|error| anyhow::anyhow!("no answer from {url}: {error}"))?;
    let info: Value = answer.json().await.with_context(|| format!("{url} does not give JSON"))?;
    Ok(find(&info, "gameShardId").unwrap_or_default().to_owned())
}

/// A text of this name, however deep.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    match value {
        Value::Object(members) => members
            .get(name)
            .and_then(Value::as_str)
            .or_else(|| members.values().find_map(|member| find(member, name))),
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

fn metrics(args: &LaunchArgs, authority: &str) -> anyhow::Result<String> {
    if let Some(metrics) = &args.metrics {
        return Ok(metrics.clone());
    }
    let (host, port) = authority.rsplit_once(':').context("the target has no port")?;
    let port: u16 = port.parse()?;
    Ok(format!("http://{host}:{}/metrics", port.saturating_add(1)))
}
