//! The name somebody goes by when they first come through Pragma's door (protocol-pragma §6.2).

use super::{Door, SignInError};
use crate::actors::account_registry::{Key, PragmaSignIn};
use crate::domain::account::display_name::{self, NameBounds};
use crate::domain::account::dossier::ShownName;
use crate::domain::account::{Link, LinkKind};
use crate::identity::{Shown, Verified};

/// Longest name of a provider that is kept, in characters.
const SHOWN_MAX: usize = 128;

impl Door {
    /// What a Pragma sign-in needs beside the link. A provider that tells names only when asked is
    /// asked once: for an account that has none of it yet.
    pub(super) async fn name_for_pragma(
        &self,
        verified: &Verified,
        shard: Option<uuid::Uuid>,
    ) -> Result<PragmaSignIn, SignInError> {
        let link = &verified.link;
        if verified.shown.name.is_empty() {
            let known = self.accounts.find(Key::Link(link.clone())).await?;
            let is_named =
                known.is_some_and(|account| account.dossier().shown(link.kind).is_some());
            if !is_named {
                let shown = self.providers.shown(verified).await;
                return Ok(self.named_for_pragma(link, &shown, shard));
            }
        }
        Ok(self.named_for_pragma(link, &verified.shown, shard))
    }

    /// The same for a name that is known, or known to be none.
    pub(super) fn named_for_pragma(
        &self,
        link: &Link,
        shown: &Shown,
        shard: Option<uuid::Uuid>,
    ) -> PragmaSignIn {
        let roll = self.dice.number();
        let bounds = self.name_bounds();
        PragmaSignIn {
            shard,
            display_name: display_name::initial(link.kind, &shown.name, &link.id, roll, bounds),
            shown: shown_name(link.kind, shown),
        }
    }

    /// The bounds of display names.
    pub(super) fn name_bounds(&self) -> NameBounds {
        let config = &self.config.pragma;
        NameBounds { min: config.display_name_min, max: config.display_name_max }
    }
}

/// A name at a provider as it is kept; `None`: there is none.
fn shown_name(kind: LinkKind, shown: &Shown) -> Option<ShownName> {
    let cut = |text: &str| text.chars().take(SHOWN_MAX).collect::<String>();
    (!shown.name.is_empty()).then(|| ShownName {
        kind: kind.number(),
        name: cut(&shown.name),
        discriminator: cut(&shown.discriminator),
    })
}
