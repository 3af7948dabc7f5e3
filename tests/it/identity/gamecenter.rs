//! Game Center: a signature, a certificate, and the way to a root (protocol-nakama §2.13).

use anteroom::identity::GameCenterProof;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::fakes::keys::RsaKey;

fn proof(proof: GameCenterProof) -> Proof {
    Proof::GameCenter(proof)
}

/// A proof signed anew after a change.
fn resigned(mut changed: GameCenterProof, key: &RsaKey) -> Proof {
    let salt = STANDARD.decode(&changed.salt).unwrap();
    let time = changed.timestamp.to_be_bytes();
    let message =
        [changed.player_id.as_bytes(), changed.bundle_id.as_bytes(), &time, &salt].concat();
    changed.signature = STANDARD.encode(key.sign(&message));
    proof(changed)
}

#[actix_web::test]
async fn a_signature_by_a_trusted_certificate_proves_the_player() {
    let bench = Bench::start().await;
    let good = proof(bench.fakes.gamecenter_proof("G:1234567890"));
    let expected = link(LinkKind::GameCenter, "G:1234567890");
    assert_eq!(bench.verify(&good).await.unwrap().link, expected);
    let other = proof(bench.fakes.gamecenter_proof("G:2"));
    assert_eq!(bench.id(&other).await, "G:2");
    assert_eq!(bench.fakes.asked("/public-key/"), 1, "the certificate is kept");
    assert_eq!(bench.fakes.asked("/issuer.crt"), 1);
    // Until it lapses: then the same address is asked again, and the certificate refused.
    bench.clock.advance_ms(366 * 86_400_000);
    is_refused(&bench.verify(&proof(bench.fakes.gamecenter_proof("G:2"))).await);
    assert_eq!(bench.fakes.asked("/public-key/"), 2);
}

#[actix_web::test]
async fn a_certificate_without_a_way_to_a_root_proves_nothing() {
    let bench = Bench::start().await;
    for name in ["gc-stranger.cer", "gc-expired.cer", "gc-other.cer", "gc-none.cer"] {
        let mut wrong = bench.fakes.gamecenter_proof("G:1");
        wrong.public_key_url = bench.fakes.gamecenter_url(name);
        is_refused(&bench.verify(&proof(wrong)).await);
    }
    // Issuers are fetched only from known hosts.
    let good = proof(bench.fakes.gamecenter_proof("G:1"));
    let asked = bench.fakes.asked("/issuer.crt");
    let strict = bench.others(|config| config.identity.gamecenter.issuer_hosts.clear());
    is_refused(&strict.verify(&good).await);
    assert_eq!(bench.fakes.asked("/issuer.crt"), asked);
    // The roots of this machine vouch for none of this.
    let real = bench.others(|config| config.identity.gamecenter.roots_file = None);
    is_refused(&real.verify(&good).await);
    assert!(bench.verify(&good).await.is_ok());
}

#[actix_web::test]
async fn what_is_signed_is_what_counts() {
    let bench = Bench::start().await;
    let good = || bench.fakes.gamecenter_proof("G:1");
    let changes: [fn(&mut GameCenterProof); 7] = [
        |proof| proof.player_id = "G:2".into(),
        |proof| proof.timestamp += 1,
        |proof| proof.salt = "AAAA".into(),
        |proof| proof.salt = "not base64".into(),
        |proof| proof.signature = "not base64".into(),
        |proof| proof.signature = String::new(),
        |proof| proof.bundle_id = "com.example.gam".into(),
    ];
    for change in changes {
        let mut changed = good();
        change(&mut changed);
        is_refused(&bench.verify(&proof(changed)).await);
    }
    is_refused(&bench.verify(&resigned(good(), RsaKey::nth(1))).await);
    assert!(bench.verify(&resigned(good(), RsaKey::nth(0))).await.is_ok());
}

#[actix_web::test]
async fn other_apps_and_other_times_are_refused_though_well_signed() {
    let bench = Bench::start().await;
    let now = bench.fakes.gamecenter_proof("G:1").timestamp;
    let at = |timestamp| {
        let changed = GameCenterProof { timestamp, ..bench.fakes.gamecenter_proof("G:1") };
        resigned(changed, RsaKey::nth(0))
    };
    for timestamp in [now - 600_001, now + 30_001, now / 1_000, -1, 0, i64::MAX, i64::MIN] {
        is_refused(&bench.verify(&at(timestamp)).await);
    }
    for timestamp in [now - 600_000, now + 30_000] {
        assert!(bench.verify(&at(timestamp)).await.is_ok());
    }
    let mut other = bench.fakes.gamecenter_proof("G:1");
    other.bundle_id = "com.evil.app".into();
    is_refused(&bench.verify(&resigned(other, RsaKey::nth(0))).await);
    for id in ["", "a\nb"] {
        let nobody = resigned(bench.fakes.gamecenter_proof(id), RsaKey::nth(0));
        is_refused(&bench.verify(&nobody).await);
    }
}

#[actix_web::test]
async fn the_clients_address_is_followed_only_to_where_certificates_are() {
    let bench = Bench::start().await;
    let base = bench.fakes.gamecenter_url("");
    let host = bench.fakes.address;
    for url in [
        String::new(),
        "https://static.gc.apple.com.evil.example/public-key/gc-prod-10.cer".into(),
        format!("http://{host}/issuer.crt"),
        format!("http://{host}/there/public-key/gc-test-1.cer"),
        base.clone(),
        format!("{base}.cer"),
        format!("{base}../public-key/gc-test-1.cer"),
        format!("{base}%2e%2e/gc-test-1.cer"),
        format!("{base}gc-test-1.cer?x"),
        format!("{base}gc-test-1.cer#x.cer"),
        format!("{base}x/gc-test-1.cer"),
        format!("{base}x\\gc-test-1.cer"),
        format!("http://evil@{host}/public-key/gc-test-1.cer"),
        "file:///public-key/gc-test-1.cer".into(),
    ] {
        let mut elsewhere = bench.fakes.gamecenter_proof("G:1");
        elsewhere.public_key_url = url;
        is_refused(&bench.verify(&proof(elsewhere)).await);
    }
    assert_eq!(bench.fakes.asked("/"), 0);
}

#[actix_web::test]
async fn issuers_may_be_given_so_that_none_need_be_fetched() {
    let bench = Bench::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bench.fakes.issuer_pem()).unwrap();
    let offline = bench.others(|config| {
        config.identity.gamecenter.issuer_hosts.clear();
        config.identity.gamecenter.issuers_file = Some(file.path().to_owned());
    });
    assert!(offline.verify(&proof(bench.fakes.gamecenter_proof("G:1"))).await.is_ok());
    assert_eq!(bench.fakes.asked("/issuer.crt"), 0);
}
