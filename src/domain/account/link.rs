//! A link: one way to sign in to an account. The same link whichever protocol it came through.

/// What kind of identifier a link holds. The number is stored: never reuse one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum LinkKind {
    /// A device id (protocol-nakama §2.5). An account may have several.
    Device,
    /// A custom id (protocol-nakama §2.6). One per account.
    Custom,
    /// An e-mail address, lower case (protocol-nakama §2.7). One per account, with a password.
    Email,
    /// Pragma's UNSAFE test provider (protocol-pragma §4.4). One per account.
    Unsafe,
    /// Apple's `sub` (protocol-nakama §2.10).
    Apple,
    /// Facebook's user id (§2.11).
    Facebook,
    /// Facebook Instant Games' player id (§2.12).
    FacebookInstantGame,
    /// Game Center's player id (§2.13).
    GameCenter,
    /// Google's `sub`, or a Play Games player id (§2.14).
    Google,
    /// Steam's 64-bit id in decimal (§2.15).
    Steam,
    /// Xbox user id; in Nakama's protocol a custom id that begins with `xbox|`.
    Xbox,
    /// `PlayStation` account id; a custom id that begins with `psn|`.
    PlayStation,
    /// Nintendo service account id; a custom id that begins with `nintendo|`.
    Nintendo,
    /// Epic's account id (protocol-pragma §4.4).
    Epic,
    /// Discord's user id.
    Discord,
    /// Twitch's user id.
    Twitch,
    /// Okta's `sub`.
    Okta,
    /// Auth0's `sub`.
    Auth0,
    /// Google's `sub` of a Workspace account. Not the same link as [`Self::Google`]: who has one
    /// by the domain's rule is not let in by the other.
    GoogleWorkspace,
    /// An identity service of the studio's own: its number in Pragma's table, [`STUDIO_FIRST`] to
    /// 255 (protocol-pragma §4.2).
    Studio(u8),
}

/// The first number of a studio's own provider; 101 is Apple's (protocol-pragma §17, 15).
pub const STUDIO_FIRST: u8 = 102;

impl LinkKind {
    /// Every kind but the studio's own, in the order of their numbers.
    pub const ALL: [Self; 19] = [
        Self::Device,
        Self::Custom,
        Self::Email,
        Self::Unsafe,
        Self::Apple,
        Self::Facebook,
        Self::FacebookInstantGame,
        Self::GameCenter,
        Self::Google,
        Self::Steam,
        Self::Xbox,
        Self::PlayStation,
        Self::Nintendo,
        Self::Epic,
        Self::Discord,
        Self::Twitch,
        Self::Okta,
        Self::Auth0,
        Self::GoogleWorkspace,
    ];

    /// Whether an account may hold several links of this kind.
    pub const fn many(self) -> bool {
        matches!(self, Self::Device)
    }

    /// The number this kind is stored as.
    pub const fn number(self) -> u8 {
        match self {
            Self::Device => 1,
            Self::Custom => 2,
            Self::Email => 3,
            Self::Unsafe => 4,
            Self::Apple => 5,
            Self::Facebook => 6,
            Self::FacebookInstantGame => 7,
            Self::GameCenter => 8,
            Self::Google => 9,
            Self::Steam => 10,
            Self::Xbox => 11,
            Self::PlayStation => 12,
            Self::Nintendo => 13,
            Self::Epic => 14,
            Self::Discord => 15,
            Self::Twitch => 16,
            Self::Okta => 17,
            Self::Auth0 => 18,
            Self::GoogleWorkspace => 19,
            Self::Studio(number) => number,
        }
    }

    /// The kind stored as `number`; `None`: no kind has it.
    pub fn from_number(number: u8) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.number() == number);
        known.or((number >= STUDIO_FIRST).then_some(Self::Studio(number)))
    }

    /// The word for logs and metrics. All of the studio's own share one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Custom => "custom",
            Self::Email => "email",
            Self::Unsafe => "unsafe",
            Self::Apple => "apple",
            Self::Facebook => "facebook",
            Self::FacebookInstantGame => "facebookinstantgame",
            Self::GameCenter => "gamecenter",
            Self::Google => "google",
            Self::Steam => "steam",
            Self::Xbox => "xbox",
            Self::PlayStation => "psn",
            Self::Nintendo => "nintendo",
            Self::Epic => "epic",
            Self::Discord => "discord",
            Self::Twitch => "twitch",
            Self::Okta => "okta",
            Self::Auth0 => "auth0",
            Self::GoogleWorkspace => "googleworkspace",
            Self::Studio(_) => "studio",
        }
    }
}

/// One way to sign in: globally unique, it belongs to at most one account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// The kind of identifier.
    pub kind: LinkKind,
    /// The identifier, normalised by the rule of its kind (see [`super::names`]).
    pub id: String,
}

/// Whoever knows a device id can sign in with it, so the id is not shown.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({}, {} bytes)", self.kind.name(), self.id.len())
    }
}
