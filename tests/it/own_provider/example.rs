use anteroom::identity::{BoxFuture, OwnAccount, OwnError, OwnProvider};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

/// Our web shop signs players in and hands the game `<player id>:<name>:<tag in hex>`.
pub struct Shop {
    key: Key,
}

impl Shop {
    pub fn new(secret: &[u8]) -> Self {
        Self { key: Key::new(HMAC_SHA256, secret) }
    }

    fn check(&self, token: &str) -> Option<OwnAccount> {
        let (said, tag) = token.rsplit_once(':')?;
        let tag = from_hex(tag)?;
        hmac::verify(&self.key, said.as_bytes(), &tag).ok()?;
        let (account_id, display_name) = said.split_once(':')?;
        Some(OwnAccount {
            account_id: account_id.to_owned(),
            display_name: display_name.to_owned(),
            discriminator: String::new(),
        })
    }
}

impl OwnProvider for Shop {
    fn number(&self) -> u8 {
        110
    }

    fn name(&self) -> &'static str {
        "SHOP"
    }

    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<OwnAccount, OwnError>> {
        Box::pin(async move {
            // A service that has to be asked is awaited here. When it cannot be, that is
            // `OwnError::Unavailable`: the player is told to try again, and nobody is let in.
            self.check(token).ok_or(OwnError::Refused("the shop did not sign it"))
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
