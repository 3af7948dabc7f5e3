use std::path::Path;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::domain::account::{Account, PragmaName, names};
use crate::ids::Dice;
use crate::store::faulty::{FailAt, Fault, FaultyStore};
use crate::store::sled::{Options, SledStore, sync_data};
use crate::store::{Store, StoreError};

use super::*;

mod friends;
mod gate;
mod office;

const START: UnixMicros = UnixMicros::from_secs(1_000_000);

fn store(data: &Path) -> Box<dyn Store> {
    let options = Options { cache_mib: 8, salt: [7; 32], sync: sync_data() };
    Box::new(SledStore::open(data, &options).unwrap())
}

fn config() -> StoreConfig {
    StoreConfig { cache_mib: 8, commit_wait_us: 0, commit_max: 512 }
}

fn start(store: Box<dyn Store>) -> (Accounts, Stopped) {
    let clock = Clock::manual(START);
    Accounts::start(store, &config(), clock, Dice::seeded(1), RegistryLimits::default()).unwrap()
}

fn device(name: impl std::fmt::Display) -> Link {
    names::device(&format!("device-{name:0>6}")).unwrap()
}

fn ask(link: Link) -> SignIn {
    SignIn::by(link, Some(NewAccount::default()))
}

fn pass(number: u64) -> PassUse {
    PassUse { epoch: 1, number, remember_until: START.plus_secs(60) }
}

async fn sign_up(accounts: &Accounts, name: impl std::fmt::Display) -> Account {
    accounts.sign_in(ask(device(name))).await.unwrap().account
}

#[actix_web::test]
async fn a_hundred_sign_ins_with_one_new_device_make_one_account() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let answers = join_all((0..100).map(|_| accounts.sign_in(ask(device("one"))))).await;
    let answers: Vec<SignedIn> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
    assert!(answers.iter().all(|answer| answer.account == answers[0].account));
    assert_eq!(accounts.count().await, Ok(1));
    accounts.close().await;
}

#[actix_web::test]
async fn a_hundred_links_of_one_custom_id_have_one_winner() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let players = join_all((0..100).map(|number| sign_up(&accounts, number))).await;
    let custom = names::custom("custom-1").unwrap();
    let links =
        players.iter().map(|player| accounts.link(player.id, LinkAsk::of(custom.clone(), None, 9)));
    let answers = join_all(links).await;
    let taken = Err(AccountsError::Refused(Refusal::LinkTaken(LinkKind::Custom)));
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(())).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == taken).count(), 99);
    let winner = answers.iter().position(Result::is_ok).unwrap();
    let owner = accounts.find(Key::Link(custom)).await.unwrap().unwrap();
    assert_eq!(owner.id, players[winner].id);
    accounts.close().await;
}

#[actix_web::test]
async fn a_pass_lets_one_account_in_and_the_same_one_again() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let enter =
        |name, number| accounts.sign_in(SignIn { pass: Some(pass(number)), ..ask(device(name)) });
    let (one, other) = tokio::join!(enter("1", 7), enter("2", 7));
    assert!(one.is_ok() != other.is_ok());
    let refused = one.as_ref().err().or(other.as_ref().err());
    assert_eq!(refused, Some(&AccountsError::Refused(Refusal::PassUsed)));
    assert_eq!(accounts.count().await, Ok(1), "the refused one made no account");
    let name = if one.is_ok() { "1" } else { "2" };
    let account = one.or(other).unwrap().account;
    assert_eq!(enter(name, 7).await.unwrap().account, account, "a repeat is the same answer");
    assert_eq!(accounts.redeemed().await, Ok(vec![(pass(7), account.id)]));
    accounts.close().await;

    let (accounts, _stopped) = start(store(data.path()));
    assert_eq!(accounts.redeemed().await, Ok(vec![(pass(7), account.id)]), "after a restart too");
    let again = accounts.sign_in(SignIn { pass: Some(pass(7)), ..ask(device("3")) }).await;
    assert_eq!(again.unwrap_err(), AccountsError::Refused(Refusal::PassUsed));
    accounts.close().await;
}

