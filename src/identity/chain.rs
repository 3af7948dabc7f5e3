//! Whether a certificate leads to a root we trust: names, signatures, dates, what each certificate
//! may be used for. No revocation lists and no name constraints are read.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry as oid;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;

/// Certificates between the leaf and the root, at most.
const ISSUERS_MAX: u32 = 4;

/// A certificate that leads to a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    /// Its RSA key, as PKCS#1 DER.
    pub rsa_key: Vec<u8>,
    /// When the first certificate on the way to the root lapses, in seconds since the epoch.
    pub until_s: u64,
}

/// Why a certificate leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It may not be used for this, or not now, or it is none.
    Bad(&'static str),
    /// Nobody we know issued the last one; where its issuer may be found, if it says so.
    NoIssuer(Option<String>),
}

/// Certificates to go by, as DER.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuers {
    /// Trusted.
    pub roots: Vec<Vec<u8>>,
    /// Believed if a root vouches for them.
    pub between: Vec<Vec<u8>>,
}

/// Checks a code-signing certificate at a moment, in seconds since the epoch. `organization`: whom it
/// must be for; empty: anybody.
pub(super) fn check(
    leaf: &[u8],
    issuers: &Issuers,
    organization: &str,
    now_s: u64,
) -> Result<Vouched, Broken> {
    let certificate = parse(leaf).ok_or(Broken::Bad("not a certificate"))?;
    fits(&certificate, organization).map_err(Broken::Bad)?;
    let mut until_s = valid_until(&certificate, now_s)
        .ok_or(Broken::Bad("the certificate is expired or not good yet"))?;
    let roots: Vec<_> = issuers.roots.iter().filter_map(|der| parse(der)).collect();
    let between: Vec<_> = issuers.between.iter().filter_map(|der| parse(der)).collect();
    let mut current = &certificate;
    for below in 0..=ISSUERS_MAX {
        let issued = |by: &&X509Certificate<'_>| is_issuer(by, current, below, now_s);
        if let Some(root) = roots.iter().find(issued) {
            let rsa_key = certificate.public_key().subject_public_key.data.to_vec();
            let until_s = until_s.min(valid_until(root, now_s).unwrap_or(0));
            return Ok(Vouched { rsa_key, until_s });
        }
        let Some(next) = between.iter().find(issued) else {
            return Err(Broken::NoIssuer(issuer_address(current)));
        };
        until_s = until_s.min(valid_until(next, now_s).unwrap_or(0));
        current = next;
    }
    Err(Broken::Bad("too many certificates to the root"))
}

/// The certificates of a PEM text, as DER.
pub(super) fn from_pem(text: &[u8]) -> Vec<Vec<u8>> {
    Pem::iter_from_buffer(text)
        .filter_map(Result::ok)
        .filter(|pem| pem.label == "CERTIFICATE")
        .map(|pem| pem.contents)
        .collect()
}

/// A certificate as it is published: DER, or one in PEM.
pub(super) fn from_either(body: &[u8]) -> Option<Vec<u8>> {
    if parse(body).is_some() {
        return Some(body.to_vec());
    }
    from_pem(body).into_iter().next().filter(|der| parse(der).is_some())
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, found)| found)
}

/// Whether a certificate is for signing code, by this organization, with an RSA key.
fn fits(leaf: &X509Certificate<'_>, organization: &str) -> Result<(), &'static str> {
    if leaf.public_key().algorithm.algorithm != oid::OID_PKCS1_RSAENCRYPTION {
        return Err("the certificate has no RSA key");
    }
    let mut names = leaf.subject().iter_organization().filter_map(|name| name.as_str().ok());
    if !organization.is_empty() && !names.any(|name| name == organization) {
        return Err("the certificate is for another organization");
    }
    if !signs_code(leaf) {
        return Err("the certificate is not for signing code");
    }
    match leaf.key_usage() {
        Ok(Some(usage)) if !usage.value.digital_signature() => {
            Err("the certificate is not for signatures")
        }
        Ok(_) => Ok(()),
        Err(_) => Err("the certificate says twice what it is for"),
    }
}

/// Whether it is for signing code, or does not say what it is for.
fn signs_code(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => usage.value.code_signing || usage.value.any,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// When it lapses; `None`: it has, or is not good yet.
fn valid_until(certificate: &X509Certificate<'_>, now_s: u64) -> Option<u64> {
    let (now, validity) = (i64::try_from(now_s).ok()?, certificate.validity());
    let until = validity.not_after.timestamp();
    let is_valid = validity.not_before.timestamp() <= now && now <= until;
    u64::try_from(until).ok().filter(|_| is_valid)
}

/// Whether `by` issued `child`, and may: `below` others stand between it and the leaf.
fn is_issuer(
    by: &X509Certificate<'_>,
    child: &X509Certificate<'_>,
    below: u32,
    now_s: u64,
) -> bool {
    let is_authority = by.basic_constraints().ok().flatten().is_some_and(|basic| {
        basic.value.ca && basic.value.path_len_constraint.is_none_or(|most| below <= most)
    });
    let signs_certificates = match by.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
        Err(_) => false,
    };
    by.subject().as_raw() == child.issuer().as_raw()
        && is_authority
        && signs_certificates
        && signs_code(by)
        && valid_until(by, now_s).is_some()
        && is_strong(child)
        && child.verify_signature(Some(by.public_key())).is_ok()
}

/// Whether the signature is of a kind nobody can forge today.
fn is_strong(certificate: &X509Certificate<'_>) -> bool {
    let algorithm = &certificate.signature_algorithm.algorithm;
    [
        oid::OID_PKCS1_SHA256WITHRSA,
        oid::OID_PKCS1_SHA384WITHRSA,
        oid::OID_PKCS1_SHA512WITHRSA,
        oid::OID_SIG_ECDSA_WITH_SHA256,
        oid::OID_SIG_ECDSA_WITH_SHA384,
    ]
    .contains(algorithm)
}

/// Where the issuer's certificate is, as the certificate says itself (`caIssuers`).
fn issuer_address(certificate: &X509Certificate<'_>) -> Option<String> {
    certificate.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            return None;
        };
        access.accessdescs.iter().find_map(|description| match description.access_location {
            GeneralName::URI(uri)
                if description.access_method == oid::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS =>
            {
                Some(uri.to_owned())
            }
            _ => None,
        })
    })
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
