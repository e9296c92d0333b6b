//! The authorization server as a process: the OAuth endpoints over HTTP.

mod endpoints;
mod table;

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::auth::architecture::Architecture;
use crate::auth::authorization_server::{AuthorizationServer, Client, Minting};
use crate::auth::store::StoreError;
use crate::auth::token::dpop::{ProofRules, ProofVerifier};
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::KeyError;
use crate::auth::token::{Groups, WallClock};
use crate::design::TokenFormat;
use crate::testbed::listener::{Impatient, NoDelay};
use crate::testbed::spec::AuthorizationServerSpec;

pub(in crate::testbed) use endpoints::MOST_TOKENS;
pub(in crate::testbed) use table::MANY_TOKENS;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// No signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No token store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No address.
    #[error("the listening socket has no address")]
    Address(#[from] io::Error),
}

/// How long who reads a stream may take nothing of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prepares the server and hands it back as a future that serves on `listener` without end.
/// Its issuer identifier is the address it listens on.
pub(super) async fn prepare(
    spec: AuthorizationServerSpec,
    listener: TcpListener,
) -> Result<impl Future<Output = io::Result<()>>, PrepareError> {
    let issuer = format!("http://{}", listener.local_addr()?);
    let minting = match &spec.signature {
        Some(scheme) => {
            let key = spec.signing_key.map_or_else(|| scheme.generate(), Ok)?;
            let outside = spec.outside.unwrap_or(TokenFormat::Jwt);
            Minting::signed(outside, SigningKey::new(&**scheme, key)?, scheme.clone(), spec.also_publish)
        }
        None => Minting::Opaque,
    };
    // No nonce: whoever asks for a token has shown its secret just now.
    let rules = spec.sender.map(|sender| ProofRules { nonce: false, ..sender.proofs() });
    let proofs = rules.map(|rules| {
        ProofVerifier::new(rules, &format!("{issuer}/token")).expect("an address makes a URI with a host")
    });
    let clients = spec.clients.into_iter().map(|client| Client {
        id: client.credentials.client_id,
        secret: client.credentials.client_secret,
        audience: client.audience,
        scope: client.scope,
        lifetime: client.lifetime,
        refreshes_for: client.refreshes_for,
        age: client.age,
        groups: Groups::filling(client.extra_claims),
    });
    let store = spec.store.open().await?;
    let server = AuthorizationServer::new(issuer, clients, minting, store, WallClock::system())
        .publishing(
            spec.serves.iter().flat_map(|served| served.everywhere()).flat_map(Architecture::publishes),
        )
        .binding_by(proofs)
        .exchanging_for(spec.serves.iter().filter_map(|served| served.exchanges_for()).map(str::to_owned));
    Ok(axum::serve(Impatient(NoDelay(listener), PATIENCE), table::routes(server)).into_future())
}

#[cfg(test)]
mod tests;