/// When the flush fails nobody knows what is on disk: nobody is told "done", and the process is
/// told to end.
#[actix_web::test]
async fn a_failed_commit_answers_nobody_and_stops() {
    for fail in [FailAt::BeforeSync, FailAt::AfterSync, FailAt::Stage, FailAt::Panic] {
        let data = tempfile::tempdir().unwrap();
        let fault = Fault::default();
        let faulty = FaultyStore::new(store(data.path()), fault.clone());
        let (accounts, stopped) = start(Box::new(faulty));
        let kept = sign_up(&accounts, "kept").await;
        fault.set(fail);
        let answers = join_all((0..50).map(|_| accounts.sign_in(ask(device("lost"))))).await;
        for answer in answers {
            let no_answer = AccountsError::Call(CallError::NoAnswer);
            assert_eq!(answer.unwrap_err(), no_answer, "{fail:?}");
        }
        let word = stopped.await.unwrap_err();
        assert_eq!(matches!(word, StoreError::Abandoned), fail == FailAt::Panic, "{word:?}");
        assert_eq!(accounts.find(Key::Id(kept.id)).await, Err(CallError::NoAnswer));
        assert_eq!(accounts.count().await, Err(CallError::NoAnswer));
        assert_eq!(accounts.figures().waiting.load(Ordering::Relaxed), 0);
        accounts.close().await; // returns

        let (accounts, _stopped) = start(store(data.path()));
        assert_eq!(accounts.find(Key::Id(kept.id)).await, Ok(Some(kept)), "{fail:?}");
        let lost = accounts.find(Key::Link(device("lost"))).await.unwrap();
        assert_eq!(lost.is_some(), fail == FailAt::AfterSync, "{fail:?}");
        accounts.close().await;
    }
}

/// Nothing that a crash could take back is told: not the new account, not that it is there, not
/// what rests on it; whether it waits for its flush or is being flushed.
#[actix_web::test]
async fn nobody_hears_of_what_is_not_flushed() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let (accounts, _stopped) = start(gated);
    gate.open();
    let known = sign_up(&accounts, "known").await;
    gate.shut();

    let custom = names::custom("custom-1").unwrap();
    let ask_all = || {
        let named = NewAccount { username: Some(known.username.clone()), ..NewAccount::default() };
        let named = SignIn { create: Some(named), ..ask(device("other")) };
        [
            accounts.sign_in(ask(device("new"))).map(drop).boxed_local(),
            accounts.find(Key::Link(device("new"))).map(drop).boxed_local(),
            accounts.find(Key::Link(device("nobody"))).map(drop).boxed_local(),
            accounts.link(known.id, LinkAsk::of(custom.clone(), None, 9)).map(drop).boxed_local(),
            accounts.sign_in(named).map(drop).boxed_local(),
        ]
    };
    let mut pending = Vec::new();
    for round in ["waits", "is being flushed"] {
        let mut callers = ask_all();
        for caller in &mut callers {
            assert_eq!(caller.now_or_never(), None);
        }
        accounts.redeemed().await.unwrap(); // comes after them, so all of them are decided
        for (number, caller) in callers.iter_mut().enumerate() {
            assert_eq!(caller.now_or_never(), None, "caller {number} while it {round}");
        }
        pending.extend(callers);
        // Who changes nothing may hear what is durable: the account as it was before the link.
        if let Some(durable) = accounts.sign_in(ask(device("known"))).now_or_never() {
            assert_eq!(durable.unwrap().account, known);
        }
        gate.wait_for_commit(); // from here on it is being flushed
    }
    assert_eq!(accounts.count().await, Ok(1));
    gate.open();
    join_all(pending).await;
    assert_eq!(accounts.count().await, Ok(2));
    accounts.close().await;
}

