//! Signatures beside what they sign (RFC 7515, appendix F), by the key of player tokens: whoever has the
//! published keys can tell that a body is ours, however it reached them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::player::{KeyError, PlayerKeys};

/// The `typ` of a frame's signature: no token has it.
pub const FRAME: &str = "anteroom-frame";

impl PlayerKeys {
    /// Signs bytes of this `typ`: the JWS without its payload, `header..signature`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Library`]
    pub fn sign_detached(&self, typ: &str, payload: &[u8]) -> Result<String, KeyError> {
        let header = self.current().public().header_of(typ);
        let mut signed = header.clone();
        URL_SAFE_NO_PAD.encode_string(payload, &mut signed);
        let whole = self.current().finish(signed)?;
        let signature = whole.rsplit_once('.').map_or("", |(_, signature)| signature);
        Ok(format!("{header}.{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::player::{Signing, generate};
    use super::*;
    use crate::domain::time::UnixMicros;

    #[test]
    fn a_signature_is_of_its_bytes_and_passes_for_no_token() {
        let pem = generate(Signing::EdDSA).unwrap();
        let keys = PlayerKeys::new(Signing::EdDSA, &pem, &[]).unwrap();
        let body = br#"{"v":1}"#;
        let detached = keys.sign_detached(FRAME, body).unwrap();
        let (header, signature) = detached.split_once("..").unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let over = |body: &[u8]| format!("{header}.{}", URL_SAFE_NO_PAD.encode(body));
        let key = keys.current().public();
        assert!(key.accepts(&over(body), &signature));
        assert!(!key.accepts(&over(br#"{"v":2}"#), &signature));
        // Put together it is a good JWS, and still no session token.
        let whole = detached.replace("..", &format!(".{}.", URL_SAFE_NO_PAD.encode(body)));
        assert!(keys.verify(&whole, UnixMicros(0)).is_err());
        let session = format!("{}{}", key.header(), URL_SAFE_NO_PAD.encode(body));
        let forged = whole.rsplit_once('.').map(|(_, tag)| format!("{session}.{tag}")).unwrap();
        assert!(keys.verify(&forged, UnixMicros(0)).is_err());
    }
}
