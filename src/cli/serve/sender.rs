//! To whom tokens are bound, at servers that stand alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::wire::fresh_identity;
use crate::auth::sender::{SenderConstraint, SenderEvidence};
use crate::cli::exit::BadArgument;
use crate::cli::part::part;
use crate::registry::Part;
use crate::testbed::spec::{Listening, MutualEntranceSpec, SenderSpec};
use crate::wire::{Endpoint, KeyExchange, Tls, Wire};

// Of an authorization server.
#[derive(Debug, Args)]
pub(super) struct IssuedToArgs {
    /// Bind tokens to the client that asks for them, by dpop or mtls (see `bearerbench explain dpop`)
    #[arg(long, value_name = "CONSTRAINT", value_parser = part::<dyn SenderConstraint>)]
    pub(super) sender: Option<Part<dyn SenderConstraint>>,
    /// Where clients present their certificates (--sender mtls), over TLS 1.3 [default: 127.0.0.1:9443]
    #[arg(long, value_name = "ADDRESS", requires = "sender")]
    mtls_listen: Option<SocketAddr>,
    /// Write the certificate of that place, a new one for localhost, to this file as PEM, for clients to trust
    #[arg(long, value_name = "FILE", requires = "sender")]
    write_certificate: Option<PathBuf>,
}

// Of a resource server.
#[derive(Debug, Args)]
pub(super) struct SentByArgs {
    /// Accept tokens from those alone to whom they are bound, by dpop or mtls (see `bearerbench explain dpop`)
    #[arg(long, value_name = "CONSTRAINT", value_parser = part::<dyn SenderConstraint>)]
    sender: Option<Part<dyn SenderConstraint>>,
    /// URI of the resource as clients write it into proofs (--sender dpop) [default: that of the address]
    #[arg(long, value_name = "URI", requires = "sender")]
    resource: Option<String>,
}

/// Where clients present certificates unless somebody says.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9_443);

impl IssuedToArgs {
    /// Where clients present their certificates, if they do; others may know the certificate of that place once this is done.
    pub(super) fn entrance(&self) -> anyhow::Result<Option<MutualEntranceSpec>> {
        if self.sender.as_ref().is_some_and(presents) {
            let identity = fresh_identity(self.write_certificate.as_deref())?;
            let tls = Tls { key_exchange: KeyExchange::X25519, resumption: true };
            return Ok(Some(MutualEntranceSpec { listen: self.mtls_listen.unwrap_or(USUAL), tls, identity }));
        }
        let given = [
            ("--mtls-listen", self.mtls_listen.is_some()),
            ("--write-certificate", self.write_certificate.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                let problem =
                    format!("{option}: only with --sender mtls clients present certificates; leave it out");
                Err(BadArgument(problem).into())
            }
            None => Ok(None),
        }
    }
}

impl SentByArgs {
    /// What requests must show at the server of this hop, which is reached over this wire and there.
    pub(super) fn spec(self, hop: u8, wire: Wire, entrance: &Endpoint) -> Result<Option<SenderSpec>, String> {
        let Some(constraint) = self.sender else { return Ok(None) };
        let kind = constraint.kind();
        if hop > 0 {
            return Err(format!(
                "--sender {kind}: behind a gateway nobody asks whose a token is; give it to the server with --hop 0"
            ));
        }
        if presents(&constraint) && wire.tls.is_none() {
            return Err(format!(
                "--sender {kind}: clients present certificates in the TLS handshake; add --tls, like --tls X25519"
            ));
        }
        if presents(&constraint) && self.resource.is_some() {
            return Err(format!(
                "--resource: with --sender {kind} no request names its resource; leave it out"
            ));
        }
        let scheme = if wire.tls.is_some() { "https" } else { "http" };
        let resource = match (self.resource, entrance) {
            (Some(given), _) => given,
            (None, Endpoint::Tcp(address)) if address.port() == 0 && !presents(&constraint) => {
                return Err(format!(
                    "--sender {kind}: clients write the URI of the resource into proofs, and port 0 is none yet; give it as --resource, \
                     or another port"
                ));
            }
            (None, Endpoint::Tcp(address)) => format!("{scheme}://{address}/resource"),
            (None, Endpoint::Unix(_)) => format!("{scheme}://localhost/resource"),
        };
        Ok(Some(SenderSpec { constraint, resource }))
    }
}

/// Where clients present their certificates, in the words of a greeting.
pub(super) fn greeting(ready: &Listening) -> String {
    if ready.endpoint == Endpoint::Tcp(ready.address) {
        return String::new();
    }
    format!("\nmtls_token_endpoint=https://{}/token", ready.endpoint)
}

fn presents(sender: &Part<dyn SenderConstraint>) -> bool {
    matches!(sender.evidence(), SenderEvidence::Certificate(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(sender: &str, resource: Option<&str>, hop: u8, tls: bool, port: u16) -> Result<String, String> {
        let arguments =
            SentByArgs { sender: Some(part(sender).unwrap()), resource: resource.map(str::to_owned) };
        let tls = tls.then_some(Tls { key_exchange: KeyExchange::X25519, resumption: true });
        let entrance = Endpoint::Tcp(([127, 0, 0, 1], port).into());
        let spec = arguments.spec(hop, Wire { tls, ..Wire::default() }, &entrance)?;
        Ok(spec.expect("a constraint was given").resource)
    }

    #[test]
    fn proofs_are_for_the_uri_that_is_given_or_for_that_of_the_address() {
        assert_eq!(spec("dpop", None, 0, false, 80), Ok("http://127.0.0.1:80/resource".to_owned()));
        assert_eq!(spec("dpop", None, 0, true, 443), Ok("https://127.0.0.1:443/resource".to_owned()));
        assert_eq!(spec("dpop", Some("https://a/r"), 0, false, 0), Ok("https://a/r".to_owned()));
        assert!(spec("mtls", None, 0, true, 0).is_ok());
    }

    #[test]
    fn what_does_not_go_together_is_told_with_what_to_do() {
        for (refused, words) in [
            (spec("dpop", None, 0, false, 0), "give it as --resource"),
            (spec("dpop", None, 1, false, 80), "give it to the server with --hop 0"),
            (spec("mtls", None, 0, false, 80), "add --tls, like --tls X25519"),
            (spec("mtls", Some("https://a/r"), 0, true, 80), "--resource: with --sender mtls"),
        ] {
            let problem = refused.unwrap_err();
            assert!(problem.contains(words), "{problem}");
        }
        let arguments = IssuedToArgs {
            sender: Some(part("dpop").unwrap()),
            mtls_listen: Some(USUAL),
            write_certificate: None,
        };
        let problem = arguments.entrance().unwrap_err().to_string();
        assert!(problem.contains("--mtls-listen: only with --sender mtls"), "{problem}");
    }
}
