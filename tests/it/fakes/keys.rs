//! RSA keys that sign tokens and certificates. Making one takes a while, so tests share a few.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key, for tokens and for certificates.
pub struct RsaKey {
    signing: RsaKeyPair,
    /// The same, for certificates.
    pub pair: rcgen::KeyPair,
}

impl RsaKey {
    /// One of three keys; the same number is the same key.
    pub fn nth(n: usize) -> &'static Self {
        static KEYS: [OnceLock<RsaKey>; 3] = [const { OnceLock::new() }; 3];
        KEYS[n].get_or_init(|| {
            let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
            Self { signing: RsaKeyPair::from_pkcs8(pair.serialized_der()).unwrap(), pair }
        })
    }

    /// PKCS#1 v1.5 with SHA-256.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    }

    /// A token with this header and these claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The public half, as a key set publishes it.
    pub fn jwk(&self, id: &str) -> Value {
        let public = self.signing.public_key();
        let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": n, "e": e})
    }

    /// The public half in PEM, which everybody may know.
    pub fn public_pem(&self) -> String {
        self.pair.public_key_pem()
    }
}
