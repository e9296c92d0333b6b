//! A small HTTP client for calls between the parts of the test bed, and to whoever issues tokens for a load; the load itself
//! has a transport of its own.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_NONE_MATCH, LOCATION};
use hyper::http::uri::{InvalidUri, PathAndQuery};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use crate::auth::token::dpop::PROOF_HEADER;
use crate::testbed::revocation_events::{EVENT_STREAM, LAST_EVENT_ID};

/// Keeps connections and uses them again.
#[derive(Clone, Debug)]
pub struct Client<C = HttpConnector> {
    pool: hyper_util::client::legacy::Client<C, Full<Bytes>>,
}

/// Speaks https too.
pub type SecureClient = Client<HttpsConnector<HttpConnector>>;

/// How long an answer may take: a server that was stopped must not stop the trial for ever.
const PATIENCE: Duration = Duration::from_secs(10);

const FORM: &str = "application/x-www-form-urlencoded";

/// A call that brought no 200.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing was answered.
    #[error("{uri}: no answer")]
    NoAnswer {
        /// Whom the call was for.
        uri: Uri,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing was answered in time.
    #[error("{uri}: no answer within {} s", .patience.as_secs())]
    TooLate {
        /// Whom the call was for.
        uri: Uri,
        /// How long was waited.
        patience: Duration,
    },
    /// More was answered than is taken.
    #[error("{uri}: answered more than the {most_bytes} bytes that are read at most")]
    TooMuch {
        /// Whom the call was for.
        uri: Uri,
        /// What is read at most.
        most_bytes: usize,
    },
    /// Something else was answered.
    #[error("{uri}: answered {status}, expected 200 OK: {body}")]
    Status {
        /// Whom the call was for.
        uri: Uri,
        /// What was answered.
        status: StatusCode,
        /// And why.
        body: String,
    },
}

impl CallError {
    /// Whether the server was reached without TLS, and ended the connection rather than answer.
    pub fn is_cut_off_without_tls(&self) -> bool {
        let Self::NoAnswer { uri, source } = self else { return false };
        let error = source.downcast_ref::<hyper_util::client::legacy::Error>();
        uri.scheme_str() == Some("http") && error.is_some_and(|error| !error.is_connect())
    }
}

/// The address of an endpoint of the server at `base`.
pub fn uri(base: &str, path: &str) -> Result<Uri, InvalidUri> {
    format!("{}{path}", base.trim_end_matches('/')).parse().map(rooted)
}

/// With "/" for a path that is empty before a query, as requests must have it (RFC 9112 section 3.2.1, RFC 9113 section 8.3.1).
pub fn rooted(uri: Uri) -> Uri {
    let Some(query) = uri.path_and_query().map(PathAndQuery::as_str).filter(|path| path.starts_with('?'))
    else {
        return uri;
    };
    let path = format!("/{query}").parse().expect("what it was read from, and a slash before it");
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).expect("as many parts as before")
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self::over(connector)
    }
}

