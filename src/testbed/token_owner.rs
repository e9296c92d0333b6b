//! Whose the tokens of a trial are.

use std::sync::Arc;

use crate::auth::sender::SenderEvidence;
use crate::auth::token::Confirmation;
use crate::plan::Subject;
use crate::testbed::client::{Client, uri};
use crate::testbed::client_certificate::ClientCertificate;
use crate::testbed::client_key::ClientKey;
use crate::testbed::spec::MutualEntranceSpec;
use crate::testbed::{TestbedError, TrialNode};
use crate::wire::{ClientIdentity, Endpoint, Identity, Trust, Wire};

/// Whose the tokens of a trial are. Clones are the same owner.
#[derive(Clone, Debug)]
pub enum TokenOwner {
    /// Anybody's who has them.
    Anybody,
    /// The owner's of a key (RFC 9449).
    Key(Arc<ClientKey>),
    /// The owner's of a certificate (RFC 8705).
    Certificate(Arc<ClientCertificate>),
}

/// By what clients ask the authorization server of this subject for tokens: in the clear, unless they present certificates.
pub(super) fn wire_to_issuer(subject: &Subject) -> Wire {
    let evidence = subject.sender.as_ref().map(|sender| sender.evidence());
    let presents = matches!(evidence, Some(SenderEvidence::Certificate(_)));
    Wire { tls: subject.wire.tls.filter(|_| presents), ..Wire::default() }
}

/// The second place of that authorization server, if it has one.
pub(super) fn mutual_entrance(
    subject: &Subject,
    place: &Endpoint,
    identity: Option<&Identity>,
) -> Option<MutualEntranceSpec> {
    let (Some(tls), Endpoint::Tcp(listen)) = (wire_to_issuer(subject).tls, place) else { return None };
    Some(MutualEntranceSpec { listen: *listen, tls, identity: identity?.clone() })
}

impl TokenOwner {
    /// As the subject binds its tokens. The owner of a key knows the nonces of the servers that the load reaches; the owner of a certificate where
    /// the authorization server asks for it, and by whom it knows that server.
    pub(super) async fn of(
        subject: &Subject,
        client: &Client,
        authorization_server: &TrialNode,
        edge: impl Iterator<Item = &TrialNode>,
        trust: Option<Trust>,
    ) -> Result<Self, TestbedError> {
        let Some(constraint) = &subject.sender else { return Ok(Self::Anybody) };
        match constraint.evidence() {
            SenderEvidence::Proofs(rules) => {
                let mut key = ClientKey::generate(&rules, subject.wire)?;
                if rules.nonce {
                    let resource = |node: &TrialNode| {
                        uri(&format!("http://{}", node.address), "/resource").expect("an address makes a URL")
                    };
                    key.keep_nonces(client, edge.map(resource).collect()).await?;
                }
                Ok(Self::Key(Arc::new(key)))
            }
            SenderEvidence::Certificate(key) => {
                let (Some(tls), Some(trust)) = (subject.wire.tls, trust) else {
                    return Err(TestbedError::NoTls);
                };
                let Endpoint::Tcp(address) = &authorization_server.endpoint else {
                    return Err(TestbedError::NoTls);
                };
                let base = format!("https://{address}");
                Ok(Self::Certificate(Arc::new(ClientCertificate::generate(key, tls, trust, &base)?)))
            }
        }
    }

    /// What its tokens are bound to.
    pub(super) fn confirmation(&self) -> Option<Confirmation> {
        match self {
            Self::Anybody => None,
            Self::Key(key) => Some(key.confirmation()),
            Self::Certificate(certificate) => Some(certificate.confirmation()),
        }
    }

    /// What the owner presents in the handshake of each connection, if it is known by that.
    pub fn identity(&self) -> Option<&ClientIdentity> {
        match self {
            Self::Anybody | Self::Key(_) => None,
            Self::Certificate(certificate) => Some(certificate.identity()),
        }
    }

    /// What signs a proof for each request, if it is known by that.
    pub fn key(&self) -> Option<&Arc<ClientKey>> {
        match self {
            Self::Key(key) => Some(key),
            Self::Anybody | Self::Certificate(_) => None,
        }
    }

    /// How many characters of proof go with this token in each request; absent if it is anybody's.
    pub fn proof_characters(&self, token: &str) -> Option<u64> {
        match self {
            Self::Anybody => None,
            Self::Key(key) => Some(key.resource_proof(token, 0).len() as u64),
            Self::Certificate(_) => Some(0),
        }
    }
}
