//! Tokens from an identity provider: where it is, who asks, and for what.

use std::fmt;
use std::net::ToSocketAddrs as _;
use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use hyper::Uri;

use crate::auth::token::signature::SignatureScheme;
use crate::cli::load::issuing::{self, IssuingProgress};
use crate::cli::load::server::port;
use crate::cli::load::this_machine::is_of_this_machine;
use crate::cli::load::tls::{self, TlsArgs};
use crate::cli::load::tokens::{Circumstances, LoadTokens, RenewedBy};
use crate::cli::part::signature;
use crate::cli::token::signing_key;
use crate::identity_provider::{Assertion, Authentication, Metadata, TokenSource, discover};
use crate::registry::Part;
use crate::testbed::client::{CallError, SecureClient, rooted};
use crate::testbed::spec::Credentials;
use crate::wire::{CertificateRequests, ForeignTls, HandshakeFault};

#[derive(Debug, Args)]
pub(super) struct ProviderArgs {
    /// Number of tokens to request
    #[arg(long, value_name = "N", default_value = "1000", requires = "provider")]
    token_count: NonZeroU32,
    /// Concurrent token requests, at most 64
    #[arg(long, value_name = "N", default_value = "32", requires = "provider", value_parser = at_once)]
    token_parallel: NonZeroU32,
    /// Renew tokens during the load, before they expire
    #[arg(long, requires = "provider")]
    refresh: bool,
    /// `client_id` at the authorization server
    #[arg(long, default_value = "bench", requires = "provider")]
    client_id: String,
    /// `client_secret` at the authorization server
    #[arg(long, env = "BEARERBENCH_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// Private key that the client authenticates with (`private_key_jwt`, RFC 7523): JWK, JWK Set with one private key, or PEM
    #[arg(long, value_name = "FILE", requires = "provider")]
    assertion_key: Option<String>,
    /// Signature scheme of the key, if the key does not name it (an RSA key in PEM)
    #[arg(long, value_name = "ALG", alias = "alg", requires = "assertion_key", value_parser = signature)]
    assertion_alg: Option<Part<dyn SignatureScheme>>,
    /// Audience of the client assertion that the key signs [default: the token endpoint]
    #[arg(long, value_name = "URL", requires = "assertion_key")]
    assertion_audience: Option<String>,
    /// Client authentication method [default: by what is given: the key, else the secret, else --client-cert]
    #[arg(long, value_name = "METHOD", requires = "provider")]
    client_auth: Option<Method>,
    /// Scope to request
    #[arg(long, requires = "provider")]
    scope: Option<String>,
    /// Audience to request, for authorization servers that take the parameter `audience` (may be given several times)
    #[arg(long, requires = "provider")]
    audience: Vec<String>,
    /// Resource to request: the API that the tokens are for (RFC 8707; may be given several times)
    #[arg(long, value_name = "URL", requires = "provider")]
    resource: Vec<String>,
}

/// By the names that metadata and registrations use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Method {
    /// The secret in the Authorization header
    ClientSecretBasic,
    /// The secret in the request body
    ClientSecretPost,
    /// A JWT that the client signs (RFC 7523)
    PrivateKeyJwt,
    /// The client certificate, issued by a CA that the server trusts (RFC 8705)
    TlsClientAuth,
    /// The client certificate itself, registered at the server (RFC 8705)
    SelfSignedTlsClientAuth,
}

/// Where tokens are issued.
pub(super) enum TokenService<'a> {
    /// There.
    Endpoint(&'a str),
    /// Where the metadata of this issuer say.
    Issuer(&'a str),
}

/// A remote server may be asked for so many at once, as many as it may be sent requests.
const MOST_AT_ONCE: u32 = 64;

fn at_once(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= MOST_AT_ONCE);
    number.ok_or_else(|| format!("expected a number from 1 to {MOST_AT_ONCE}"))
}

