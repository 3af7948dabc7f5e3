//! Key pairs that sign tokens others check too: game servers, by the published JWKS.
//!
//! Ed25519 unless told otherwise: an RSA signature costs a millisecond where Ed25519 costs 15 µs.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RsaKeyPair, VerificationAlgorithm,
};
use aws_lc_rs::{digest, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How Pragma's session tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signing {
    /// Ed25519: fast to sign, small.
    #[default]
    EdDSA,
    /// ECDSA P-256.
    ES256,
    /// RSA as the real engine uses it; a signature costs about a millisecond.
    RS256,
}

impl Signing {
    /// The `alg` of a JWS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EdDSA => &ED25519,
            Self::ES256 => &ECDSA_P256_SHA256_FIXED,
            Self::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        }
    }
}

/// A key that cannot be used. Says nothing of the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a PEM block of a private (PKCS#8) or public (SPKI) key.
    #[error("not a PEM block of a PKCS#8 private key or a public key")]
    Pem,
    /// No Ed25519 or P-256 key, and no RSA key of 2048 to 8192 bits.
    #[error("not a usable key: Ed25519, P-256, or RSA of 2048 to 8192 bits")]
    Unusable,
    /// The key is for another algorithm than the one configured.
    #[error("the key is for {0:?}, not for the algorithm that is configured")]
    OtherAlgorithm(Signing),
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

/// Makes a new private key, as PKCS#8 PEM for the file of secrets. RSA keys have 2048 bits, which
/// takes up to a second. The library rolls its own, operating-system-seeded dice.
///
/// # Errors
///
/// [`KeyError::Library`]
pub fn generate(signing: Signing) -> Result<Zeroizing<String>, KeyError> {
    let library = |_| KeyError::Library;
    let pem = |der: &[u8]| pem("PRIVATE KEY", der);
    match signing {
        Signing::EdDSA => {
            let pair = Ed25519KeyPair::generate().map_err(library)?;
            Ok(pem(pair.to_pkcs8v1().map_err(library)?.as_ref()))
        }
        Signing::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(library)?;
            Ok(pem(pair.to_pkcs8v1().map_err(library)?.as_ref()))
        }
        Signing::RS256 => {
            let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).map_err(library)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(library)?;
            Ok(pem(der.as_ref()))
        }
    }
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A key pair that signs.
pub(super) struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

/// The public half of a signing key, in PEM: all that is needed of it once it signs no more.
///
/// # Errors
///
/// [`KeyError`], when the text holds no key of any kind that can be used.
pub fn public_pem(text: &str) -> Result<Zeroizing<String>, KeyError> {
    Ok(pem("PUBLIC KEY", &PublicKey::from_pem(text)?.spki))
}

impl SigningKey {
    /// Reads a private key and checks that it is one for `signing`.
    pub(super) fn from_pem(text: &str, signing: Signing) -> Result<Self, KeyError> {
        let der = unpem(text, "PRIVATE KEY").ok_or(KeyError::Pem)?;
        let (pair, of) = Self::pair(&der).ok_or(KeyError::Unusable)?;
        if of != signing {
            return Err(KeyError::OtherAlgorithm(of));
        }
        let spki = pair.spki().ok_or(KeyError::Library)?;
        Ok(Self { pair, public: PublicKey::new(spki, signing).ok_or(KeyError::Unusable)? })
    }

    fn pair(der: &[u8]) -> Option<(Pair, Signing)> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Some((Pair::Ed25519(pair), Signing::EdDSA));
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Some((Pair::P256(pair), Signing::ES256));
        }
        let pair = RsaKeyPair::from_pkcs8(der).ok()?;
        (pair.public_modulus_len() >= 256).then(|| (Pair::Rsa(Box::new(pair)), Signing::RS256))
    }

    /// The half of it that is published.
    pub(super) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `header.payload` as it is in `token` and appends the signature.
    pub(super) fn finish(&self, mut token: String) -> Result<String, KeyError> {
        let rng = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.try_sign(token.as_bytes()).map(|s| s.as_ref().to_vec()),
            Pair::P256(pair) => pair.sign(&rng, token.as_bytes()).map(|s| s.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, token.as_bytes(), &mut signature)
                    .map(|()| signature)
            }
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.map_err(|_| KeyError::Library)?, &mut token);
        Ok(token)
    }
}

