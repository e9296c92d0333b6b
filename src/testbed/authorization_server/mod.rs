//! The authorization server as a process: the OAuth endpoints over HTTP.

mod endpoints;
mod mutual;
mod refusal;
mod table;

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::auth::architecture::Architecture;
use crate::auth::authorization_server::{AuthorizationServer, Client, Minting, TokenBinding};
use crate::auth::sender::{SenderConstraint, SenderEvidence};
use crate::auth::store::StoreError;
use crate::auth::token::dpop::{ProofRules, ProofVerifier};
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::KeyError;
use crate::auth::token::{Groups, WallClock};
use crate::design::TokenFormat;
use crate::testbed::listener::{Impatient, NoDelay};
use crate::testbed::spec::AuthorizationServerSpec;
use mutual::PresentedCertificate;

pub(super) use mutual::{MutualEntrance, MutualEntranceError};

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

/// Prepares the server and hands it back as a future that serves on `listener`, and at the entrance for clients with certificates if there
/// is one, without end. Its issuer identifier is the address it listens on.
pub(super) async fn prepare(
    spec: AuthorizationServerSpec,
    listener: TcpListener,
    entrance: Option<MutualEntrance>,
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
    let binding = spec.sender.map(|sender| binding(&*sender, &issuer));
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
        .binding_by(binding)
        .exchanging_for(spec.serves.iter().filter_map(|served| served.exchanges_for()).map(str::to_owned));
    let mutual = entrance.as_ref().map(|entrance| format!("https://{}", entrance.address));
    let routes = table::routes(server, mutual);
    let presenting = routes.clone().into_make_service_with_connect_info::<PresentedCertificate>();
    Ok(async move {
        let plain = axum::serve(Impatient(NoDelay(listener), PATIENCE), routes).into_future();
        match entrance {
            None => plain.await,
            Some(entrance) => tokio::select! {
                ended = plain => ended,
                ended = axum::serve(entrance, presenting).into_future() => ended,
            },
        }
    })
}

/// What the tokens of this issuer are bound to.
fn binding(sender: &dyn SenderConstraint, issuer: &str) -> TokenBinding {
    match sender.evidence() {
        SenderEvidence::Proofs(rules) => {
            // No nonce: whoever asks for a token has shown its secret just now.
            let rules = ProofRules { nonce: false, ..rules };
            let verifier = ProofVerifier::new(rules, &format!("{issuer}/token"));
            TokenBinding::Key(Box::new(verifier.expect("an address makes a URI with a host")))
        }
        SenderEvidence::Certificate(_) => TokenBinding::Certificate,
    }
}

#[cfg(test)]
mod tests;
