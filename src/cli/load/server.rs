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
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::load::Server;
use crate::plan::Pace;
use crate::units::Rate;
use crate::wire::{Connector, Endpoint, Http, KeyExchange, Socket, Tls, Trust, Wire, ensure_listening};

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The resource to ask for, like <http://127.0.0.1:8080/resource>
    #[arg(long, value_name = "URL")]
    pub(super) target: TargetUrl,
    /// Version of HTTP: 1.1 or 2
    #[arg(long, default_value = "1.1", value_parser = http)]
    http: Http,
    /// Believe the certificate in this file, DER or PEM, rather than those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Believe any certificate
    #[arg(long)]
    insecure: bool,
    /// How TLS agrees on a key: X25519 or X25519MLKEM768 (https only)
    #[arg(long, value_name = "GROUP", default_value = "X25519", value_parser = key_exchange)]
    key_exchange: KeyExchange,
    /// Do not resume TLS sessions
    #[arg(long)]
    no_resumption: bool,
    /// Connect to this Unix socket; a name with @ before it is an abstract one. The URL says host and path all the same
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// Load a server that is not on this machine, which its owner has allowed you: at most 1,000 requests per second on
    /// 64 connections
    #[arg(long)]
    allow_remote: bool,
}

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

fn key_exchange(text: &str) -> Result<KeyExchange, String> {
    [KeyExchange::X25519, KeyExchange::X25519MlKem768]
        .into_iter()
        .find(|group| group.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| "expected X25519 or X25519MLKEM768".to_owned())
}

impl ServerArgs {
    /// How requests travel.
    pub(super) fn wire(&self) -> Wire {
        let tls = Tls { key_exchange: self.key_exchange, resumption: !self.no_resumption };
        Wire {
            http: self.http,
            tls: self.target.is_secure.then_some(tls),
            socket: if self.unix.is_some() { Socket::Unix } else { Socket::Tcp },
        }
    }

    fn trust(&self) -> anyhow::Result<Option<Trust>> {
        if !self.target.is_secure {
            return Ok(None);
        }
        Ok(Some(match &self.ca {
            _ if self.insecure => Trust::Nothing,
            None => Trust::System,
            Some(path) => {
                let bytes =
                    std::fs::read(path).with_context(|| format!("--ca: cannot read {}", path.display()))?;
                let der = CertificateDer::from_pem_slice(&bytes).map(|der| der.to_vec());
                // What has no PEM in it is taken for DER, and refused where it is used if it is none.
                Trust::Certificate(der.unwrap_or(bytes))
            }
        }))
    }

    /// Finds the server, and makes sure that it may be loaded so.
    pub(super) fn find(&self, pace: &Pace, connections: NonZeroU32) -> anyhow::Result<Server> {
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
        let connector = Connector::new(endpoint, &self.wire(), self.trust()?, host)?;
        Ok(Server {
            connector,
            authority: self.target.authority(),
            path: path.clone(),
            is_secure: *is_secure,
        })
    }

    fn address(&self, pace: &Pace, connections: NonZeroU32) -> anyhow::Result<SocketAddr> {
        let TargetUrl { host, port, .. } = &self.target;
        let addresses = (host.as_str(), *port).to_socket_addrs();
        let addresses: Vec<SocketAddr> =
            addresses.with_context(|| format!("--target: {host:?} has no address"))?.collect();
        if !addresses.iter().all(|address| address.ip().is_loopback()) {
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
            "a server that is not on this machine gets at most --rate {MOST_REMOTE_RATE} and --connections \
             {MOST_REMOTE_CONNECTIONS}, and no closed loop; for more, run bearerbench beside it"
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
        let url: Uri = text.parse().map_err(|error| format!("{error}; {expected}"))?;
        let is_secure = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(expected.to_owned()),
        };
        let authority = url.authority().ok_or(expected)?;
        if authority.as_str().contains('@') {
            return Err("a URL with a password in it is not taken; a token goes with --tokens".to_owned());
        }
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default() {
            "" | ":" => None,
            port => Some(port[1..].parse().map_err(|_| format!("no port is {}; {expected}", &port[1..]))?),
        };
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(if is_secure { 443 } else { 80 }),
            path: url.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            is_secure,
            text: text.to_owned(),
        })
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