impl SecureClient {
    /// Speaks TLS as `config` has it where a URL begins with https. The protocols for ALPN are set here.
    pub fn secure(config: ClientConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let builder = HttpsConnector::<HttpConnector>::builder().with_tls_config(config);
        Self::over(builder.https_or_http().enable_http1().wrap_connector(connector))
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Client<C> {
    fn over(connector: C) -> Self {
        let mut builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        // A form is short: cheaper to copy behind its head than to be sent as a list of pieces.
        builder.http1_writev(false);
        Self { pool: builder.build(connector) }
    }

    /// The body of what is at `uri`.
    pub async fn get(&self, uri: &Uri) -> Result<Bytes, CallError> {
        self.get_at_most(uri, usize::MAX).await
    }

    /// The body of what is at `uri`. A longer one is refused, and not read on.
    pub async fn get_at_most(&self, uri: &Uri, most_bytes: usize) -> Result<Bytes, CallError> {
        let request = Request::get(uri).body(Full::default()).expect("a URI makes a request");
        Ok(self.call(uri, request, most_bytes).await?.1)
    }

    /// Headers and body of what is at `uri`; `None` if it still is what has the entity tag `known` (RFC 9110 section 13.1.2).
    pub async fn get_unless(
        &self,
        uri: &Uri,
        known: Option<&str>,
        most_bytes: usize,
    ) -> Result<Option<(HeaderMap, Bytes)>, CallError> {
        let mut request = Request::get(uri);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = request.body(Full::default()).expect("a URI and an entity tag make a request");
        match self.call(uri, request, most_bytes).await {
            Err(CallError::Status { status: StatusCode::NOT_MODIFIED, .. }) if known.is_some() => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// The headers of whatever is answered at `uri`, a refusal too.
    pub async fn headers(&self, uri: &Uri) -> Result<HeaderMap, CallError> {
        let request = Request::get(uri).body(Full::default()).expect("a URI makes a request");
        let answer = tokio::time::timeout(PATIENCE, self.pool.request(request)).await;
        let answer = answer.map_err(|_| CallError::TooLate { uri: uri.clone(), patience: PATIENCE })?;
        let broken = |source| CallError::NoAnswer { uri: uri.clone(), source };
        Ok(answer.map_err(|error| broken(error.into()))?.into_parts().0.headers)
    }

    /// The body of the answer to a form, sent with an `Authorization` header.
    pub async fn post(&self, uri: &Uri, authorization: &str, form: String) -> Result<Bytes, CallError> {
        Ok(self.post_for_headers(uri, authorization, form).await?.1)
    }

    /// The same, which proves besides that its sender has a key (RFC 9449 section 5).
    pub async fn post_proven(
        &self,
        uri: &Uri,
        authorization: &str,
        proof: String,
        form: String,
    ) -> Result<Bytes, CallError> {
        let request = Request::post(uri)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, FORM)
            .header(PROOF_HEADER, proof)
            .body(Full::from(form))
            .expect("a URI, encoded credentials and base64url make a request");
        Ok(self.call(uri, request, usize::MAX).await?.1)
    }

    /// The same with the headers of the answer.
    pub async fn post_for_headers(
        &self,
        uri: &Uri,
        authorization: &str,
        form: String,
    ) -> Result<(HeaderMap, Bytes), CallError> {
        let request = Request::post(uri)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, FORM)
            .body(Full::from(form))
            .expect("a URI and encoded credentials make a request");
        self.call(uri, request, usize::MAX).await
    }

    /// The body of the answer to a form in this media type; `None` if there is nothing to say (204 No Content).
    pub async fn post_for(
        &self,
        uri: &Uri,
        authorization: &str,
        media_type: &'static str,
        form: String,
    ) -> Result<Option<Bytes>, CallError> {
        let request = Request::post(uri)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, FORM)
            .header(ACCEPT, media_type)
            .body(Full::from(form))
            .expect("a URI and encoded credentials make a request");
        match self.call(uri, request, usize::MAX).await {
            Err(CallError::Status { status: StatusCode::NO_CONTENT, .. }) => Ok(None),
            answer => Ok(Some(answer?.1)),
        }
    }

    /// The body of the answer to a form from a server that is not of the test bed, which may be told in the form itself who asks. A longer
    /// answer is refused, and not read on.
    pub async fn post_to_foreign(
        &self,
        uri: &Uri,
        authorization: Option<&str>,
        form: String,
        most_bytes: usize,
    ) -> Result<Bytes, CallError> {
        let mut request = Request::post(uri).header(CONTENT_TYPE, FORM).header(ACCEPT, "application/json");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(form)).expect("a URI and encoded credentials make a request");
        Ok(self.call(uri, request, most_bytes).await?.1)
    }

    /// The body of what is at `uri`, which has no end: server-sent events behind the one named `last`. Only its beginning may not take long.
    pub async fn follow(
        &self,
        uri: &Uri,
        authorization: &str,
        last: Option<&str>,
    ) -> Result<Incoming, CallError> {
        let mut request = Request::get(uri)
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, EVENT_STREAM)
            .header(CACHE_CONTROL, "no-store");
        if let Some(last) = last {
            request = request.header(LAST_EVENT_ID, last);
        }
        let request = request.body(Full::default()).expect("a URI, credentials and an id make a request");
        let answer = async {
            let response = self.pool.request(request).await;
            let response =
                response.map_err(|error| CallError::NoAnswer { uri: uri.clone(), source: error.into() })?;
            let status = response.status();
            if status == StatusCode::OK {
                return Ok(response.into_body());
            }
            let why = Limited::new(response.into_body(), 4_096).collect().await;
            let body = why.map_or_else(
                |error| error.to_string(),
                |why| String::from_utf8_lossy(&why.to_bytes()).into_owned(),
            );
            Err(CallError::Status { uri: uri.clone(), status, body })
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer.unwrap_or_else(|_| Err(CallError::TooLate { uri: uri.clone(), patience: PATIENCE }))
    }

    async fn call(
        &self,
        uri: &Uri,
        request: Request<Full<Bytes>>,
        most_bytes: usize,
    ) -> Result<(HeaderMap, Bytes), CallError> {
        let answer = tokio::time::timeout(PATIENCE, self.answer(uri, request, most_bytes)).await;
        answer.unwrap_or_else(|_| Err(CallError::TooLate { uri: uri.clone(), patience: PATIENCE }))
    }

    async fn answer(
        &self,
        uri: &Uri,
        request: Request<Full<Bytes>>,
        most_bytes: usize,
    ) -> Result<(HeaderMap, Bytes), CallError> {
        let broken = |source| CallError::NoAnswer { uri: uri.clone(), source };
        let response = self.pool.request(request).await.map_err(|error| broken(error.into()))?;
        let (head, body) = response.into_parts();
        let status = head.status;
        let body = Limited::new(body, most_bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                CallError::TooMuch { uri: uri.clone(), most_bytes }
            } else {
                broken(error)
            }
        })?;
        let body = body.to_bytes();
        if status == StatusCode::OK {
            Ok((head.headers, body))
        } else {
            // Where it moved to says more than the page that tells so.
            let place = head.headers.get(LOCATION).filter(|_| status.is_redirection());
            let place = place.and_then(|place| Some(place.to_str().ok()?.to_owned()));
            let body = place.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
            Err(CallError::Status { uri: uri.clone(), status, body })
        }
    }
}
