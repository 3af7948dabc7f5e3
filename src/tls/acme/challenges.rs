//! What the authority is shown when it knocks (RFC 8737 §3): a certificate of our own with a digest in
//! it that only who ordered can know.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;

use super::AcmeError;

/// What such a connection speaks (ALPN).
pub(in crate::tls) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Whether somebody who connects is an authority that looks: it offers this protocol and no other.
pub(in crate::tls) fn is_challenge(hello: &ClientHello<'_>) -> bool {
    hello
        .alpn()
        .is_some_and(|mut offered| offered.next() == Some(PROTOCOL) && offered.next().is_none())
}

/// Answers by name, while an order goes on: as many as the order has names. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::tls) struct Challenges(Arc<RwLock<HashMap<String, Arc<CertifiedKey>>>>);

impl Challenges {
    /// Answers for a name from now on.
    pub fn put(&self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let certificate = params.self_signed(&key)?;
        let private = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|problem| rustls::Error::General(problem.to_owned()))?;
        let chain = vec![certificate.der().clone()];
        // Not `from_der`: it refuses the extension that this is about, because it is critical.
        let key = CertifiedKey::new(chain, any_supported_type(&private)?);
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert(name.to_ascii_lowercase(), Arc::new(key));
        Ok(())
    }

    /// The answer for whoever connects; `None`: nothing was ordered for this name.
    pub fn answer(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }

    /// The order is over.
    pub fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
