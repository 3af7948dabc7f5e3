//! What an identity provider tells about a player beside who they are.

/// Facts from a provider. Empty: it did not say. They fill what an account has not set; they
/// never replace what the player chose (protocol-nakama §2.11, §2.14).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Shown name.
    pub display_name: String,
    /// Picture address.
    pub avatar_url: String,
    /// E-mail address.
    pub email: Option<ProviderEmail>,
}

/// An address as a provider knows it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProviderEmail {
    /// The address, lower case.
    pub address: String,
    /// Whether the provider says that it belongs to the player. Only such an address may become the
    /// account's own.
    pub verified: bool,
}

/// Names and addresses are not for logs.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("has_email", &self.email.is_some()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProviderEmail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderEmail").field("verified", &self.verified).finish_non_exhaustive()
    }
}
