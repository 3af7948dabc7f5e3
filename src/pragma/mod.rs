//! Pragma's login flow: translation only. The authority is the protocol note, section by section.
