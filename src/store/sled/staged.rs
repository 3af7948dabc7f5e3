//! What is staged: laid over what is stored until its commit is done.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::sled::IVec;

/// Keys and their new values; `None`: the key goes.
pub type Writes = BTreeMap<IVec, Option<IVec>>;

/// Two layers: what the commit under way writes, and above it what the next one will.
#[derive(Default)]
pub struct Staged {
    open: Writes,
    sealed: Option<Arc<Writes>>,
}

impl Staged {
    /// The staged value of a key: `None`, nothing is staged for it; `Some(None)`, it goes.
    #[expect(clippy::option_option, reason = "not staged, staged to go, staged with a value")]
    pub fn get(&self, key: &[u8]) -> Option<Option<&IVec>> {
        let sealed = || self.sealed.as_ref().and_then(|sealed| sealed.get(key));
        self.open.get(key).or_else(sealed).map(Option::as_ref)
    }

    /// Every staged key that stays and that `belongs`, with its value.
    pub fn live(&self, belongs: impl Fn(&[u8]) -> bool) -> Vec<(IVec, IVec)> {
        let sealed = self.sealed.iter().flat_map(|sealed| sealed.iter());
        let sealed = sealed.filter(|(key, _)| !self.open.contains_key(*key));
        let all = self.open.iter().chain(sealed).filter(|(key, _)| belongs(key));
        all.filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
    }

    pub fn put(&mut self, key: &[u8], value: impl Into<IVec>) {
        self.open.insert(key.into(), Some(value.into()));
    }

    pub fn remove(&mut self, key: &[u8]) {
        self.open.insert(key.into(), None);
    }

    /// Takes what is staged into a commit. `None`: nothing is.
    pub fn seal(&mut self) -> Option<Arc<Writes>> {
        if self.open.is_empty() {
            return None;
        }
        let writes = Arc::new(std::mem::take(&mut self.open));
        self.sealed = Some(writes.clone());
        Some(writes)
    }

    /// The sealed commit is done: its writes are stored.
    pub fn settled(&mut self) {
        self.sealed = None;
    }
}
