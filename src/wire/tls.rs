//! What both ends of TLS have in common: the provider of its cryptography, and how its protocols are called.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

use crate::wire::{Http, KeyExchange};

/// The algorithms of aws-lc with one group for the key exchange. Not installed for the whole process: each wire has its own.
pub(super) fn provider(key_exchange: KeyExchange) -> Arc<CryptoProvider> {
    let group: &'static dyn SupportedKxGroup = match key_exchange {
        KeyExchange::X25519 => kx_group::X25519,
        KeyExchange::X25519MlKem768 => kx_group::X25519MLKEM768,
    };
    Arc::new(CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() })
}

/// How many tickets a server sends after each handshake: what rustls does by default. A client that connects twice at once needs two.
pub(super) const TICKETS: u32 = 2;

/// The name of a protocol in ALPN (RFC 7301).
pub(super) fn protocol(http: Http) -> &'static [u8] {
    match http {
        Http::Http1 => b"http/1.1",
        Http::Http2 => b"h2",
    }
}
