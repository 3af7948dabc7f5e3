//! Presences as Pragma's clients set them: a basic one and an object of the studio's
//! (protocol-pragma §12.1).

use std::sync::Arc;

use uuid::Uuid;

/// What everybody understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basic {
    /// Here.
    Online,
    /// Here, and not looking.
    Away,
}

/// What a rich presence says beside its status text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rich {
    /// The player on that shard.
    pub player: Uuid,
    /// The game shard it is about.
    pub shard: Uuid,
    /// The basic presence.
    pub basic: Basic,
    /// A JSON object as text, at most [`EXT_MAX`] bytes.
    pub ext: Arc<str>,
}

/// Longest `ext`, in bytes: it is a status for clients of Nakama's, which take no more.
pub const EXT_MAX: usize = 2_048;

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RichAsk {
    /// The player on that shard.
    pub player: Uuid,
    /// The game shard it is about.
    pub shard: Uuid,
    /// `None`: as before, of which there has to be one.
    pub basic: Option<Basic>,
    /// `None`: as before, or `{}`.
    pub ext: Option<Arc<str>>,
}

/// There is no presence to be changed, or no connection that could show one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no presence is set")]
pub struct NoPresence;

impl Rich {
    /// What is shown after `before`.
    ///
    /// # Errors
    ///
    /// [`NoPresence`]: only the `ext` of a presence that is not there was to change.
    pub fn set(ask: &RichAsk, before: Option<&Self>) -> Result<Self, NoPresence> {
        let basic = ask.basic.or(before.map(|before| before.basic)).ok_or(NoPresence)?;
        let ext = ask.ext.clone().or_else(|| before.map(|before| Arc::clone(&before.ext)));
        Ok(Self {
            player: ask.player,
            shard: ask.shard,
            basic,
            ext: ext.unwrap_or_else(|| "{}".into()),
        })
    }

    /// The same as a text, for those who know nothing else.
    pub fn status(&self) -> Arc<str> {
        if &*self.ext == "{}" { "".into() } else { Arc::clone(&self.ext) }
    }
}

impl Basic {
    /// Its word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Away => "Away",
        }
    }
}
