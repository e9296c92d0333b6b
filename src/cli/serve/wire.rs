//! How a resource server that stands alone is reached.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use crate::cli::exit::BadArgument;
use crate::testbed::spec::Listening;
use crate::wire::{Endpoint, Http, Identity, KeyExchange, Socket, Tls, Wire, certificate};

#[derive(Debug, Args)]
pub(super) struct WireArgs {
    /// HTTP version, 1.1 or 2; without TLS, a client must be set to version 2 too (prior knowledge)
    #[arg(long, value_name = "VERSION", default_value = "1.1", value_parser = named::<Http>)]
    http: Http,
    /// Serve over TLS 1.3 with this key exchange, X25519 or X25519MLKEM768, and a new certificate for localhost
    #[arg(long, value_name = "GROUP", value_parser = named::<KeyExchange>)]
    tls: Option<KeyExchange>,
    /// Write the certificate to this file as PEM, for clients to trust
    #[arg(long, value_name = "FILE", requires = "tls")]
    write_certificate: Option<PathBuf>,
    /// Listen on a Unix socket instead of the address: a path, or @NAME for an abstract socket
    #[arg(long, value_name = "NAME", conflicts_with = "listen")]
    unix: Option<PathBuf>,
}

impl WireArgs {
    pub(super) fn wire(&self) -> Wire {
        Wire {
            http: self.http,
            tls: self.tls.map(|key_exchange| Tls { key_exchange, resumption: true }),
            socket: if self.unix.is_some() { Socket::Unix } else { Socket::Tcp },
        }
    }

    /// Where the server is reached: by its socket, or else at `address`.
    pub(super) fn entrance(&self, address: SocketAddr) -> Endpoint {
        self.unix.clone().map_or(Endpoint::Tcp(address), Endpoint::Unix)
    }

    /// Who the server is over TLS; clients may know once this is done.
    pub(super) fn identity(&self) -> anyhow::Result<Option<Identity>> {
        self.tls.map(|_| fresh_identity(self.write_certificate.as_deref())).transpose()
    }
}

/// A new identity, whose certificate is written to this file for clients to trust.
pub(super) fn fresh_identity(write_certificate: Option<&Path>) -> anyhow::Result<Identity> {
    let identity = certificate()?;
    if let Some(path) = write_certificate {
        fs::write(path, identity.certificate_pem()).with_context(|| {
            let path = path.display();
            BadArgument(format!(
                "--write-certificate: cannot write the certificate to {path}; give a file in a folder of yours"
            ))
        })?;
    }
    Ok(identity)
}

/// Where the resource is, and where its server answers plain HTTP/1.1 if that is elsewhere.
pub(super) fn greeting(wire: Wire, ready: &Listening) -> String {
    let scheme = if wire.tls.is_some() { "https" } else { "http" };
    let (address, socket) = match &ready.endpoint {
        Endpoint::Tcp(address) => (address.to_string(), String::new()),
        Endpoint::Unix(name) => ("localhost".to_owned(), format!("\nunix={}", name.display())),
    };
    let resource = format!("resource={scheme}://{address}/resource{socket}");
    if wire == Wire::default() {
        return resource;
    }
    format!("{resource}\nplain=http://{}/resource", ready.address)
}

/// A value as it is named in a scenario.
fn named<T: DeserializeOwned>(written: &str) -> Result<T, String> {
    let written: StrDeserializer<'_, Error> = written.into_deserializer();
    T::deserialize(written).map_err(|error| error.to_string())
}
