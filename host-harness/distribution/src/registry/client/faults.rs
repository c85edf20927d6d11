//! The failures of requests without an answer, and of redirects that are not permitted.

use smp_host::failure::{Code, Failure};
use smp_host::http::origin::Origin;
use smp_host::http::transport::{Distrust, TransportError};
use smp_host::remedy::Remedy;

pub(super) fn unusable_place() -> Failure {
    Failure::new(Code::Denied, "the registry redirects to an address that is not permitted")
        .with_remedy(Remedy::ContactSupport)
        .with_hint(
            "Only https is permitted, or plain http on this machine. Report it to the operator of \
             the registry.",
        )
}

/// The failure of a request that would have reached a private network.
pub(super) fn led_astray(error: TransportError, origin: &Origin) -> Failure {
    explained(unanswered(error), origin)
}

pub(super) fn explained(failure: Failure, origin: &Origin) -> Failure {
    if failure.code != Code::Denied {
        return failure;
    }
    Failure::new(
        Code::Denied,
        format!(
            "the registry redirects to {origin}, which is not on the allow list and has a private \
             address"
        ),
    )
    .with_remedy(Remedy::ApproveOrigin { origin: origin.to_string() })
    .with_hint("Nothing was sent there. If it belongs to the registry, allow it.")
}

pub(super) fn unanswered(error: TransportError) -> Failure {
    let upstream =
        |message: String, hint: &str| Failure::new(Code::Upstream, message).with_hint(hint);
    match error {
        TransportError::TimedOut => {
            upstream("the registry did not answer in time".into(), "Try again later.")
        }
        TransportError::Connection(text) => upstream(
            format!("the registry cannot be read: {text}"),
            "Check the registry's name and your network, or try again later.",
        ),
        TransportError::Untrusted(distrust) => {
            let remedy = if distrust.is_mended_by_trust() {
                Remedy::TrustRoot
            } else {
                Remedy::MendCertificate
            };
            let hint = match distrust {
                Distrust::UnknownIssuer | Distrust::Other(_) => {
                    "If it is from a certificate authority of your own, trust that one's \
                     certificate too. Otherwise the connection may be intercepted: do not go on."
                }
                ref other => other.hint(),
            };
            let reason = distrust.reason();
            upstream(format!("the registry's certificate is not trusted ({reason})"), hint)
                .with_remedy(remedy)
        }
        TransportError::Proxy(fault) => {
            upstream(fault.message(), &fault.hint()).with_remedy(Remedy::MendProxy)
        }
        TransportError::NotPublic(denied) => Failure::new(Code::Denied, denied.message()),
        TransportError::TooLarge(most) => {
            Failure::new(Code::Limit, format!("the registry's answer is larger than {most} bytes"))
                .with_hint(
                    "No answer of a registry that keeps connectors is as large as this. Check the \
                     reference.",
                )
                .with_remedy(Remedy::CorrectInput { input: "reference" })
        }
        TransportError::Denied(text) => Failure::new(Code::Denied, text),
        TransportError::Fixture(text) | TransportError::Other(text) => {
            Failure::new(Code::Other, text)
        }
        _ => Failure::new(Code::Other, "the registry cannot be read"),
    }
}
