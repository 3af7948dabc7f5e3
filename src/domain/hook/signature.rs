//! How whoever is called knows that it is us: HMAC-SHA256 over the time and the body.

use aws_lc_rs::hmac::{self, HMAC_SHA256};

/// The header with the time of the call, in whole seconds since the epoch.
pub const TIMESTAMP_HEADER: &str = "x-anteroom-timestamp";
/// The header with the signature in lower-case hex.
pub const SIGNATURE_HEADER: &str = "x-anteroom-signature";
/// Shortest secret, in bytes.
pub const SECRET_MIN: usize = 16;

/// Signs calls. Never shown by `Debug`.
pub struct HookKey(hmac::Key);

impl HookKey {
    /// A key; `None`: the secret is shorter than [`SECRET_MIN`].
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= SECRET_MIN).then(|| Self(hmac::Key::new(HMAC_SHA256, secret)))
    }

    /// The signature of `<timestamp>.<body>`.
    pub fn sign(&self, timestamp_s: u64, body: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(timestamp_s.to_string().as_bytes());
        context.update(b".");
        context.update(body);
        let mut signature = [0; 32];
        signature.copy_from_slice(context.sign().as_ref());
        signature
    }
}

impl std::fmt::Debug for HookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with `printf '1800000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef`.
    #[test]
    fn a_signature_covers_time_and_body() {
        let key = HookKey::new(b"0123456789abcdef").unwrap();
        let signature = key.sign(1_800_000_000, b"{}").map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(signature, "1313ae9c874eb1a0868ad0b65f841c4243c23fdcfad69a3ada227726fad9960e");
        assert_ne!(key.sign(1_800_000_001, b"{}"), key.sign(1_800_000_000, b"{}"));
        assert_ne!(key.sign(1_800_000_000, b"{ }"), key.sign(1_800_000_000, b"{}"));
        assert_eq!(format!("{key:?}"), "HookKey(…)");
    }

    #[test]
    fn a_short_secret_is_none() {
        assert!(HookKey::new(b"").is_none());
        assert!(HookKey::new(&[7; SECRET_MIN - 1]).is_none());
    }
}
