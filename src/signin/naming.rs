//! The name somebody goes by when they first come through Pragma's door (protocol-pragma §6.2).

use super::{Door, PragmaWish, SignInError};
use crate::actors::account_registry::{Key, PragmaSignIn};
use crate::domain::account::display_name::{self, NameBounds};
use crate::domain::account::dossier::ShownName;
use crate::identity::Verified;

/// Longest name of a provider that is kept, in characters.
const SHOWN_MAX: usize = 128;

impl Door {
    /// What a Pragma sign-in needs beside the link. A provider that tells names only when asked is
    /// asked once: for an account that has none of it yet.
    pub(super) async fn name_for_pragma(
        &self,
        verified: &Verified,
        wish: &PragmaWish,
    ) -> Result<PragmaSignIn, SignInError> {
        let link = &verified.link;
        let mut shown = verified.shown.clone();
        if let Some(name) = &wish.own_name {
            shown.name.clone_from(name);
        } else if shown.name.is_empty() {
            let known = self.accounts.find(Key::Link(link.clone())).await?;
            let is_named =
                known.is_some_and(|account| account.dossier().shown(link.kind).is_some());
            if !is_named {
                shown = self.providers.shown(verified).await;
            }
        }
        let bounds = self.name_bounds();
        let roll = self.dice.number();
        let cut = |text: &str| text.chars().take(SHOWN_MAX).collect::<String>();
        Ok(PragmaSignIn {
            shard: wish.shard,
            display_name: display_name::initial(link.kind, &shown.name, &link.id, roll, bounds),
            shown: (!shown.name.is_empty()).then(|| ShownName {
                kind: link.kind.number(),
                name: cut(&shown.name),
                discriminator: cut(&shown.discriminator),
            }),
        })
    }

    /// The bounds of display names.
    pub(super) fn name_bounds(&self) -> NameBounds {
        let config = &self.config.pragma;
        NameBounds { min: config.display_name_min, max: config.display_name_max }
    }
}
