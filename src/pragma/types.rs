//! `GET /v1/types` (protocol-pragma §1.3): message names and their numbers. A client reads it before
//! it signs in and again after every reconnect; a JSON client sends names, so a number may change
//! from one version to the next.

use std::sync::LazyLock;

/// Every message name of the session, account and friend services, in alphabetical order.
const NAMES: [&str; 66] = [
    "AccountRpc.BanV1Notification",
    "AccountRpc.GetAccountV1Request",
    "AccountRpc.GetAccountV1Response",
    "AccountRpc.GetBansV1Request",
    "AccountRpc.GetBansV1Response",
    "AccountRpc.GetDisplayNameForPragmaPlayerIdV1Request",
    "AccountRpc.GetDisplayNameForPragmaPlayerIdV1Response",
    "AccountRpc.GetPlayerIdentitiesByProviderAccountIdsV1Request",
    "AccountRpc.GetPlayerIdentitiesByProviderAccountIdsV1Response",
    "AccountRpc.GetPlayerIdentitiesV1Request",
    "AccountRpc.GetPlayerIdentitiesV1Response",
    "AccountRpc.GetPragmaPlayerIdForDisplayNameV1Request",
    "AccountRpc.GetPragmaPlayerIdForDisplayNameV1Response",
    "AccountRpc.GetPragmaPlayerIdsForProviderIdsV2Request",
    "AccountRpc.GetPragmaPlayerIdsForProviderIdsV2Response",
    "AccountRpc.GetSocialIdentitiesByProviderAccountIdsV1Request",
    "AccountRpc.GetSocialIdentitiesByProviderAccountIdsV1Response",
    "AccountRpc.GetSocialIdentitiesV1Request",
    "AccountRpc.GetSocialIdentitiesV1Response",
    "AccountRpc.LinkIdentityProviderAccountV2Request",
    "AccountRpc.LinkIdentityProviderAccountV2Response",
    "AccountRpc.RefreshTokensV1Request",
    "AccountRpc.RefreshTokensV1Response",
    "AccountRpc.UnlinkIdentityProviderAccountV2Request",
    "AccountRpc.UnlinkIdentityProviderAccountV2Response",
    "AccountRpc.UpdateDisplayNameV1Request",
    "AccountRpc.UpdateDisplayNameV1Response",
    "AccountRpc.UpdateEmailV1Request",
    "AccountRpc.UpdateEmailV1Response",
    "FriendRpc.BlockV1Request",
    "FriendRpc.BlockV1Response",
    "FriendRpc.FriendListUpdateV1Notification",
    "FriendRpc.FriendUpdateV1Notification",
    "FriendRpc.GetFriendListAndRegisterOnlineV1Request",
    "FriendRpc.GetFriendListAndRegisterOnlineV1Response",
    "FriendRpc.GetFriendListV1Request",
    "FriendRpc.GetFriendListV1Response",
    "FriendRpc.PresenceRemoveV1Notification",
    "FriendRpc.PresenceUpdateV1Notification",
    "FriendRpc.RemoveFriendV1Request",
    "FriendRpc.RemoveFriendV1Response",
    "FriendRpc.RespondToFriendInviteV1Request",
    "FriendRpc.RespondToFriendInviteV1Response",
    "FriendRpc.SendFriendInviteBySocialIdV1Request",
    "FriendRpc.SendFriendInviteBySocialIdV1Response",
    "FriendRpc.SendFriendInviteV1Request",
    "FriendRpc.SendFriendInviteV1Response",
    "FriendRpc.SetAcceptIncomingFriendInvitesV1Request",
    "FriendRpc.SetAcceptIncomingFriendInvitesV1Response",
    "FriendRpc.SetPresencePartnerV1Request",
    "FriendRpc.SetPresencePartnerV1Response",
    "FriendRpc.SetPresenceV1Request",
    "FriendRpc.SetPresenceV1Response",
    "FriendRpc.UnblockV1Request",
    "FriendRpc.UnblockV1Response",
    "PartnerSessionRpc.HeartbeatPartnerV1Request",
    "PartnerSessionRpc.HeartbeatPartnerV1Response",
    "PartnerSessionRpc.PartnerSessionTerminatedV1Notification",
    "PlayerSessionRpc.HeartbeatV1Request",
    "PlayerSessionRpc.HeartbeatV1Response",
    "PlayerSessionRpc.RequestLogoutV1Request",
    "PlayerSessionRpc.RequestLogoutV1Response",
    "PlayerSessionRpc.SessionChangedV1Notification",
    "PlayerSessionRpc.SessionRefreshV1Request",
    "PlayerSessionRpc.SessionRefreshV1Response",
    "PlayerSessionRpc.SessionTerminatedV1Notification",
];

static JSON: LazyLock<String> = LazyLock::new(|| {
    let numbered: Vec<String> =
        (1..).zip(NAMES).map(|(number, name)| format!("\"{name}\":{number}")).collect();
    format!("{{{}}}", numbered.join(","))
});

/// The object *message name → number*.
pub(super) fn json() -> &'static str {
    &JSON
}

/// The name of a number, for clients that send it instead.
pub(super) fn name(number: u64) -> Option<&'static str> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    NAMES.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_their_numbers_lead_back_to_them() {
        assert!(NAMES.is_sorted_by(|a, b| a < b));
        let types: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(json()).unwrap();
        assert_eq!(types.len(), NAMES.len());
        for (known, number) in &types {
            assert_eq!(name(number.as_u64().unwrap()), Some(known.as_str()));
        }
        assert_eq!((name(0), name(NAMES.len() as u64 + 1)), (None, None));
    }

    #[test]
    fn what_is_served_is_listed() {
        for kind in crate::pragma::rpc::SERVED {
            assert!(NAMES.contains(&kind), "{kind}");
            let stem = kind.strip_suffix("Request").unwrap();
            assert!(NAMES.contains(&format!("{stem}Response").as_str()), "{kind}");
        }
    }
}
