//! One order: account, challenges, certificate.

use std::path::PathBuf;

use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    Order, OrderStatus, RetryPolicy,
};

use super::{AcmeError, Challenges, WITHIN, files};
use crate::config::TlsConfig;
use crate::config::tls::AcmeConfig;

/// What came of an order, PEM.
pub(super) struct Issued {
    /// The certificate, and those that lead to its root.
    pub chain: String,
    /// Its key.
    pub key: zeroize::Zeroizing<String>,
}

/// Gets a certificate for the names of the settings. `challenges` is what the ports answer meanwhile.
pub(super) async fn order(
    config: &TlsConfig,
    challenges: &Challenges,
) -> Result<Issued, AcmeError> {
    let account = account(config).await?;
    let names: Vec<_> = config.acme.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    show(&mut order, challenges).await?;
    let patience = RetryPolicy::new().timeout(WITHIN);
    if order.poll_ready(&patience).await? != OrderStatus::Ready {
        return Err(AcmeError::Refused);
    }
    let key = zeroize::Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&patience).await?;
    Ok(Issued { chain, key })
}

/// Puts up an answer for each name, and says that it may be looked at.
async fn show(order: &mut Order, challenges: &Challenges) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| AcmeError::NoChallenge(name.clone()))?;
        challenges.put(&name, challenge.key_authorization().digest().as_ref())?;
        challenge.set_ready().await?;
    }
    Ok(())
}

/// The account at this authority: the one in the file, or a new one, which is in the file when it is
/// used.
async fn account(config: &TlsConfig) -> Result<Account, AcmeError> {
    let acme = &config.acme;
    if let Some(known) = files::account(config)? {
        return Ok(client(acme)?.from_credentials(known).await?);
    }
    let contact = format!("mailto:{}", acme.contact);
    let contacts = [contact.as_str()];
    let wanted = NewAccount {
        contact: if acme.contact.is_empty() { &[] } else { &contacts },
        terms_of_service_agreed: acme.agree_to_terms,
        only_return_existing: false,
    };
    let (account, credentials) =
        client(acme)?.create(&wanted, acme.directory.clone(), None).await?;
    files::keep_account(config, &credentials)?;
    Ok(account)
}

fn client(acme: &AcmeConfig) -> Result<AccountBuilder, AcmeError> {
    Ok(if acme.directory_root == PathBuf::new() {
        Account::builder()?
    } else {
        Account::builder_with_root(&acme.directory_root)?
    })
}