/// While a change of an account is being flushed, reading it is left to the registry.
#[actix_web::test]
async fn who_looks_at_what_is_being_flushed_waits_for_the_flush() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let (accounts, _stopped) = start(gated);
    gate.open();
    let known = sign_up(&accounts, "known").await;
    gate.shut();
    let custom = names::custom("custom-1").unwrap();
    let mut linking = accounts.link(known.id, LinkAsk::of(custom, None, 9)).boxed_local();
    assert_eq!((&mut linking).now_or_never(), None);
    gate.wait_for_commit();
    let mut looking = accounts.find(Key::Id(known.id)).boxed_local();
    let mut entering = accounts.sign_in(ask(device("known"))).boxed_local();
    assert!((&mut looking).now_or_never().is_none());
    assert!((&mut entering).now_or_never().is_none());
    gate.open();
    let (linked, seen, entered) = tokio::join!(linking, looking, entering);
    linked.unwrap();
    assert_eq!(seen.unwrap().unwrap().links.len(), 2);
    assert_eq!(entered.unwrap().account.links.len(), 2);
    accounts.close().await;
}

/// An unlink of what is not linked, within the second of the account's last change.
#[actix_web::test]
async fn a_change_that_changes_nothing_is_answered_at_once() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let account = sign_up(&accounts, 1).await;
    let unlinked = accounts.unlink(account.id, LinkKind::Custom, None);
    let within = std::time::Duration::from_secs(5);
    let answer = tokio::time::timeout(within, unlinked).await;
    assert_eq!(answer.expect("an answer without another write"), Ok(()));
    accounts.close().await;
}

#[actix_web::test]
async fn a_known_account_signs_in_without_a_flush() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let (accounts, _stopped) = start(gated);
    gate.open();
    let known = sign_up(&accounts, "known").await;
    gate.shut();
    let mut new = accounts.sign_in(ask(device("new"))).boxed_local();
    assert!((&mut new).now_or_never().is_none());
    let signed_in = accounts.sign_in(ask(device("known"))).await.unwrap();
    assert_eq!((signed_in.account, signed_in.created), (known.clone(), false));
    assert_eq!(accounts.find(Key::Id(known.id)).await, Ok(Some(known)));
    assert!((&mut new).now_or_never().is_none());
    gate.open();
    assert!(new.await.unwrap().created);
    let commits = accounts.figures().commits.load(Ordering::Relaxed);
    accounts.sign_in(ask(device("known"))).await.unwrap();
    assert_eq!(accounts.figures().commits.load(Ordering::Relaxed), commits, "nothing written");
    accounts.close().await;
}

#[actix_web::test]
async fn as_many_callers_wait_as_may() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let limits = RegistryLimits { callers_max: 2, ..RegistryLimits::default() };
    let clock = Clock::manual(START);
    let (accounts, _stopped) =
        Accounts::start(gated, &config(), clock, Dice::seeded(1), limits).unwrap();
    let mut waiting = [0, 1].map(|number| accounts.sign_in(ask(device(number))).boxed_local());
    for caller in &mut waiting {
        assert!(caller.now_or_never().is_none());
    }
    let third = accounts.sign_in(ask(device(3))).await;
    assert_eq!(third.unwrap_err(), AccountsError::Call(CallError::Overloaded));
    gate.open();
    for answer in join_all(waiting).await {
        answer.unwrap();
    }
    sign_up(&accounts, 3).await;
    assert_eq!(accounts.figures().turned_away.load(Ordering::Relaxed), 1);
    accounts.close().await;
}

