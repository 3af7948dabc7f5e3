//! Certificates: those Google publishes, and Apple's for Game Center with its way to a root.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::keys::RsaKey;

/// A self-signed certificate of `key`, good from `valid.0` until `valid.1` (Unix seconds).
pub fn google(key: &RsaKey, valid: (i64, i64)) -> String {
    params("google", valid).self_signed(&key.pair).unwrap().pem()
}

/// Apple's certificates: a root, an issuer, leaves that sign players. All leaves hold the first of
/// the shared keys.
pub struct Apple {
    root_pem: String,
    issuer_pem: String,
    /// The issuing certificate, DER.
    pub issuer: Vec<u8>,
    /// The one that signs players, DER; with the issuer's address in it.
    pub leaf: Vec<u8>,
    /// One that looks the same, which nobody trusted issued.
    pub stranger: Vec<u8>,
    /// One that lapsed an hour ago.
    pub expired: Vec<u8>,
    /// One of another organization.
    pub other: Vec<u8>,
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Apple {
    /// Certificates that are good around `now` (Unix seconds); the issuer is at `host`.
    pub fn new(host: &str, now: i64) -> Self {
        let valid = (now - 86_400, now + 365 * 86_400);
        let (root, stranger) = (Authority::new("root", valid), Authority::new("issuer", valid));
        let issuer = Authority::new("issuer", valid);
        let root_pem = root.params.self_signed(&root.key).unwrap().pem();
        let by_root = Issuer::from_params(&root.params, &root.key);
        let issuer_certificate = issuer.params.signed_by(&issuer.key, &by_root).unwrap();
        let leaf = |by: &Authority, valid, organization: &str| {
            let mut params = params("Apple Inc.", valid);
            params.distinguished_name.push(DnType::OrganizationName, organization);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.custom_extensions = vec![issuer_at(&format!("http://{host}/issuer.crt"))];
            let by = Issuer::from_params(&by.params, &by.key);
            params.signed_by(&RsaKey::nth(0).pair, &by).unwrap().der().to_vec()
        };
        Self {
            root_pem,
            issuer_pem: issuer_certificate.pem(),
            issuer: issuer_certificate.der().to_vec(),
            leaf: leaf(&issuer, valid, "Apple Inc."),
            stranger: leaf(&stranger, valid, "Apple Inc."),
            expired: leaf(&issuer, (now - 86_400, now - 3_600), "Apple Inc."),
            other: leaf(&issuer, valid, "Mallory Ltd."),
        }
    }

    /// The root, as a file of roots holds it.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The issuer, in PEM.
    pub fn issuer_pem(&self) -> String {
        self.issuer_pem.clone()
    }
}

impl Authority {
    fn new(name: &str, valid: (i64, i64)) -> Self {
        let mut params = params(name, valid);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self { params, key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap() }
    }
}

fn params(name: &str, valid: (i64, i64)) -> CertificateParams {
    let since = |unix_s: i64| Duration::from_secs(u64::try_from(unix_s).unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1) + since(valid.0);
    params.not_after = date_time_ymd(1970, 1, 1) + since(valid.1);
    params
}

/// Authority Information Access with one description: `caIssuers` (1.3.6.1.5.5.7.48.2), an address.
fn issuer_at(uri: &str) -> CustomExtension {
    let length = |bytes: usize| u8::try_from(bytes).unwrap();
    let method = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let mut description = method.to_vec();
    description.extend([0x86, length(uri.len())]);
    description.extend(uri.as_bytes());
    let mut content = vec![0x30, length(description.len() + 2), 0x30, length(description.len())];
    content.extend(description);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}