impl ProviderArgs {
    pub(super) fn supply(
        &self,
        place: &TokenService<'_>,
        tls: &TlsArgs,
        offer: &ForeignTls,
        load: &Circumstances,
    ) -> anyhow::Result<LoadTokens> {
        let method = self.method(tls)?;
        let (config, asked) = offer.config()?;
        let reach = Reach { asked, has_identity: offer.identity.is_some(), allow_remote: load.allow_remote };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let client = SecureClient::secure(config);
            let source = Arc::new(self.source(place, method, client, &reach).await?);
            let told = IssuingProgress::new(self.token_count.get(), load.quiet);
            let pool = issuing::fill(&source, self.token_count.get(), &told).await;
            let pool = pool.map_err(|error| reach.explained(&source.endpoint, error))?;
            let lifetime = issuing::ensure_outlives(&pool, load, self.refresh)?;
            let renewed_by = lifetime.map(|lifetime| RenewedBy { source, lifetime });
            Ok(LoadTokens { pool: Arc::new(pool.tokens), round: None, renewed_by })
        })
    }

    /// The method asked for, or that of what was given.
    fn method(&self, tls: &TlsArgs) -> anyhow::Result<Option<Method>> {
        let given = |is_given: bool, option: &str| {
            let method =
                self.client_auth.and_then(|method| Some(method.to_possible_value()?.get_name().to_owned()));
            anyhow::ensure!(is_given, "--client-auth {}: give {option}", method.unwrap_or_default());
            Ok(self.client_auth)
        };
        let (secret, key) = (self.client_secret.is_some(), self.assertion_key.is_some());
        let certificate = tls.has_client_certificate();
        match self.client_auth {
            Some(Method::ClientSecretBasic | Method::ClientSecretPost) => given(secret, "--client-secret"),
            Some(Method::PrivateKeyJwt) => given(key, "--assertion-key"),
            Some(Method::TlsClientAuth | Method::SelfSignedTlsClientAuth) => {
                given(certificate, "--client-cert")
            }
            None if key => Ok(Some(Method::PrivateKeyJwt)),
            // Of the two ways to bring a secret, metadata may tell which.
            None if secret => Ok(None),
            None if certificate => Ok(Some(Method::TlsClientAuth)),
            None => anyhow::bail!(
                "the client must authenticate to get tokens: give --client-secret (or set BEARERBENCH_CLIENT_SECRET), \
                 --assertion-key or --client-cert"
            ),
        }
    }

    async fn source(
        &self,
        place: &TokenService<'_>,
        method: Option<Method>,
        client: SecureClient,
        reach: &Reach,
    ) -> anyhow::Result<TokenSource> {
        let (endpoint, metadata) = match place {
            TokenService::Endpoint(endpoint) => (reach.url("--token-endpoint", endpoint)?, None),
            TokenService::Issuer(issuer) => {
                let url = reach.url("--issuer", issuer)?;
                let metadata = discover(&client, issuer).await.map_err(|error| {
                    let place = format!("--issuer {issuer}");
                    reach.explained(&place, anyhow::Error::new(error).context(place.clone()))
                })?;
                let endpoint = token_endpoint(&metadata, method);
                let endpoint = reach.url("the token endpoint in the metadata of --issuer", endpoint)?;
                anyhow::ensure!(
                    url.scheme_str() != Some("https") || endpoint.scheme_str() == Some("https"),
                    "--issuer {issuer}: its metadata name the token endpoint {endpoint}, to which secrets would travel \
                     unencrypted; expected https"
                );
                (endpoint, Some(metadata))
            }
        };
        let method = method.unwrap_or_else(|| way_of_secret(metadata.as_ref()));
        let authentication = self.authentication(method, &endpoint)?;
        let mut parameters = Vec::new();
        parameters.extend(self.scope.iter().map(|scope| ("scope", scope.clone())));
        parameters.extend(self.audience.iter().map(|audience| ("audience", audience.clone())));
        parameters.extend(self.resource.iter().map(|resource| ("resource", resource.clone())));
        Ok(TokenSource { client, endpoint, authentication, parameters, at_once: self.token_parallel })
    }

    fn authentication(&self, method: Method, endpoint: &Uri) -> anyhow::Result<Authentication> {
        let credentials = || Credentials {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone().unwrap_or_default(),
        };
        Ok(match method {
            Method::ClientSecretBasic => Authentication::SecretBasic(credentials()),
            Method::ClientSecretPost => Authentication::SecretPost(credentials()),
            Method::PrivateKeyJwt => {
                let file = self.assertion_key.as_deref().context("give --assertion-key")?;
                let (scheme, key, is_named) = signing_key(file, self.assertion_alg.as_ref())?;
                let audience = self.assertion_audience.clone().unwrap_or_else(|| endpoint.to_string());
                Authentication::PrivateKey(Assertion::new(
                    &self.client_id,
                    &audience,
                    &*scheme,
                    key,
                    is_named,
                )?)
            }
            Method::TlsClientAuth | Method::SelfSignedTlsClientAuth => {
                Authentication::Certificate { client_id: self.client_id.clone() }
            }
        })
    }
}

/// In the header, which every server must take (RFC 6749 section 2.3.1), unless its metadata name the form alone.
fn way_of_secret(metadata: Option<&Metadata>) -> Method {
    let methods = metadata.and_then(|metadata| metadata.token_endpoint_auth_methods_supported.as_ref());
    let names = |name: &str| methods.is_some_and(|methods| methods.iter().any(|method| method == name));
    if names("client_secret_post") && !names("client_secret_basic") {
        Method::ClientSecretPost
    } else {
        Method::ClientSecretBasic
    }
}

