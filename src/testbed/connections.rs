//! How the owner of the tokens connects with the servers that the load reaches, and what that takes on the wire.

use std::io;
use std::time::Duration;

use crate::observation::HandshakeBytes;
use crate::testbed::{Testbed, TestbedError};
use crate::wire::{Connector, ConnectorError, Endpoint, HandshakeSize, Wire};

/// For whom their certificate is.
const SERVER_NAME: &str = "localhost";

/// How long it may take to measure two handshakes.
const PATIENCE: Duration = Duration::from_secs(10);

impl Testbed {
    /// What connects over `wire` with one of the servers that the load reaches. It presents the certificate that the tokens are bound to, if they
    /// are bound to one.
    pub fn connector(&self, wire: &Wire, endpoint: Endpoint) -> Result<Connector, ConnectorError> {
        Connector::presenting(endpoint, wire, self.trust(), SERVER_NAME, self.owner.identity())
    }

    /// What it takes to connect with the first of them; `None` without TLS.
    pub async fn handshake_bytes(&self, wire: &Wire) -> Result<Option<HandshakeBytes>, TestbedError> {
        let (Some(tls), Some(endpoint)) = (wire.tls, self.endpoints().into_iter().next()) else {
            return Ok(None);
        };
        let connector = self.connector(wire, endpoint)?;
        // The second takes up the session of the first, where that is allowed.
        let both = async {
            let full = connector.handshake_size(tls.tickets()).await?;
            Ok::<_, io::Error>([full, connector.handshake_size(tls.tickets()).await?])
        };
        let both = tokio::time::timeout(PATIENCE, both).await;
        let both = both.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let [Some(full), next] = both.map_err(TestbedError::Handshake)? else { return Ok(None) };
        let chain = self.owner.identity().map(|identity| &identity.chain);
        let certificates = chain.map(|chain| chain.iter().map(Vec::len).sum::<usize>());
        Ok(Some(HandshakeBytes {
            full: full.bytes(),
            resumed: next.filter(|next| next.is_resumed).map(HandshakeSize::bytes),
            client_certificates: certificates.map(|bytes| bytes as u64),
        }))
    }
}