impl Pair {
    fn spki(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der(),
            Self::P256(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
        }
        .ok()?;
        Some(der.as_ref().to_vec())
    }
}

/// A key that checks tokens. Its name (`kid`) is the SHA-256 of its SPKI DER in base64url with
/// padding (protocol-pragma §4.3).
pub(super) struct PublicKey {
    signing: Signing,
    kid: String,
    /// Header of the tokens this key signs: base64url text with the dot.
    header: String,
    key: ParsedPublicKey,
    spki: Vec<u8>,
}

impl PublicKey {
    fn new(spki: Vec<u8>, signing: Signing) -> Option<Self> {
        let key = ParsedPublicKey::new(signing.verification(), &spki).ok()?;
        let kid = URL_SAFE.encode(digest::digest(&digest::SHA256, &spki));
        let header = format!(r#"{{"kid":"{kid}","alg":"{}","typ":"JWT"}}"#, signing.name());
        let header = URL_SAFE_NO_PAD.encode(header) + ".";
        Some(Self { signing, kid, header, key, spki })
    }

    /// Reads a public key, or the public half of a private one.
    pub(super) fn from_pem(text: &str) -> Result<Self, KeyError> {
        if let Some(der) = unpem(text, "PRIVATE KEY") {
            let (pair, signing) = SigningKey::pair(&der).ok_or(KeyError::Unusable)?;
            let spki = pair.spki().ok_or(KeyError::Library)?;
            return Self::new(spki, signing).ok_or(KeyError::Unusable);
        }
        let spki = unpem(text, "PUBLIC KEY").ok_or(KeyError::Pem)?;
        [Signing::EdDSA, Signing::ES256, Signing::RS256]
            .into_iter()
            .find_map(|signing| Self::new(spki.to_vec(), signing))
            .ok_or(KeyError::Unusable)
    }

    /// Header of its tokens, with the dot.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Header of something else this key signs, with the dot. Tokens' headers are compared whole, so
    /// nothing with another `typ` passes for one.
    pub(super) fn header_of(&self, typ: &str) -> String {
        let header =
            format!(r#"{{"kid":"{}","alg":"{}","typ":"{typ}"}}"#, self.kid, self.signing.name());
        URL_SAFE_NO_PAD.encode(header) + "."
    }

    /// Whether `signature` is this key's over `signed`.
    pub(super) fn accepts(&self, signed: &str, signature: &[u8]) -> bool {
        self.key.verify_sig(signed.as_bytes(), signature).is_ok()
    }

    /// The key as a JWK (RFC 7517, RFC 8037 for Ed25519).
    pub(super) fn jwk(&self) -> serde_json::Value {
        let mut jwk = serde_json::json!({
            "kid": self.kid, "alg": self.signing.name(), "use": "sig",
        });
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // The raw key is what an SPKI of these two fixed forms ends with.
        let tail = |len: usize| self.spki.get(self.spki.len().saturating_sub(len)..);
        let members = match self.signing {
            Signing::EdDSA => {
                let x = number(tail(32).unwrap_or_default());
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
            Signing::ES256 => {
                let (x, y) = tail(64).unwrap_or_default().split_at(32);
                serde_json::json!({"kty": "EC", "crv": "P-256", "x": number(x), "y": number(y)})
            }
            Signing::RS256 => match rsa::PublicKey::from_der(&self.spki) {
                Ok(key) => serde_json::json!({
                    "kty": "RSA",
                    "n": number(key.modulus().big_endian_without_leading_zero()),
                    "e": number(key.exponent().big_endian_without_leading_zero()),
                }),
                Err(_) => serde_json::json!({"kty": "RSA"}),
            },
        };
        if let (Some(jwk), serde_json::Value::Object(members)) = (jwk.as_object_mut(), members) {
            jwk.extend(members);
        }
        jwk
    }
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 64));
    text.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.extend(["-----END ", label, "-----\n"]);
    text
}

/// The bytes of the first PEM block with this label.
fn unpem(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    STANDARD.decode(body.as_str()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Signing; 3] = [Signing::EdDSA, Signing::ES256, Signing::RS256];

    #[test]
    fn a_generated_key_comes_back_from_its_file_and_signs() {
        for signing in ALL {
            let pem = generate(signing).unwrap();
            let key = SigningKey::from_pem(&pem, signing).unwrap();
            let token = key.finish(format!("{}e30", key.public().header())).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            assert!(key.public().accepts(signed, &signature), "{signing:?}");
            assert!(!key.public().accepts("other", &signature), "{signing:?}");
            let public = PublicKey::from_pem(&pem).unwrap();
            assert_eq!(public.kid, key.public().kid);
            let spki = super::pem("PUBLIC KEY", &public.spki);
            assert_eq!(PublicKey::from_pem(&spki).unwrap().header, public.header, "{signing:?}");
        }
    }

    #[test]
    fn a_key_of_another_algorithm_is_named_and_refused() {
        let pem = generate(Signing::EdDSA).unwrap();
        let refused = SigningKey::from_pem(&pem, Signing::ES256).err();
        assert_eq!(refused, Some(KeyError::OtherAlgorithm(Signing::EdDSA)));
        assert_eq!(SigningKey::from_pem("nothing", Signing::EdDSA).err(), Some(KeyError::Pem));
        let garbage = super::pem("PRIVATE KEY", b"garbage");
        assert_eq!(SigningKey::from_pem(&garbage, Signing::EdDSA).err(), Some(KeyError::Unusable));
    }

    #[test]
    fn a_short_rsa_key_is_refused() {
        let refused = SigningKey::from_pem(RSA_1024, Signing::RS256).err();
        assert_eq!(refused, Some(KeyError::Unusable));
    }

    #[test]
    fn a_published_key_has_the_members_of_its_kind_and_no_private_one() {
        for (signing, members) in [
            (Signing::EdDSA, vec!["x"]),
            (Signing::ES256, vec!["x", "y"]),
            (Signing::RS256, vec!["n", "e"]),
        ] {
            let pem = generate(signing).unwrap();
            let jwk = PublicKey::from_pem(&pem).unwrap().jwk();
            assert_eq!(jwk["kid"].as_str().unwrap().len(), 44, "32 bytes with padding");
            for member in members {
                assert!(!jwk[member].as_str().unwrap().is_empty(), "{signing:?} {member}");
            }
            assert!(jwk.get("d").is_none() && jwk.get("p").is_none());
        }
    }

    /// Made for this test with a foreign tool; protects nothing.
    const RSA_1024: &str = "-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAKYWVltTipYSZUbo
LUCZCs8Jwy7k6MWIZehI0lqRMS6/lP8v8FR1HdbAlpngrzuWyjiiOzQiGULtme0u
GM8sPTyxxCQ8Y7Aqg+qqHKUAbAd89Yb+tlAnHv93/8njUDnEx0y8+b7U7Z0DdyGg
WlXlvo/g/T+GDxVT4H9zVMnVPNkLAgMBAAECgYABhULVIzapmRGETKvdY4lNy/EV
hNL8u/ry3XfPjHS+0NI0Y+P3Yfsb9DdswTnZec/wJMwV9hn1GufF3B4uB2GoIM+E
udfJoX3RoTbBYeOZqeTONdZGTtoCcMS7UoKJ/tZCR9Vvedrr4cL3yJJEvqeEpp+x
6A2jgG6RUkgLr6r7gQJBAN1ajfHm2HXn8VdMym8NkVI3xbnHvD9N6WZRhbdMCwHW
Rb4T4mGf3hy9uGg47wpWRqNVQ6MZ4ij/byJIWcMh0tMCQQDAFU4HtWMbPntxXhsl
bgMuzsb37M8oiNrba6rlP7NLXcb0x2+GwsO613jGnW1KOoClnYSG/exPivt5bODV
O83pAkBypompBvGNOILXve2IUdW4aSzfyiWmAFvo5EbHJvr4i5x6FGCIQj7QUjAm
w36EsyVJSkuLOkfbBlrwvdrIaEeDAkAVTgeimT7N1cdRUrPGGgamWW7+LrjncQ59
SdrhpIgZcuRPYBOBqfaVsbKGrQ1jL0v3kpoRcvaT+AFefXIOlJyJAkEAmXQnh0Vu
cRrq1k+F6lSj7/sIz/sX7NjqakqE97Dl4+/csGi3MZmNywjeWRlw0TP5jvm2kBF+
6+MvXy4HjyF5AQ==
-----END PRIVATE KEY-----
";
}
