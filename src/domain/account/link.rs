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
}

impl LinkKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Device, Self::Custom, Self::Email, Self::Unsafe];

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
