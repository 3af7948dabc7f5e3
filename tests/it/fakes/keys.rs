//! Keys that sign tokens and certificates. Making one takes a while, so tests share a few.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
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
        token(header, claims, |message| self.sign(message))
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

/// A token that is signed like this.
fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A key on P-256, for ES256. Published as `EC1`; Apple knows the team by it, too.
pub struct EcKey {
    signing: EcdsaKeyPair,
    pair: rcgen::KeyPair,
}

impl EcKey {
    /// The one there is.
    pub fn get() -> &'static Self {
        static KEY: OnceLock<EcKey> = OnceLock::new();
        KEY.get_or_init(|| {
            let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
            let pkcs8 = pair.serialized_der();
            let signing = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
            Self { signing: signing.unwrap(), pair }
        })
    }

    /// A token with this header and these claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let sign = |message: &[u8]| self.signing.sign(&SystemRandom::new(), message).unwrap();
        token(header, claims, |message| sign(message).as_ref().to_vec())
    }

    /// The public half, as a key set publishes it.
    pub fn jwk(&self, id: &str) -> Value {
        let point = self.signing.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    /// The private half in PEM.
    pub fn private_pem(&self) -> String {
        self.pair.serialize_pem()
    }

    /// The claims of a token that this key signed.
    pub fn open(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.signing.public_key());
        public.verify(message.as_bytes(), &signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

/// A key on Ed25519, for `EdDSA`. Published as `ED1`.
pub struct EdKey(Ed25519KeyPair);

impl EdKey {
    /// The one there is.
    pub fn get() -> &'static Self {
        static KEY: OnceLock<EdKey> = OnceLock::new();
        KEY.get_or_init(|| {
            let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            Self(Ed25519KeyPair::from_pkcs8(pair.serialized_der()).unwrap())
        })
    }

    /// A token with this header and these claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        token(header, claims, |message| self.0.sign(message).as_ref().to_vec())
    }

    /// The public half, as a key set publishes it.
    pub fn jwk(&self, id: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "use": "sig", "x": x})
    }
}
