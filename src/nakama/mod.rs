//! Nakama's client protocol: translation only. The authority is the protocol note, section by section.
