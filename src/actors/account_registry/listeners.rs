//! Who hears how lists of friends change: the sockets, which are opened after the registry.

use std::sync::{Arc, OnceLock};

use crate::domain::friend::ListNews;

type Listener = Box<dyn Fn(ListNews) + Send + Sync>;

/// The one who hears; nobody, until there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Listeners(Arc<OnceLock<Listener>>);

impl Listeners {
    /// From now on `listener` hears. Only the first one counts. It must not wait.
    pub fn set(&self, listener: Listener) {
        let _ = self.0.set(listener);
    }

    pub fn tell(&self, news: ListNews) {
        if let Some(listener) = self.0.get() {
            listener(news);
        }
    }
}
