//! Friends at a provider become friends here (protocol-nakama §6.7).

use super::Asked;
use super::proofs::{self, said};
use crate::domain::account::{LinkKind, Refusal};
use crate::identity::Proof;
use crate::nakama::errors::{Context, Failure, failure};
use crate::nakama::wire::api;

/// Makes friends of those known at Facebook who play here; `reset` ends every other friendship.
///
/// # Errors
///
/// Those of §6.7.
pub async fn import_facebook_friends(
    asked: &Asked<'_>,
    request: api::ImportFacebookFriendsRequest,
) -> Result<(), Failure> {
    let proof = proofs::facebook(request.account.unwrap_or_default());
    import(asked, LinkKind::Facebook, proof, request.reset).await
}

/// Makes friends of those known at Steam who play here; `reset` ends every other friendship.
///
/// # Errors
///
/// Those of §6.7.
pub async fn import_steam_friends(
    asked: &Asked<'_>,
    request: api::ImportSteamFriendsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    proofs::set_up(proofs::configured(asked.app, LinkKind::Steam), LinkKind::Steam)?;
    let proof = proofs::steam(request.account.unwrap_or_default());
    import(asked, LinkKind::Steam, proof, request.reset).await
}

async fn import(
    asked: &Asked<'_>,
    kind: LinkKind,
    proof: Result<Proof, Refusal>,
    reset: Option<bool>,
) -> Result<(), Failure> {
    let me = asked.me()?;
    let context = Context::Import(kind);
    let proof = said(context, proof)?;
    let imported = asked.app.door.import_friends(me, proof, reset.unwrap_or(false)).await;
    imported.map_err(|error| failure(context, error))
}
