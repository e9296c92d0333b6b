//! How a client proves to a token endpoint who it is.

use std::time::Duration;

use serde_json::json;

use crate::auth::token::jwks::PrivateJwk;
use crate::auth::token::jwt::SigningKey;
use crate::auth::token::signature::{KeyError, SignatureScheme, SigningError};
use crate::auth::token::{WallClock, opaque};
use crate::testbed::spec::Credentials;

/// How a client proves who it is, by the names of RFC 7591 section 2, RFC 7523 and RFC 8705.
pub enum Authentication {
    /// `client_secret_basic`: in the `Authorization` header (RFC 6749 section 2.3.1).
    SecretBasic(Credentials),
    /// `client_secret_post`: in the form (RFC 6749 section 2.3.1).
    SecretPost(Credentials),
    /// `private_key_jwt`: by a JWT that it signs (RFC 7523 section 2.2).
    PrivateKey(Assertion),
    /// `tls_client_auth` or `self_signed_tls_client_auth`: by its certificate in TLS (RFC 8705 section 2).
    Certificate {
        /// Which client has the certificate.
        client_id: String,
    },
}

/// A JWT by which a client proves who it is.
pub struct Assertion {
    client_id: String,
    audience: String,
    key: SigningKey,
}

/// How long an assertion may be used: it is made for one request (RFC 7523 section 3).
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// RFC 7521 section 4.2 and RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Form = form_urlencoded::Serializer<'static, String>;

impl Authentication {
    /// Adds what belongs into the form, and returns what belongs into the `Authorization` header.
    pub(super) fn prove(&self, form: &mut Form) -> Result<Option<String>, SigningError> {
        match self {
            Self::SecretBasic(credentials) => return Ok(Some(credentials.header())),
            Self::SecretPost(Credentials { client_id, client_secret }) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", client_secret);
            }
            Self::PrivateKey(assertion) => {
                form.append_pair("client_id", &assertion.client_id)
                    .append_pair("client_assertion_type", ASSERTION_TYPE)
                    .append_pair("client_assertion", &assertion.sign()?);
            }
            Self::Certificate { client_id } => {
                form.append_pair("client_id", client_id);
            }
        }
        Ok(None)
    }
}

impl Assertion {
    /// Assertions of this client, for whoever goes by `audience`. A key with a name of its own is named, so that the provider
    /// finds its public half among those of the client.
    pub fn new(
        client_id: &str,
        audience: &str,
        scheme: &dyn SignatureScheme,
        key: PrivateJwk,
        is_named: bool,
    ) -> Result<Self, KeyError> {
        let mut header = json!({ "alg": scheme.alg(), "typ": "JWT" });
        if is_named {
            header["kid"] = key.public.kid.as_str().into();
        }
        let key = SigningKey::with_header(scheme, key, &header)?;
        Ok(Self { client_id: client_id.to_owned(), audience: audience.to_owned(), key })
    }

    /// A fresh one (RFC 7523 section 3).
    fn sign(&self) -> Result<String, SigningError> {
        let now = WallClock::system().now();
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now.secs(),
            "exp": (now + ASSERTION_LIFETIME).secs(),
            "jti": opaque::mint(),
        });
        self.key.sign_payload(claims.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::auth::token::base64url;
    use crate::auth::token::signature::SIGNATURE_SCHEMES;
    use crate::registry::Choice;

    fn proved(authentication: &Authentication) -> (Option<String>, BTreeMap<String, String>) {
        let mut form = Form::new(String::new());
        let header = authentication.prove(&mut form).unwrap();
        (header, form_urlencoded::parse(form.finish().as_bytes()).into_owned().collect())
    }

    fn credentials() -> Credentials {
        Credentials { client_id: "me".to_owned(), client_secret: "a&b".to_owned() }
    }

    #[test]
    fn a_secret_stands_in_the_header_or_in_the_form_and_a_certificate_in_neither() {
        let (header, form) = proved(&Authentication::SecretBasic(credentials()));
        assert_eq!((header, form.len()), (Some(credentials().header()), 0));
        let (header, form) = proved(&Authentication::SecretPost(credentials()));
        assert_eq!((header, &*form["client_id"], &*form["client_secret"]), (None, "me", "a&b"));
        let (header, form) = proved(&Authentication::Certificate { client_id: "me".to_owned() });
        assert_eq!((header, form.len(), &*form["client_id"]), (None, 1, "me"));
    }

    #[test]
    fn an_assertion_is_signed_for_its_audience_and_is_another_one_each_time() {
        let scheme = Choice { kind: "ES256".to_owned(), settings: toml::Table::default() };
        let scheme = SIGNATURE_SCHEMES.resolve(scheme).unwrap();
        for is_named in [true, false] {
            let key = scheme.generate().unwrap();
            let verifier = scheme.verifier(&key.public).unwrap();
            let kid = key.public.kid.clone();
            let assertion = Assertion::new("me", "https://idp.example", &*scheme, key, is_named).unwrap();
            let authentication = Authentication::PrivateKey(assertion);
            let (header, form) = proved(&authentication);
            assert_eq!((header, &*form["client_assertion_type"]), (None, ASSERTION_TYPE));
            let jwt = &form["client_assertion"];
            let (signed, signature) = jwt.rsplit_once('.').unwrap();
            assert!(verifier.verifies(signed.as_bytes(), &base64url::decode(signature).unwrap()));
            let part = |number| -> Value {
                let part = jwt.split('.').nth(number).unwrap();
                serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap()
            };
            let (header, claims) = (part(0), part(1));
            assert_eq!((&header["alg"], &header["typ"]), (&"ES256".into(), &"JWT".into()));
            assert_eq!(header.get("kid").map(ToString::to_string), is_named.then(|| format!("{kid:?}")));
            assert_eq!((&claims["iss"], &claims["sub"]), (&"me".into(), &"me".into()));
            assert_eq!(claims["aud"], "https://idp.example");
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
            assert_ne!(proved(&authentication).1["client_assertion"], *jwt);
        }
    }
}
