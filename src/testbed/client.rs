//! A small HTTP client for calls between the parts of the test bed; the load has a transport of its own.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::uri::InvalidUri;
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Keeps connections and uses them again.
#[derive(Clone, Debug)]
pub struct Client {
    pool: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

/// How long an answer may take: a server that was stopped must not stop the trial for ever.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// The address of an endpoint of the server at `base`.
pub fn uri(base: &str, path: &str) -> Result<Uri, InvalidUri> {
    format!("{}{path}", base.trim_end_matches('/')).parse()
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { pool }
    }
}

impl Client {
    /// The body of what is at `uri`.
    pub async fn get(&self, uri: &Uri) -> Result<Bytes, CallError> {
        self.get_at_most(uri, usize::MAX).await
    }

    /// The body of what is at `uri`. A longer one is refused, and not read on.
    pub async fn get_at_most(&self, uri: &Uri, most_bytes: usize) -> Result<Bytes, CallError> {
        let request = Request::get(uri).body(Full::default()).expect("a URI makes a request");
        Ok(self.call(uri, request, most_bytes).await?.1)
    }

    /// The body of the answer to a form, sent with an `Authorization` header.
    pub async fn post(&self, uri: &Uri, authorization: &str, form: String) -> Result<Bytes, CallError> {
        Ok(self.post_for_headers(uri, authorization, form).await?.1)
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
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form))
            .expect("a URI and encoded credentials make a request");
        self.call(uri, request, usize::MAX).await
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
            let body = String::from_utf8_lossy(&body).into_owned();
            Err(CallError::Status { uri: uri.clone(), status, body })
        }
    }
}