#[actix_web::test]
async fn a_group_takes_no_more_than_it_may() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let config = StoreConfig { commit_max: 2, ..config() };
    let (accounts, _stopped) = Accounts::start(
        gated,
        &config,
        Clock::manual(START),
        Dice::seeded(1),
        RegistryLimits::default(),
    )
    .unwrap();
    let all = join_all((0..7).map(|number| sign_up(&accounts, number)));
    gate.open();
    assert_eq!(all.await.len(), 7);
    let figures = accounts.figures();
    assert_eq!(figures.writes.load(Ordering::Relaxed), 7);
    assert!(figures.commits.load(Ordering::Relaxed) >= 4);
    accounts.close().await;
}

#[actix_web::test]
async fn revocations_show_when_durable_survive_a_restart_and_lapse() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let (accounts, _stopped) = start(gated);
    gate.open();
    let (one, all) = (sign_up(&accounts, "one").await.id, sign_up(&accounts, "all").await.id);
    let token = Uuid::from_u128(5);
    let life = START.as_secs() + 100;
    let tokens = vec![RevokedToken { id: token, refresh: false, expires_at: life }];
    let is_revoked = |accounts: &Accounts, account, refresh, at: UnixMicros| {
        accounts.revocations().is_revoked(account, token, refresh, at.0)
    };
    gate.shut();
    let mut revoke = accounts.revoke(one, Revoke::Tokens(tokens)).boxed_local();
    assert_eq!((&mut revoke).now_or_never(), None);
    accounts.redeemed().await.unwrap();
    assert!(!is_revoked(&accounts, one, false, START), "a crash could take it back");
    gate.open();
    revoke.await.unwrap();
    accounts.revoke(all, Revoke::All).await.unwrap();

    let check = |accounts: &Accounts| {
        assert!(is_revoked(accounts, one, false, START));
        assert!(!is_revoked(accounts, one, true, START), "the other kind lives");
        assert!(is_revoked(accounts, all, true, START));
        assert!(!is_revoked(accounts, all, true, START.plus_us(1)), "issued afterwards");
    };
    check(&accounts);
    accounts.close().await;
    let (accounts, _stopped) = start(store(data.path()));
    check(&accounts);
    assert_eq!(accounts.revocations().len(), 2);
    accounts.revocations().sweep(START.plus_secs(101));
    assert_eq!(accounts.revocations().len(), 1);
    let nobody = AccountId(Uuid::nil());
    let refused = accounts.revoke(nobody, Revoke::All).await;
    assert_eq!(refused, Err(AccountsError::Refused(Refusal::NoAccount)));
    accounts.close().await;
}

#[actix_web::test]
async fn an_address_brings_a_password_and_takes_it_along() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let id = sign_up(&accounts, "one").await.id;
    let password = || async { accounts.find(Key::Id(id)).await.unwrap().unwrap().password };
    let email = names::email("ada@mail.example");
    accounts.link(id, LinkAsk::of(email.clone(), Some("old".into()), 9)).await.unwrap();
    accounts.set_password(id, "older".into(), "wrong".into()).await.unwrap();
    assert_eq!(password().await.as_deref(), Some("old"));
    accounts.set_password(id, "old".into(), "new".into()).await.unwrap();
    assert_eq!(password().await.as_deref(), Some("new"));

    accounts.unlink(id, LinkKind::Device, Some(device("one").id)).await.unwrap();
    let last = accounts.unlink(id, LinkKind::Email, None).await;
    let refused = Err(AccountsError::Refused(Refusal::CannotUnlink(LinkKind::Email)));
    assert_eq!(last, refused);
    accounts.link(id, LinkAsk::of(device("two"), None, 9)).await.unwrap();
    accounts.unlink(id, LinkKind::Email, Some(email.id)).await.unwrap();
    assert_eq!(password().await, None);

    let nobody = AccountId(Uuid::nil());
    let gone = accounts.link(nobody, LinkAsk::of(device("three"), None, 9)).await;
    assert_eq!(gone, Err(AccountsError::Refused(Refusal::NoAccount)));
    let gone = accounts.unlink(nobody, LinkKind::Email, None).await;
    assert_eq!(gone, refused);
    accounts.close().await;
}

