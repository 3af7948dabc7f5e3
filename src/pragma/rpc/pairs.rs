//! Rows of the table for game servers and operators (protocol-pragma §6.5). Each row: for whom,
//! service, stem, version, permission, what it does.

/// `both`: `Service.StemPartnerV1Request` and `Service.StemOperatorV1Request`; the same function
/// answers. `operator`: the second alone.
macro_rules! office_calls {
    (
        both { $($service:literal $stem:literal $version:literal $permission:literal $run:expr;)* }
        operator { $($oservice:literal $ostem:literal $opermission:literal $orun:expr;)* }
    ) => {
        &[
            $(
                Call::new(
                    concat!($service, ".", $stem, "Partner", $version, "Request"),
                    SessionType::Partner,
                    BackendType::Social,
                    |ask| Step::later($run(ask)),
                )
                .permitted($permission),
                Call::new(
                    concat!($service, ".", $stem, "Operator", $version, "Request"),
                    SessionType::Operator,
                    BackendType::Social,
                    |ask| Step::later($run(ask)),
                )
                .permitted($permission),
            )*
            $(
                Call::new(
                    concat!($oservice, ".", $ostem, "Request"),
                    SessionType::Operator,
                    BackendType::Social,
                    |ask| Step::later($orun(ask)),
                )
                .permitted($opermission),
            )*
        ]
    };
}