/// The endpoint for clients with a certificate of their own, where there is one (RFC 8705 section 5).
fn token_endpoint(metadata: &Metadata, method: Option<Method>) -> &str {
    let alias = metadata.mtls_endpoint_aliases.as_ref().and_then(|aliases| aliases.token_endpoint.as_deref());
    let by_certificate = matches!(method, Some(Method::TlsClientAuth | Method::SelfSignedTlsClientAuth));
    let usual = metadata.token_endpoint.as_deref().unwrap_or_default();
    alias.filter(|_| by_certificate).unwrap_or(usual)
}

/// Which servers may be asked, and how it is told that they cannot be.
struct Reach {
    asked: CertificateRequests,
    has_identity: bool,
    allow_remote: bool,
}

impl Reach {
    /// A URL of a server that may be asked.
    fn url(&self, option: &str, text: &str) -> anyhow::Result<Uri> {
        let expected = "expected a URL like https://idp.example/token";
        let url: Uri = text.parse().map(rooted).with_context(|| format!("{option} {text}: {expected}"))?;
        let is_secure = url.scheme_str() == Some("https");
        let authority = url.authority().filter(|_| is_secure || url.scheme_str() == Some("http"));
        let authority = authority.with_context(|| format!("{option} {text}: {expected}"))?;
        anyhow::ensure!(
            !authority.as_str().contains('@'),
            "{option}: a URL with a password in it is not taken; a secret goes with --client-secret"
        );
        let host = authority.host().trim_matches(['[', ']']);
        let port = port(authority).map_err(|problem| anyhow::anyhow!("{option} {text}: {problem}"))?;
        let port = port.unwrap_or(if is_secure { 443 } else { 80 });
        let mut addresses = (host, port)
            .to_socket_addrs()
            .with_context(|| format!("{option} {text}: {host:?} has no address"))?;
        anyhow::ensure!(
            self.allow_remote || addresses.all(|address| is_of_this_machine(address.ip())),
            "{option} {text}: not on this machine; add --allow-remote if its owner lets you get tokens from it"
        );
        Ok(url)
    }

    /// Says what to do where TLS is the reason.
    fn explained(&self, place: &impl fmt::Display, error: anyhow::Error) -> anyhow::Error {
        match HandshakeFault::find(error.as_ref(), self.asked.was_asked(), self.has_identity) {
            Some(fault) => anyhow::anyhow!("{place}: {fault}; {}", tls::remedy(&fault)),
            None if may_speak_tls(&error) => {
                anyhow::anyhow!("{error:#}; if it speaks TLS there, write https://")
            }
            None => error,
        }
    }
}

/// Whether a server was reached without TLS that ended the connection rather than answer.
fn may_speak_tls(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref()).any(CallError::is_cut_off_without_tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(more: &str) -> Metadata {
        serde_json::from_str(&format!(r#"{{"issuer": "i", "token_endpoint": "usual"{more}}}"#)).unwrap()
    }

    #[test]
    fn a_secret_goes_into_the_header_unless_the_metadata_name_the_form_alone() {
        for (methods, way) in [
            ("", Method::ClientSecretBasic),
            (
                r#", "token_endpoint_auth_methods_supported": ["client_secret_post"]"#,
                Method::ClientSecretPost,
            ),
            (
                r#", "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]"#,
                Method::ClientSecretBasic,
            ),
            (r#", "token_endpoint_auth_methods_supported": ["private_key_jwt"]"#, Method::ClientSecretBasic),
        ] {
            assert_eq!(way_of_secret(Some(&metadata(methods))), way, "{methods}");
        }
        assert_eq!(way_of_secret(None), Method::ClientSecretBasic);
    }

    #[test]
    fn a_client_with_a_certificate_asks_where_the_metadata_send_such_clients() {
        let both = metadata(r#", "mtls_endpoint_aliases": {"token_endpoint": "mutual"}"#);
        assert_eq!(token_endpoint(&both, Some(Method::TlsClientAuth)), "mutual");
        assert_eq!(token_endpoint(&both, Some(Method::SelfSignedTlsClientAuth)), "mutual");
        assert_eq!(token_endpoint(&both, Some(Method::PrivateKeyJwt)), "usual");
        assert_eq!(token_endpoint(&both, None), "usual");
        for none in ["", r#", "mtls_endpoint_aliases": {}"#] {
            assert_eq!(token_endpoint(&metadata(none), Some(Method::TlsClientAuth)), "usual");
        }
    }
}
