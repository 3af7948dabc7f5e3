//! What a role or a partner token can permit (protocol-pragma §9.1): one table.

/// Every permission and what it is for. The first six are the engine's; the others follow them.
pub const PERMISSIONS: &[(&str, &str)] = &[
    ("account.accounts.get", "Look up accounts and search for them."),
    ("account.accounts.create", "Create accounts without a proof."),
    ("account.accounts.link", "Link and unlink identity providers of others."),
    ("account.accounts_personal.get", "See e-mail addresses and search by them."),
    ("account.account_groups.update", "Add accounts to player groups and remove them."),
    ("account.account_tags.update", "Add tags to accounts and remove them."),
    ("account.accounts.update", "Change names of accounts."),
    ("account.accounts.delete", "Delete accounts."),
    ("account.account_roles.update", "Give operators roles and take them away."),
    ("account.tags.get", "See tags."),
    ("account.tags.update", "Create, rename and delete tags."),
    ("account.groups.get", "See player groups."),
    ("account.groups.update", "Create, change and delete player groups."),
    ("account.roles.get", "See roles and who has them."),
    ("account.roles.update", "Create, change and delete roles."),
    ("account.bans.get", "See bans, with who banned and why."),
    ("account.bans.create", "Ban accounts."),
    ("account.bans.revoke", "Revoke bans."),
    ("account.partner_tokens.get", "See partner tokens' records."),
    ("account.partner_tokens.create", "Create partner tokens."),
    ("account.partner_tokens.update", "Change what partner tokens are called."),
    ("account.partner_tokens.revoke", "Revoke partner tokens."),
    ("game_management.shards.get", "See game shards, who may enter them and their events."),
    ("game_management.shards.update", "Set who may enter a game shard."),
    ("game_management.events.update", "Create, change and delete limited access events."),
    ("queue.dials.get", "See the line, its dials, what was changed and what is measured."),
    (
        "queue.dials.update",
        "Change rate, cap and lanes, pause, drain, maintenance; take that back.",
    ),
    ("server.status.get", "See the server's state: listeners, connections, memory, sizes."),
    ("server.settings.get", "See the settings in force; secrets are not shown."),
    ("server.settings.reload", "Have the settings file read again."),
    ("server.keys.rotate", "Make new keys for tokens."),
    ("audit.records.get", "See what is on record, and whether the chain holds."),
    ("operators.backup.create", "Make backups of everything (`/v1/operator/backup`)."),
    ("queue.slots.update", "Redeem passes and say who is in a game server's world (`/v1/slots`)."),
    ("session.sessions.revoke", "Close players' sockets and end their sessions."),
    ("operators.tokens.update", "See, make and revoke operators' tokens for scripts."),
    ("session.attributes.update", "Set attributes of players' sessions."),
    ("friend.presence.get", "See what a player shows, live."),
    ("friend.presence.update", "Set presences of players."),
    ("data_rights.requests.get", "See requests about players' data."),
    ("data_rights.requests.create", "Make requests about players' data for them."),
    ("data_rights.requests.update", "Work on requests about players' data, deleting accounts too."),
    ("data_rights.reports.create", "Make links to reports of players' data."),
];

/// Every permission by its name.
pub fn all() -> Vec<String> {
    PERMISSIONS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Whether there is such a permission.
pub fn is_known(permission: &str) -> bool {
    PERMISSIONS.iter().any(|(known, _)| *known == permission)
}

/// The table as a page.
pub fn markdown() -> String {
    use std::fmt::Write as _;
    let mut page = "# Permissions\n\nWhat a role of operators or a partner token can permit. The \
        built-in role `Admin`\nand a partner token without a list permit everything. Written from \
        the program's own\ntable.\n\n| permission | what for | requests |\n|---|---|---|\n"
        .to_owned();
    for (permission, what_for) in PERMISSIONS {
        let mut stems: Vec<_> = super::calls::all()
            .filter(|call| call.permission == Some(permission))
            .map(|call| call.name.strip_suffix("Request").unwrap_or(call.name))
            .map(|name| format!("`{name}`"))
            .collect();
        stems.sort_unstable();
        let _ = writeln!(page, "| `{permission}` | {what_for} | {} |", stems.join(" "));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_asks_for_a_permission_of_the_table() {
        for call in super::super::calls::all() {
            assert!(call.permission.is_none_or(is_known), "{}", call.name);
        }
    }

    #[test]
    fn permissions_are_named_as_the_engines_and_listed_once() {
        let mut names: Vec<_> = PERMISSIONS.iter().map(|(name, _)| *name).collect();
        assert!(names.iter().all(|name| name.split('.').count() == 3));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PERMISSIONS.len());
    }

    /// `ANTEROOM_GENERATE=1 cargo test --lib permissions` writes the page anew.
    #[test]
    fn the_page_is_in_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/permissions.md");
        if std::env::var_os("ANTEROOM_GENERATE").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), markdown());
    }
}