#[actix_web::test]
async fn names_are_unique_whether_chosen_or_generated() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let named = |name: &str, device_name: &str| {
        let new = NewAccount { username: Some(name.into()), ..NewAccount::default() };
        accounts.sign_in(SignIn { create: Some(new), ..ask(device(device_name)) })
    };
    let taken = AccountsError::Refused(Refusal::UsernameTaken);
    let generated = sign_up(&accounts, "1").await.username;
    assert_eq!(named(&generated, "2").await.unwrap_err(), taken);
    named("Ada", "3").await.unwrap();
    assert_eq!(named("Ada", "4").await.unwrap_err(), taken);
    assert_eq!(named("ada", "5").await.unwrap().account.username, "ada", "case counts");
    assert_eq!(named("Ada", "3").await.unwrap().account.username, "Ada", "it is there");
    let found = accounts.find(Key::Username(generated.clone())).await.unwrap().unwrap();
    assert_eq!(found.username, generated);
    let (one, other) = tokio::join!(named("Bob", "6"), named("Bob", "7"));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(accounts.count().await, Ok(4));
    accounts.close().await;
}

/// Every free discriminator can come up, none twice for names that fold to the same, and when
/// all are taken the answer says so.
#[actix_web::test]
async fn discriminators_run_out_at_9999() {
    let data = tempfile::tempdir().unwrap();
    let mut store = store(data.path());
    for number in 1..=9_997_u16 {
        let link = device(number);
        let id = store.reads().id_for(&link).unwrap();
        let mut change = crate::store::contract::create(store.as_ref(), &link, Some(id));
        change.after.pragma_name = Some(PragmaName { name: "ada".into(), discriminator: number });
        store.stage(&change).unwrap();
    }
    store.sync().unwrap();
    let (accounts, _stopped) = start(store);
    let enter = |name: &str, link| {
        let shard = Some(Uuid::from_u128(3));
        let pragma = PragmaSignIn { shard, display_name: name.into(), shown: None };
        accounts.sign_in(SignIn { pragma: Some(pragma), ..ask(link) })
    };
    let mut last = Vec::new();
    for name in ["Ada", "ADA"] {
        let account = enter(name, device(name)).await.unwrap().account;
        let given = account.pragma_name.unwrap();
        assert_eq!((given.name.as_str(), account.players.len()), (name, 1));
        last.push(given.discriminator);
    }
    last.sort_unstable();
    assert_eq!(last, [9_998, 9_999]);
    let refused = enter("aDa", device("late")).await.unwrap_err();
    assert_eq!(refused, AccountsError::Refused(Refusal::NoDiscriminator));
    assert_eq!(accounts.find(Key::Link(device("late"))).await, Ok(None), "nothing was made");
    enter("Adam", device("late")).await.unwrap();
    accounts.close().await;
}

#[actix_web::test]
async fn closing_flushes_frees_the_folder_and_may_be_repeated() {
    let data = tempfile::tempdir().unwrap();
    let mut made = Vec::new();
    for round in 0..5 {
        let (accounts, stopped) = start(store(data.path()));
        let many = join_all((0..20).map(|number| sign_up(&accounts, round * 100 + number)));
        let (many, ()) = tokio::join!(many, async {});
        made.extend(many);
        tokio::join!(accounts.close(), accounts.close());
        stopped.await.unwrap();
        accounts.close().await;
        let late = accounts.sign_in(ask(device("late"))).await;
        assert_eq!(late.unwrap_err(), AccountsError::Call(CallError::NoAnswer));
    }
    let (accounts, _stopped) = start(store(data.path()));
    assert_eq!(accounts.count().await, Ok(100));
    for account in made {
        assert_eq!(accounts.find(Key::Id(account.id)).await, Ok(Some(account)));
    }
    accounts.close().await;
}
