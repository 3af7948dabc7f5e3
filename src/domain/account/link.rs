//! A link: one way to sign in to an account. The same link whichever protocol it came through.

/// What kind of identifier a link holds. The number is stored: never reuse one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(u8)]
pub enum LinkKind {
    /// A device id (protocol-nakama §2.5). An account may have several.
    Device = 1,
    /// A custom id (protocol-nakama §2.6). One per account.
    Custom = 2,
    /// An e-mail address, lower case (protocol-nakama §2.7). One per account, with a password.
    Email = 3,
    /// Pragma's UNSAFE test provider (protocol-pragma §4.4). One per account.
    Unsafe = 4,
    /// Apple's `sub` (protocol-nakama §2.10).
    Apple = 5,
    /// Facebook's user id (§2.11).
    Facebook = 6,
    /// Facebook Instant Games' player id (§2.12).
    FacebookInstantGame = 7,
    /// Game Center's player id (§2.13).
    GameCenter = 8,
    /// Google's `sub`, or a Play Games player id (§2.14).
    Google = 9,
    /// Steam's 64-bit id in decimal (§2.15).
    Steam = 10,
    /// Xbox user id; in Nakama's protocol a custom id that begins with `xbox|`.
    Xbox = 11,
    /// `PlayStation` account id; a custom id that begins with `psn|`.
    PlayStation = 12,
    /// Nintendo service account id; a custom id that begins with `nintendo|`.
    Nintendo = 13,
}

impl LinkKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 13] = [
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
    ];

    /// Whether an account may hold several links of this kind.
    pub const fn many(self) -> bool {
        matches!(self, Self::Device)
    }

    /// The number this kind is stored as.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind stored as `number`; `None`: no kind has it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The word for logs and metrics.
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
