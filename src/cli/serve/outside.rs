//! What the servers of an architecture need of each other, where each is started by itself.

use crate::auth::architecture::{Architecture, Tokens};
use crate::design::TokenFormat;
use crate::registry::Part;

/// What clients of an authorization server hold that serves these architectures, and signs or does not.
pub(super) fn format(serves: &[Part<dyn Architecture>], is_signed: bool) -> Result<TokenFormat, String> {
    let mut particular = serves.iter().filter(|served| served.tokens() != Tokens::Any);
    let Some(first) = particular.next() else { return Ok(Tokens::Any.format(is_signed)) };
    if !is_signed {
        let kind = first.kind();
        return Err(format!(
            "--serves {kind}: its authorization server signs; add --signature, like --signature ES256"
        ));
    }
    let format = first.tokens().format(is_signed);
    match particular.find(|other| other.tokens().format(is_signed) != format) {
        None => Ok(format),
        Some(other) => Err(format!(
            "--serves {} and --serves {} want clients to hold different tokens; start an authorization server for each",
            first.kind(),
            other.kind()
        )),
    }
}

/// Whether there is such a server, and, if it is a gateway, all that stand behind it.
pub(super) fn ensure_complete(
    architecture: &Part<dyn Architecture>,
    [hop, branch]: [u8; 2],
    upstreams: usize,
) -> Result<(), String> {
    let hops = architecture.hops().count();
    let kind = architecture.kind();
    if usize::from(hop) >= hops {
        return Err(format!("--hop {hop}: the last server of {kind} is number {}, counted from 0", hops - 1));
    }
    let branches = architecture.at_hop(hop.into()).len();
    if usize::from(branch) >= branches {
        let last = branches - 1;
        return Err(format!(
            "--branch {branch}: of the servers of {kind} at hop {hop} the last is number {last}, counted from 0"
        ));
    }
    let behind = hop + 1;
    match architecture.at_hop(behind.into()).len() {
        0 => Ok(()),
        1 if upstreams > 0 => Ok(()),
        1 => Err(format!(
            "--architecture {kind}: this gateway passes requests on; start the server behind it with --hop {behind}, and give \
             its URL as --upstream"
        )),
        several if several == upstreams => Ok(()),
        several => Err(format!(
            "--architecture {kind}: this gateway passes requests on to {several} servers in turn, not {upstreams}; start each with \
             --hop {behind} and its number as --branch, from 0, and give their URLs in this order, each as an --upstream"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::architecture::ARCHITECTURES;

    fn part(kind: &str) -> Part<dyn Architecture> {
        let mut examples = ARCHITECTURES.examples().into_iter();
        let choice = examples.find(|choice| choice.kind == kind).expect("it has an example");
        ARCHITECTURES.resolve(choice).expect("an example")
    }

    #[test]
    fn clients_hold_what_the_architectures_decide_on() {
        let of = |kinds: &[&str], is_signed| {
            format(&kinds.iter().map(|kind| part(kind)).collect::<Vec<_>>(), is_signed)
        };
        assert_eq!(of(&[], false), Ok(TokenFormat::Opaque));
        assert_eq!(of(&["introspection"], true), Ok(TokenFormat::Jwt));
        assert_eq!(of(&["introspection", "phantom-token"], true), Ok(TokenFormat::Opaque));
        assert_eq!(of(&["introspection-signed", "phantom-token"], true), Ok(TokenFormat::Opaque));
        assert!(of(&["phantom-token"], false).unwrap_err().contains("--signature ES256"));
        assert!(
            of(&["phantom-token", "jwt"], true).unwrap_err().contains("an authorization server for each")
        );
    }

    #[test]
    fn a_gateway_needs_a_server_behind_it_and_nobody_else_does() {
        let (phantom, jwt) = (part("phantom-token"), part("jwt"));
        assert!(ensure_complete(&phantom, [0, 0], 0).unwrap_err().contains("--hop 1"));
        assert_eq!(ensure_complete(&phantom, [0, 0], 1), Ok(()));
        assert_eq!(ensure_complete(&phantom, [1, 0], 0), Ok(()));
        assert_eq!(ensure_complete(&jwt, [0, 0], 0), Ok(()));
        assert!(ensure_complete(&jwt, [1, 0], 0).unwrap_err().contains("is number 0"));
        assert!(ensure_complete(&jwt, [0, 1], 0).unwrap_err().contains("the last is number 0"));
    }

    #[test]
    fn a_gateway_before_several_servers_needs_all_of_them() {
        let hybrid = part("hybrid");
        for upstreams in [0, 1, 3] {
            let error = ensure_complete(&hybrid, [0, 0], upstreams).unwrap_err();
            assert!(error.contains("2 servers in turn") && error.contains("as --branch"), "{error}");
        }
        assert_eq!(ensure_complete(&hybrid, [0, 0], 2), Ok(()));
        assert_eq!(ensure_complete(&hybrid, [1, 1], 0), Ok(()));
        assert!(ensure_complete(&hybrid, [1, 2], 0).unwrap_err().contains("the last is number 1"));
    }
}
