//! The server under load, by its URL: where it is, how to speak to it, and whether it may be loaded.

use std::fmt;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use hyper::Uri;
use hyper::http::uri::Authority;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use tokio::time::timeout;

use crate::cli::load::this_machine::is_of_this_machine;
use crate::cli::load::tls;
use crate::load::TargetServer;
use crate::plan::Pace;
use crate::run::PATIENCE;
use crate::testbed::client::rooted;
use crate::units::Rate;
use crate::wire::{
    Connector, Endpoint, ForeignTls, HandshakeFault, Http, NegotiationError, Socket, ensure_listening,
};

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// URL to request, like <http://127.0.0.1:8080/resource>
    #[arg(long, value_name = "URL")]
    pub(super) target: TargetUrl,
    /// HTTP version: 1.1 or 2
    #[arg(long, default_value = "1.1", value_parser = http)]
    pub(super) http: Http,
    /// Connect to this Unix socket (@NAME for an abstract one); host and path still come from the URL
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// Allow a target or token endpoint on another machine, if its owner has agreed: at most 1,000 requests per second on
    /// 64 connections
    #[arg(long)]
    pub(super) allow_remote: bool,
}

/// What both ends agree on.
pub(super) struct Agreed {
    /// How requests travel, in words.
    pub(super) wire: String,
    /// What may go wrong, though nothing has yet.
    pub(super) note: Option<&'static str>,
}

/// Some servers can do without.
const UNKNOWN_CLIENT: &str =
    "note: the server asked for a certificate of the client (mutual TLS), and none was given (--client-cert)";

/// What others may be burdened with.
const MOST_REMOTE_RATE: f64 = 1_000.0;
const MOST_REMOTE_CONNECTIONS: u32 = 64;

fn http(text: &str) -> Result<Http, String> {
    match text {
        "1.1" => Ok(Http::Http1),
        "2" => Ok(Http::Http2),
        _ => Err("expected 1.1 or 2".to_owned()),
    }
}

/// Both ends do not agree on TLS.
#[derive(Debug, thiserror::Error)]
#[error("--target {target}: {fault}; {}", tls::remedy(.fault))]
struct Disagreement {
    target: String,
    fault: HandshakeFault,
}

/// Whether the server may speak another protocol than the one that was tried.
pub(super) fn is_of_protocol(error: &anyhow::Error) -> bool {
    let disagreement = error.downcast_ref::<Disagreement>();
    disagreement.is_some_and(|it| matches!(it.fault, HandshakeFault::NotTls | HandshakeFault::Protocol))
}

impl ServerArgs {
    /// Finds the server, and makes sure that it may be loaded so.
    pub(super) fn find(
        &self,
        pace: &Pace,
        connections: NonZeroU32,
        offer: &ForeignTls,
    ) -> anyhow::Result<TargetServer> {
        let TargetUrl { host, path, is_secure, .. } = &self.target;
        let endpoint = match &self.unix {
            Some(path) => {
                ensure_listening(path).with_context(|| {
                    format!("--unix: nobody listens on the socket {}; is the server running?", path.display())
                })?;
                Endpoint::Unix(path.clone())
            }
            None => Endpoint::Tcp(self.address(pace, connections)?),
        };
        let connector = Connector::foreign(endpoint, self.http, is_secure.then_some(offer), host)?;
        let authority = self.target.authority();
        Ok(TargetServer { connector, authority, path: path.clone(), is_secure: *is_secure })
    }

