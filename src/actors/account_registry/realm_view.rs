//! The realm, for everybody who looks: one shared copy of what is durable, no message.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::realm::Realm;

/// The realm as it is. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct RealmView(Arc<RwLock<Arc<Realm>>>);

impl RealmView {
    /// The realm now.
    pub fn get(&self) -> Arc<Realm> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub(super) fn set(&self, realm: Realm) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(realm);
    }
}
