//! Hooks that are compiled in, on tokio's clock, which stands still but for what is waited for.

use std::sync::Mutex;

use uuid::Uuid;

use super::*;
use crate::clock::Stopwatch;
use crate::domain::account::{Account, AccountId, AccountNews, Link, LinkKind};

/// Answers as it is told.
#[derive(Default)]
struct Told {
    decide: Option<Result<Verdict, HookDown>>,
    /// How often it hears nothing before it hears.
    deaf: Mutex<usize>,
    heard: Mutex<Vec<Uuid>>,
    /// Which event was told, and how long after the one before, in milliseconds.
    tries: Mutex<Vec<(Uuid, u64)>>,
    last: Mutex<Option<Stopwatch>>,
}

impl AccountHooks for Told {
    fn events(&self) -> Vec<HookEvent> {
        vec![HookEvent::AccountLogin, HookEvent::AccountCreate, HookEvent::AccountCreated]
    }

    fn decide<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<Verdict, HookDown>> {
        assert_ne!(call.event, HookEvent::AccountCreate, "a panic, as the test wants it");
        match self.decide.clone() {
            Some(answer) => Box::pin(async move { answer }),
            None => Box::pin(std::future::pending()),
        }
    }

    fn hear<'a>(&'a self, call: &'a HookCall) -> BoxFuture<'a, Result<(), HookDown>> {
        Box::pin(async move {
            let last = self.last.lock().unwrap().replace(Stopwatch::start());
            let waited_ms = last.map_or(0, |last| last.elapsed_us() / 1_000);
            self.tries.lock().unwrap().push((call.id, waited_ms));
            let mut deaf = self.deaf.lock().unwrap();
            if *deaf > 0 {
                *deaf -= 1;
                return Err(HookDown("deaf"));
            }
            self.heard.lock().unwrap().push(call.id);
            Ok(())
        })
    }
}

fn hooks(told: &Arc<Told>, concurrency: usize) -> Hooks {
    let config = HooksConfig { concurrency, ..HooksConfig::default() };
    Hooks::new(Arc::clone(told) as Arc<dyn AccountHooks>, &config, Dice::seeded(7))
}

fn login() -> HookCall {
    HookCall::new(Uuid::from_u128(1), HookEvent::AccountLogin)
}

fn news() -> AccountNews {
    let link = Link { kind: LinkKind::Custom, id: "shop|1".into() };
    AccountNews::Created(Account::sample(AccountId(Uuid::from_u128(1)), link))
}

fn counted(hooks: &Hooks, event: &str, outcome: &str) -> u64 {
    let mut all = hooks.figures().unwrap().each();
    all.find(|it| (it.0, it.1) == (event, outcome)).map_or(0, |it| it.2)
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_about_what_nobody_wants_to_know() {
    let none = Hooks::default();
    assert!(!none.want(HookEvent::AccountLogin) && none.figures().is_none());
    assert_eq!(none.ask(login()).await, Ok(Given::default()));
    none.tell(&news());
    none.finish().await;
    let hooks = hooks(&Arc::default(), 1);
    let rename = HookCall::new(Uuid::nil(), HookEvent::AccountRename);
    assert_eq!(hooks.ask(rename).await, Ok(Given::default()), "a silent one was not asked");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_passed_on_and_none_is_a_no() {
    let asked = |decide| async move {
        let hooks = hooks(&Arc::new(Told { decide, ..Told::default() }), 1);
        (hooks.ask(login()).await, hooks)
    };
    let (answer, hooks) = asked(Some(Ok(Verdict::allow()))).await;
    assert_eq!((answer, counted(&hooks, "account_login", "allowed")), (Ok(Given::default()), 1));
    let no = Verdict::Refuse("no\u{7}".into());
    let (answer, hooks) = asked(Some(Ok(no))).await;
    assert_eq!(answer, Err(HookError::Refused("no ".into())), "its words are bounded");
    assert_eq!(counted(&hooks, "account_login", "refused"), 1);
    let odd = Given { display_name: Some("\n".into()), ..Given::default() };
    for (decide, why) in [
        (Some(Err(HookDown("down"))), "down"),
        (Some(Ok(Verdict::Allow(odd))), "its display name cannot be"),
        (None, "no answer in time"),
    ] {
        let watch = Stopwatch::start();
        let (answer, hooks) = asked(decide).await;
        assert_eq!(answer, Err(HookError::Unavailable(why)));
        assert!(watch.elapsed_us() <= 3_001_000);
        assert_eq!(counted(&hooks, "account_login", "unavailable"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_no_and_the_others_go_on() {
    let yes = Some(Ok(Verdict::allow()));
    let hooks = hooks(&Arc::new(Told { decide: yes, ..Told::default() }), 1);
    let create = HookCall::new(Uuid::nil(), HookEvent::AccountCreate);
    assert_eq!(hooks.ask(create).await, Err(HookError::Unavailable("it panicked")));
    assert_eq!(hooks.ask(login()).await, Ok(Given::default()), "its place is free again");
}

#[tokio::test(start_paused = true)]
async fn more_than_may_be_asked_at_once_is_a_no_at_once() {
    let hooks = hooks(&Arc::default(), 2);
    let silent = HookError::Unavailable("no answer in time");
    let full = HookError::Unavailable("too many calls at once");
    let all = (0..3).map(|_| hooks.ask(login()));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all, [Err(silent.clone()), Err(silent), Err(full)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_heard_is_told_again_with_the_same_id_and_later_each_time() {
    let told = Arc::new(Told { deaf: Mutex::new(3), ..Told::default() });
    let hooks = hooks(&told, 1);
    hooks.tell(&news());
    hooks.0.as_ref().unwrap().untold.acquire_many(4_096).await.unwrap().forget();
    let tries = told.tries.lock().unwrap().clone();
    assert_eq!(tries.len(), 4);
    assert!(tries.iter().all(|it| it.0 == tries[0].0), "{tries:?}");
    let waits: Vec<_> = tries.iter().map(|it| it.1).collect();
    assert_eq!(waits, [0, 250, 1_000, 4_000]);
    assert_eq!(*told.heard.lock().unwrap(), [tries[0].0]);
    assert_eq!(counted(&hooks, "account_created", "told"), 1);
    assert_eq!(counted(&hooks, "account_created", "dropped"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_never_heard_is_dropped_and_counted() {
    let told = Arc::new(Told { deaf: Mutex::new(usize::MAX), ..Told::default() });
    let hooks = hooks(&told, 1);
    hooks.tell(&news());
    hooks.0.as_ref().unwrap().untold.acquire_many(4_096).await.unwrap().forget();
    assert_eq!(told.tries.lock().unwrap().len(), 5);
    assert_eq!(counted(&hooks, "account_created", "dropped"), 1);
    hooks.tell(&news());
    assert_eq!(counted(&hooks, "account_created", "dropped"), 2, "there is no room");
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_what_is_being_told_but_not_for_ever() {
    let told = Arc::new(Told::default());
    let quick = hooks(&told, 1);
    quick.tell(&news());
    quick.finish().await;
    assert_eq!(told.heard.lock().unwrap().len(), 1);
    let deaf = hooks(&Arc::new(Told { deaf: Mutex::new(usize::MAX), ..Told::default() }), 1);
    deaf.tell(&news());
    let watch = Stopwatch::start();
    deaf.finish().await;
    assert!(watch.elapsed_us() <= 3_001_000);
}