    /// How requests travel, in words: with TLS, what both ends agree on.
    pub(super) fn agree(&self, connector: &Connector, offer: &ForeignTls) -> anyhow::Result<Agreed> {
        let (http, socket) = (self.http, if self.unix.is_some() { Socket::Unix } else { Socket::Tcp });
        if !self.target.is_secure {
            return Ok(Agreed { wire: format!("{http}, {socket}"), note: None });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let negotiated = runtime.block_on(async { timeout(PATIENCE, connector.negotiate()).await });
        let target = &self.target;
        let negotiated = match negotiated {
            Ok(Ok(negotiated)) => negotiated.expect("a secure connection has negotiated"),
            Ok(Err(NegotiationError::Handshake(fault))) => {
                return Err(Disagreement { target: target.to_string(), fault }.into());
            }
            Ok(Err(error)) => return Err(error).with_context(|| format!("--target {target}")),
            Err(_) => anyhow::bail!(
                "--target {target}: no TLS handshake within {} s; does it speak TLS on this port?",
                PATIENCE.as_secs()
            ),
        };
        let resumption = if offer.resumption { "" } else { ", no resumption" };
        let wire = format!("{http} over {} ({}{resumption}), {socket}", negotiated.version, negotiated.group);
        Ok(Agreed { wire, note: connector.left_unanswered().then_some(UNKNOWN_CLIENT) })
    }

    fn address(&self, pace: &Pace, connections: NonZeroU32) -> anyhow::Result<SocketAddr> {
        let TargetUrl { host, port, .. } = &self.target;
        let addresses = (host.as_str(), *port).to_socket_addrs();
        let addresses: Vec<SocketAddr> =
            addresses.with_context(|| format!("--target: {host:?} has no address"))?.collect();
        if !addresses.iter().all(|address| is_of_this_machine(address.ip())) {
            self.ensure_remote_is_bearable(pace, connections)?;
        }
        answering(&addresses).with_context(|| {
            format!("--target: nobody listens on port {port} of {host}; is the server running?")
        })
    }

    fn ensure_remote_is_bearable(&self, pace: &Pace, connections: NonZeroU32) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.allow_remote,
            "--target {}: not on this machine; add --allow-remote if its owner lets you load it",
            self.target
        );
        let rate = pace.rate().map_or(f64::INFINITY, Rate::per_second);
        anyhow::ensure!(
            rate <= MOST_REMOTE_RATE && connections.get() <= MOST_REMOTE_CONNECTIONS,
            "a server on another machine is loaded with at most --rate {MOST_REMOTE_RATE} and --connections \
             {MOST_REMOTE_CONNECTIONS}, and not in a closed loop; for more, run bearerbench on that machine"
        );
        Ok(())
    }
}

/// The first address on which somebody listens: a name may have one for IPv6 where only IPv4 is served.
fn answering(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    addresses
        .iter()
        .copied()
        .find(|address| TcpStream::connect_timeout(address, Duration::from_secs(5)).is_ok())
}

/// A URL of http or https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TargetUrl {
    host: String,
    port: u16,
    path: String,
    is_secure: bool,
    text: String,
}

impl TargetUrl {
    /// Its host; an IPv6 address without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.port, self.is_secure) {
            (80, false) | (443, true) => host,
            (port, _) => format!("{host}:{port}"),
        }
    }
}

impl FromStr for TargetUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a URL like http://127.0.0.1:8080/resource";
        let url: Uri = text.parse().map(rooted).map_err(|error| format!("{error}; {expected}"))?;
        let is_secure = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(expected.to_owned()),
        };
        let authority = url.authority().ok_or(expected)?;
        if authority.as_str().contains('@') {
            return Err("a URL with a password in it is not taken; a token goes with --tokens".to_owned());
        }
        let port = port(authority).map_err(|problem| format!("{problem}; {expected}"))?;
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(if is_secure { 443 } else { 80 }),
            // What is not ASCII cannot stand in a request (RFC 3986 section 2.1).
            path: utf8_percent_encode(url.path_and_query().map_or("/", |path| path.as_str()), CONTROLS)
                .to_string(),
            is_secure,
            text: text.to_owned(),
        })
    }
}

/// The port that a URL names. One that is none is an error, where others fall back to that of the scheme.
pub(super) fn port(authority: &Authority) -> Result<Option<u16>, String> {
    match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
        "" | ":" => Ok(None),
        port => port[1..].parse().map(Some).map_err(|_| format!("no port is {}", &port[1..])),
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_port_and_path_and_what_is_none_says_what_was_expected() {
        let check = |text: &str, authority: &str, port, path: &str| {
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!(
                (url.authority().as_str(), url.port, url.path.as_str()),
                (authority, port, path),
                "{text}"
            );
        };
        check("http://127.0.0.1:8080/a?b=c", "127.0.0.1:8080", 8080, "/a?b=c");
        check("http://localhost", "localhost", 80, "/");
        check("http://localhost?b=c", "localhost", 80, "/?b=c");
        check("http://[::1]:81?b=/c?d#e", "[::1]:81", 81, "/?b=/c?d");
        check("http://localhost?", "localhost", 80, "/?");
        check("http://localhost#e", "localhost", 80, "/");
        check("http://localhost/%C3%BC/\u{fc}?\u{fc}", "localhost", 80, "/%C3%BC/%C3%BC?%C3%BC");
        check("https://[::1]:8443/x", "[::1]:8443", 8443, "/x");
        for text in [
            "127.0.0.1:8080",
            "ftp://127.0.0.1/",
            "http://user:secret@127.0.0.1/",
            "http://localhost:70000/",
            "",
        ] {
            assert!(text.parse::<TargetUrl>().is_err(), "{text}");
        }
    }
}
