//! Where an identity provider has its endpoints: RFC 8414, and OpenID Connect Discovery 1.0.

use hyper::Uri;
use serde::Deserialize;

use crate::testbed::client::{CallError, SecureClient};

/// What is used of the metadata of a provider (RFC 8414 section 2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// Who it says it is.
    pub issuer: String,
    /// Where tokens are issued.
    pub token_endpoint: Option<String>,
    /// How clients may prove there who they are; absent means `client_secret_basic`.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Endpoints for clients with a certificate of their own (RFC 8705 section 5).
    pub mtls_endpoint_aliases: Option<Aliases>,
}

/// Endpoints for clients with a certificate of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Aliases {
    /// Where tokens are issued.
    pub token_endpoint: Option<String>,
}

/// Why an issuer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Not a URL of the form that RFC 8414 section 2 asks for.
    #[error("expected a URL like https://idp.example/realm, without ? and #")]
    NotAnIssuer,
    /// The URL of the metadata themselves.
    #[error("this is where metadata lie; give the issuer that they are of, like {0}")]
    OfMetadata(String),
    /// Metadata in neither place.
    #[error("it publishes no metadata that can be used, neither {oauth} nor {openid}")]
    Nowhere {
        /// What was found in the place of RFC 8414.
        oauth: Found,
        /// What was found in that of OpenID Connect Discovery.
        openid: Found,
    },
    /// No answer.
    #[error("its metadata cannot be fetched")]
    Unreachable(#[source] CallError),
    /// Metadata of somebody else: whoever believed it could be led anywhere (RFC 8414 section 3.3).
    #[error(
        "its metadata at {place} is of {found:?}; the two must be the same, letter by letter (RFC 8414 section 3.3): {hint}"
    )]
    OtherIssuer {
        /// Where the metadata lies.
        place: Uri,
        /// Whose it says it is.
        found: String,
        /// What to do.
        hint: String,
    },
    /// Nowhere to ask.
    #[error("its metadata at {place} names no token_endpoint")]
    NoTokenEndpoint {
        /// Where the metadata lies.
        place: Uri,
    },
}

/// What was found in one place.
#[derive(Debug)]
pub struct Found {
    place: Uri,
    what: String,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {} ({})", self.place, self.what)
    }
}

/// More than any provider publishes.
const MOST_BYTES: usize = 1 << 20;

/// The metadata of an issuer, with a token endpoint.
pub async fn discover(client: &SecureClient, issuer: &str) -> Result<Metadata, DiscoveryError> {
    if let Some(issuer) = of_metadata(issuer) {
        return Err(DiscoveryError::OfMetadata(issuer));
    }
    let [oauth, openid] = places(issuer).ok_or(DiscoveryError::NotAnIssuer)?;
    let first = match look(client, issuer, oauth).await? {
        Ok(metadata) => return Ok(metadata),
        Err(found) => found,
    };
    let second = look(client, issuer, openid).await?;
    second.map_err(|second| DiscoveryError::Nowhere { oauth: first, openid: second })
}

/// Looks in one place. Metadata of somebody else ends the search.
async fn look(
    client: &SecureClient,
    issuer: &str,
    place: Uri,
) -> Result<Result<Metadata, Found>, DiscoveryError> {
    let document = match client.get_at_most(&place, MOST_BYTES).await {
        Ok(document) => document,
        Err(CallError::Status { status, body, .. }) => {
            let moved = if status.is_redirection() { format!(", moved to {body}") } else { String::new() };
            return Ok(Err(Found { place, what: format!("answered {}{moved}", status.as_u16()) }));
        }
        Err(error) => return Err(DiscoveryError::Unreachable(error)),
    };
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&document) else {
        return Ok(Err(Found { place, what: "no metadata in JSON".to_owned() }));
    };
    if metadata.issuer != issuer {
        let hint = format!("give --issuer {}, if that is who you mean", metadata.issuer);
        return Err(DiscoveryError::OtherIssuer { place, found: metadata.issuer, hint });
    }
    if metadata.token_endpoint.is_none() {
        return Err(DiscoveryError::NoTokenEndpoint { place });
    }
    Ok(Ok(metadata))
}

/// The issuer, where the URL of its metadata was given.
fn of_metadata(url: &str) -> Option<String> {
    let (before, behind) = url.split_once("/.well-known/")?;
    let names = ["oauth-authorization-server", "openid-configuration"];
    let path = names.iter().find_map(|name| behind.strip_prefix(name))?;
    Some(format!("{before}{path}"))
}

/// Between host and path (RFC 8414 section 3.1), and behind the path (OpenID Connect Discovery 1.0 section 4).
fn places(issuer: &str) -> Option<[Uri; 2]> {
    let url: Uri = issuer.parse().ok()?;
    let (scheme, authority) = (url.scheme_str()?, url.authority()?);
    if url.query().is_some() || issuer.contains('#') || !["http", "https"].contains(&scheme) {
        return None;
    }
    let path = url.path().trim_end_matches('/');
    let oauth = format!("{scheme}://{authority}/.well-known/oauth-authorization-server{path}");
    let openid = format!("{scheme}://{authority}{path}/.well-known/openid-configuration");
    Some([oauth.parse().ok()?, openid.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_lies_where_the_two_standards_say() {
        let written = |issuer| places(issuer).map(|both| both.map(|place| place.to_string()));
        let check = |issuer, oauth: &str, openid: &str| {
            assert_eq!(written(issuer), Some([oauth.to_owned(), openid.to_owned()]));
        };
        // The example of RFC 8414 section 3.1.
        check(
            "https://example.com/issuer1",
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
        );
        for issuer in ["http://127.0.0.1:9000", "http://127.0.0.1:9000/"] {
            check(
                issuer,
                "http://127.0.0.1:9000/.well-known/oauth-authorization-server",
                "http://127.0.0.1:9000/.well-known/openid-configuration",
            );
        }
        for issuer in
            ["idp.example", "ftp://idp.example", "https://idp.example/?a=b", "https://idp.example/#a"]
        {
            assert_eq!(written(issuer), None, "{issuer}");
        }
    }

    #[test]
    fn the_issuer_is_found_in_the_url_of_its_metadata() {
        for issuer in ["https://idp.example", "https://idp.example/realm"] {
            for place in places(issuer).unwrap() {
                assert_eq!(of_metadata(&place.to_string()).as_deref(), Some(issuer));
            }
            assert_eq!(of_metadata(issuer), None);
        }
    }
}
