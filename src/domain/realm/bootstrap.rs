//! Who becomes the first operator with every permission (protocol-pragma §9.1, §17, 32).

/// Who signs in at an operators' port, as their provider knows them.
#[derive(Clone, Copy, Debug)]
pub struct OperatorIdentity<'a> {
    /// The provider's name in Pragma's table.
    pub provider: &'a str,
    /// The id there.
    pub account_id: &'a str,
    /// The address there, if the provider vouches for it.
    pub verified_email: Option<&'a str>,
}

/// Whether an operator who signs in gets the built-in role: those whom `list` names, each as
/// `PROVIDER:account id` or `PROVIDER:verified e-mail`; without a list, the very first operator of a
/// server in development. Providers and addresses are compared without regard to case.
pub fn bootstrap(
    is_first_operator: bool,
    identity: OperatorIdentity<'_>,
    list: &[String],
    is_development: bool,
) -> bool {
    if list.is_empty() {
        return is_first_operator && is_development;
    }
    list.iter().any(|entry| {
        let Some((provider, who)) = entry.split_once(':') else {
            return false;
        };
        let is_email = identity.verified_email.is_some_and(|email| email.eq_ignore_ascii_case(who));
        provider.eq_ignore_ascii_case(identity.provider)
            && !who.is_empty()
            && (who == identity.account_id || is_email)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_decides_and_without_one_the_first_of_a_development_server() {
        let ada = OperatorIdentity {
            provider: "GOOGLEWORKSPACE",
            account_id: "1234",
            verified_email: Some("Ada@studio.example"),
        };
        let nobody = OperatorIdentity { verified_email: None, ..ada };
        let listed = |entry: &str| vec!["STEAM:9".to_owned(), entry.to_owned()];
        for (who, list, first, development, admin) in [
            (ada, vec![], true, true, true),
            (ada, vec![], false, true, false),
            (ada, vec![], true, false, false),
            (ada, listed("googleworkspace:ada@studio.example"), false, false, true),
            (ada, listed("GOOGLEWORKSPACE:1234"), false, false, true),
            (nobody, listed("GOOGLEWORKSPACE:ada@studio.example"), true, true, false),
            (ada, listed("STEAM:1234"), true, true, false),
            (ada, listed("1234"), true, true, false),
            (ada, listed("GOOGLEWORKSPACE:"), true, true, false),
        ] {
            assert_eq!(bootstrap(first, who, &list, development), admin, "{list:?} {who:?}");
        }
    }
}
