//! Certificates made on the spot, each wrong in one way.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256, date_time_ymd,
};

use super::*;

/// 2027-01-15.
const NOW_S: u64 = 1_800_000_000;

struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Apple Inc.");
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params
}

fn authority(
    name: &str,
    by: Option<&Authority>,
    change: impl Fn(&mut CertificateParams),
) -> Authority {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    change(&mut params);
    let der = signed(&params, &key, by).der().to_vec();
    Authority { params, key, der }
}

fn signed(params: &CertificateParams, key: &KeyPair, by: Option<&Authority>) -> Certificate {
    match by {
        Some(by) => params.signed_by(key, &Issuer::from_params(&by.params, &by.key)).unwrap(),
        None => params.self_signed(key).unwrap(),
    }
}

/// Keys of leaves are the same throughout: an RSA key takes a while to make.
fn leaf_key() -> &'static KeyPair {
    static KEY: std::sync::OnceLock<KeyPair> = std::sync::OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
}

fn leaf(by: &Authority, change: impl Fn(&mut CertificateParams)) -> Vec<u8> {
    let mut params = named("Apple Inc.");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    change(&mut params);
    signed(&params, leaf_key(), Some(by)).der().to_vec()
}

fn plain(_: &mut CertificateParams) {}

fn issuers(root: &Authority, between: &[&Authority]) -> Issuers {
    Issuers {
        roots: vec![root.der.clone()],
        between: between.iter().map(|authority| authority.der.clone()).collect(),
    }
}

fn checked(leaf: &[u8], issuers: &Issuers) -> Result<Vouched, Broken> {
    check(leaf, issuers, "Apple Inc.", NOW_S)
}

#[test]
fn a_chain_to_a_root_is_vouched_for_until_its_first_certificate_lapses() {
    let root = authority("root", None, plain);
    let between = authority("between", Some(&root), |params| {
        params.not_after = date_time_ymd(2028, 1, 1);
    });
    let leaf = leaf(&between, plain);
    let vouched = checked(&leaf, &issuers(&root, &[&between])).unwrap();
    assert_eq!(vouched.until_s, 1_830_297_600, "2028-01-01");
    assert!(!vouched.rsa_key.is_empty());
    let direct = super::tests::leaf(&root, plain);
    assert!(checked(&direct, &issuers(&root, &[])).is_ok());
}

#[test]
fn nobody_else_vouches() {
    let (root, stranger) = (authority("root", None, plain), authority("root", None, plain));
    let between = authority("between", Some(&root), plain);
    let leaf = leaf(&between, plain);
    assert_eq!(checked(&leaf, &issuers(&root, &[])), Err(Broken::NoIssuer(None)));
    let other = issuers(&stranger, &[&between]);
    assert_eq!(checked(&leaf, &other), Err(Broken::NoIssuer(None)), "same name, other key");
    let fetched_root = Issuers { roots: vec![], between: vec![between.der, root.der] };
    assert!(checked(&leaf, &fetched_root).is_err(), "a root that was fetched is not trusted");
}

#[test]
fn an_issuer_must_be_allowed_to_issue() {
    let root = authority("root", None, plain);
    let no_authority = authority("between", Some(&root), |params| params.is_ca = IsCa::NoCa);
    let other_use = authority("between", Some(&root), |params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    let for_servers = authority("between", Some(&root), |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let expired = authority("between", Some(&root), |params| {
        params.not_after = date_time_ymd(2026, 1, 1);
    });
    for between in [&no_authority, &other_use, &for_servers, &expired] {
        let leaf = leaf(between, plain);
        assert!(checked(&leaf, &issuers(&root, &[between])).is_err());
    }
    let short = authority("short", None, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let between = authority("between", Some(&short), plain);
    let leaf = leaf(&between, plain);
    assert!(checked(&leaf, &issuers(&short, &[&between])).is_err(), "path length 0");
}

#[test]
fn a_leaf_must_be_apples_for_signing_code_and_good_now() {
    let root = authority("root", None, plain);
    let wrong: [fn(&mut CertificateParams); 5] = [
        |params| params.not_after = date_time_ymd(2027, 1, 1),
        |params| params.not_before = date_time_ymd(2027, 2, 1),
        |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        |params| params.distinguished_name.push(DnType::OrganizationName, "Mallory"),
    ];
    for change in wrong {
        let leaf = leaf(&root, change);
        assert!(matches!(checked(&leaf, &issuers(&root, &[])), Err(Broken::Bad(_))));
    }
    let silent = leaf(&root, |params| params.extended_key_usages.clear());
    assert!(checked(&silent, &issuers(&root, &[])).is_ok(), "it does not say what it is for");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let not_rsa = signed(&named("x"), &key, Some(&root)).der().to_vec();
    assert!(matches!(checked(&not_rsa, &issuers(&root, &[])), Err(Broken::Bad(_))));
    assert!(matches!(checked(b"garbage", &issuers(&root, &[])), Err(Broken::Bad(_))));
}

#[test]
fn the_address_of_a_missing_issuer_is_told() {
    let root = authority("root", None, plain);
    let between = authority("between", Some(&root), plain);
    let uri = b"http://ca.example/between.crt";
    // AuthorityInfoAccess: one description, caIssuers (1.3.6.1.5.5.7.48.2), a URI.
    let method = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let length = |bytes: usize| u8::try_from(bytes).unwrap();
    let mut description = method.to_vec();
    description.extend([0x86, length(uri.len())]);
    description.extend(uri);
    let mut content = vec![0x30, length(description.len() + 2), 0x30, length(description.len())];
    content.extend(description);
    let leaf = leaf(&between, |params| {
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
        params.custom_extensions = vec![CustomExtension::from_oid_content(&oid, content.clone())];
    });
    let address = Some("http://ca.example/between.crt".to_owned());
    assert_eq!(checked(&leaf, &issuers(&root, &[])), Err(Broken::NoIssuer(address)));
    assert!(checked(&leaf, &issuers(&root, &[&between])).is_ok());
}

#[test]
fn certificates_come_as_der_or_pem() {
    let root = authority("root", None, plain);
    let pem = signed(&root.params, &root.key, None).pem();
    assert_eq!(from_either(&root.der), Some(root.der.clone()));
    assert!(from_either(pem.as_bytes()).is_some());
    assert!(from_either(b"<html>").is_none());
    assert_eq!(from_pem(format!("{pem}\n{pem}").as_bytes()).len(), 2);
}
