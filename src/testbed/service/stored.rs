//! Where the tokens of a trial are kept: in memory, by a private program, or at somebody's URL.

use crate::auth::store::{self, Store, StoreError};
use crate::auth::token::{TokenId, opaque};
use crate::observation::Role;
use crate::plan::{NeededService, Placement, Subject};
use crate::registry::Part;
use crate::scenario::ServiceAddress;
use crate::testbed::TrialNode;
use crate::testbed::service::{PrivateService, ServiceError, ensure_installed};

/// The store of a trial with its place, and what goes with it.
#[derive(Debug)]
pub(in crate::testbed) struct StoredTokens {
    /// The store that the authorization server opens.
    pub(in crate::testbed) store: Part<dyn Store>,
    /// The program, if it is ours.
    pub(in crate::testbed) node: Option<TrialNode>,
    /// Whether what was kept must be taken away afterwards, since the program goes on.
    pub(in crate::testbed) is_lent: bool,
}

impl StoredTokens {
    /// Starts what the store of `subject` needs.
    pub(in crate::testbed) async fn ready(
        subject: &Subject,
        placement: &Placement,
    ) -> Result<Self, ServiceError> {
        let Some(NeededService { service, at, settings }) = &subject.service else {
            return Ok(Self { store: subject.store.clone(), node: None, is_lent: false });
        };
        let namespace = namespace();
        match at {
            ServiceAddress::Private => {
                let private = PrivateService::start(service, settings, &placement.servers).await?;
                let store = store::placed(&subject.store, &private.url, &namespace)?;
                let node = TrialNode::of_service(private, Role::Store);
                Ok(Self { store, node: Some(node), is_lent: false })
            }
            ServiceAddress::Url(url) => {
                let store = store::placed(&subject.store, url, &namespace)?;
                Ok(Self { store, node: None, is_lent: true })
            }
        }
    }
}

/// A name that no other trial has, wherever it is measured.
fn namespace() -> String {
    format!("bearerbench_{:016x}", TokenId::of(&opaque::mint()).first_bits())
}

/// Fails if a subject cannot have its tokens kept where it wants them: the program is not installed, or that at the URL is not there, too
/// old, or does not let us.
pub async fn ensure_usable(subject: &Subject) -> Result<(), ServiceError> {
    let Some(needed) = &subject.service else { return Ok(()) };
    let ServiceAddress::Url(url) = &needed.at else { return ensure_installed(needed) };
    let store = store::placed(&subject.store, url, &namespace())?;
    let failed = |source: StoreError| ServiceError::Store { name: needed.service.kind().to_owned(), source };
    removed(&store).await.map_err(failed)
}

/// Takes away what a trial has left behind in a program that goes on.
pub(in crate::testbed) async fn removed(store: &Part<dyn Store>) -> Result<(), StoreError> {
    store.open().await?.remove().await
}
