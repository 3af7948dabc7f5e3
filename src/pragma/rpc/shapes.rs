//! Accounts as messages show them (protocol-pragma §6.4): names, providers, identities.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::{Account, LinkKind, PragmaName};
use crate::pragma::providers::Provider;
use crate::signin::Door;

/// Who looks at an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Its own player, an operator or a game server: sees everything that is linked.
    Trusted,
    /// Another player: sees what its provider's settings let others see.
    Stranger,
}

/// `{"displayName":…,"discriminator":…}` of an account; empty when it never came by Pragma's door.
pub fn display_name(account: &Account) -> Value {
    account.pragma_name.as_ref().map_or_else(
        || json!({"displayName": account.display_name, "discriminator": ""}),
        pragma_name,
    )
}

/// The same of a name.
pub fn pragma_name(name: &PragmaName) -> Value {
    json!({"displayName": name.name, "discriminator": format!("{:04}", name.discriminator)})
}

/// `idProviderAccounts`, in the order of their numbers. Links that no Pragma client knows (devices,
/// custom ids, addresses) are not shown.
pub fn providers(account: &Account, door: &Door, viewer: Viewer) -> Vec<Value> {
    let linked =
        account.links.iter().filter_map(|link| Some((Provider::of(link.kind, door)?, link)));
    let is_shown = |provider: &Provider| viewer == Viewer::Trusted || provider.options.visible;
    let mut linked: Vec<_> = linked.filter(|(provider, _)| is_shown(provider)).collect();
    linked.sort_by_key(|(provider, _)| provider.number);
    let shown = linked.into_iter().map(|(provider, link)| {
        json!({
            "idProviderType": provider.name,
            "accountId": link.id,
            "providerDisplayName": provider_name(account, link.kind),
        })
    });
    shown.collect()
}

fn provider_name(account: &Account, kind: LinkKind) -> Value {
    let shown = account.dossier().shown(kind);
    let (name, discriminator) =
        shown.map_or(("", ""), |it| (it.name.as_str(), it.discriminator.as_str()));
    json!({"displayName": name, "discriminator": discriminator})
}

/// A player identity on a shard; `None`: the account has no player there.
pub fn player_identity(
    account: &Account,
    shard: Uuid,
    door: &Door,
    viewer: Viewer,
) -> Option<Value> {
    Some(json!({
        "pragmaPlayerId": account.player_on(shard)?,
        "pragmaDisplayName": display_name(account),
        "idProviderAccounts": providers(account, door, viewer),
        "pragmaSocialId": account.id.0,
    }))
}

/// A social identity: the account with its players on every shard.
pub fn social_identity(account: &Account, door: &Door, viewer: Viewer) -> Value {
    json!({
        "pragmaSocialId": account.id.0,
        "pragmaDisplayName": display_name(account),
        "idProviderAccounts": providers(account, door, viewer),
        "gameIdentities": game_identities(account),
    })
}

/// `gameIdentities`: a player id for each shard.
pub fn game_identities(account: &Account) -> Vec<Value> {
    let shown = account.players.iter();
    shown.map(|it| json!({"gameShardId": it.shard, "pragmaPlayerId": it.player})).collect()
}

/// An account in a list: who it is.
pub fn overview(account: &Account) -> Value {
    json!({"pragmaSocialId": account.id.0, "displayName": display_name(account)})
}

/// `GetAccountV1`'s answer: an account as its own player sees it.
pub fn own_account(account: &Account, door: &Door) -> Value {
    let address = account.link(LinkKind::Email).unwrap_or_default();
    let dossier = account.dossier();
    json!({
        "pragmaSocialId": account.id.0,
        "emailAddress": address,
        "emailVerified": !address.is_empty(),
        "accountCreatedTimestampMillis": millis_of(account.created_at),
        "lastLoginTimestampMillis": millis_of(dossier.last_login_at),
        "displayName": display_name(account),
        "lastDisplayNameUpdateTimestampMillis": millis_of(dossier.renamed_at),
        "gameIdentities": game_identities(account),
        "idProviderAccounts": providers(account, door, Viewer::Trusted),
    })
}

/// Milliseconds as the wire writes them: in text, like every 64-bit number (§2.3), and never more
/// than clients can read.
pub fn millis(ms: u64) -> String {
    ms.min(FOREVER_MS).to_string()
}

/// The same of a moment that is kept in seconds.
pub fn millis_of(seconds: u64) -> String {
    millis(seconds.saturating_mul(1_000))
}
