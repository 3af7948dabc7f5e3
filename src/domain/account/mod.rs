//! Accounts: who somebody is and by which links they sign in.
//!
//! Everything that changes an account is a rule here: it takes what is stored and what is asked
//! and gives a [`Change`] to write or a [`Refusal`]. The single writer ([`crate::actors::Accounts`])
//! feeds the rules and stores the change; a lost race is simply decided again.

pub mod addresses;
pub mod ban;
pub mod change;
pub mod data_rights;
pub mod display_name;
pub mod dossier;
pub mod entry;
pub mod generated;
pub mod link;
pub mod linking;
pub mod names;
pub mod office;
pub mod passwords;
pub mod profile;
pub mod provided;
pub mod provider_links;
pub mod record;
pub mod refusal;
pub mod revoking;
pub mod rotating;
pub mod search;
pub mod sign_in;
pub mod update;

pub use ban::{Ban, BanScope};
pub use change::{AccountNews, Change, EdgeWrite, NotificationWrite, PassUse, Redemption};
pub use dossier::Dossier;
pub use link::{Link, LinkKind, STUDIO_FIRST};
pub use office::{BanForm, OfficeAsk, OfficeRefusal};
pub use profile::{Profile, ProviderEmail};
pub use record::{Account, AccountId, PragmaName, ShardPlayer};
pub use refusal::Refusal;
pub use revoking::{Revoke, Revoked, RevokedToken};
pub use search::AccountFilter;
