//! Answers of the resource server: 200, or a refusal in the words of RFC 6750 section 3, RFC 9449 section 7.1 and RFC 8705 section 3.

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::{Body as _, Bytes};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use serde::Serialize;

use crate::auth::architecture::Verified;
use crate::auth::token::{Rejection, SenderFault};

pub(super) type Response = hyper::Response<Full<Bytes>>;

/// What a request to the protected resource gets.
pub(super) enum Answer {
    /// The resource, for a token of which this is known.
    Accepted(Verified),
    /// A challenge without an error code: the request carried no token (RFC 6750 section 3.1).
    NoToken,
    /// More than one token, or one that no header may carry.
    InvalidRequest,
    /// The token is refused.
    Refused(Rejection),
    /// Nothing shows that the token is the sender's.
    NotProven(SenderFault),
}

impl Answer {
    /// Whether the token is accepted; `None` if nobody knows.
    pub(super) fn accepts(&self) -> Option<bool> {
        match self {
            Self::Accepted(_) => Some(true),
            Self::Refused(Rejection::Undecided) => None,
            Self::Refused(_) | Self::NotProven(_) | Self::NoToken | Self::InvalidRequest => Some(false),
        }
    }

    /// The answer; a refusal begins with `scheme`.
    pub(super) fn response(self, scheme: &str) -> Response {
        match self {
            Self::Accepted(_) => body(StatusCode::OK, Bytes::from_static(br#"{"resource":"accepted"}"#)),
            Self::NoToken => challenge(StatusCode::UNAUTHORIZED, scheme, None),
            Self::InvalidRequest => {
                let what = ("invalid_request", "the request must carry exactly one token".to_owned());
                challenge(StatusCode::BAD_REQUEST, scheme, Some(what))
            }
            Self::Refused(Rejection::Undecided) => {
                let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
                response.headers_mut().insert(RETRY_AFTER, "1".parse().expect("a header value"));
                response
            }
            Self::Refused(rejection @ Rejection::InsufficientScope) => {
                let what = ("insufficient_scope", rejection.to_string());
                challenge(StatusCode::FORBIDDEN, scheme, Some(what))
            }
            Self::Refused(rejection) => {
                challenge(StatusCode::UNAUTHORIZED, scheme, Some(("invalid_token", rejection.to_string())))
            }
            Self::NotProven(fault) => {
                challenge(StatusCode::UNAUTHORIZED, scheme, Some((fault.code(), fault.to_string())))
            }
        }
    }
}

fn challenge(status: StatusCode, scheme: &str, error: Option<(&str, String)>) -> Response {
    let value = match error {
        None => scheme.to_owned(),
        Some((code, description)) => {
            format!("{scheme}, error=\"{code}\", error_description=\"{description}\"")
        }
    };
    let mut response = empty(status);
    response.headers_mut().insert(WWW_AUTHENTICATE, value.parse().expect("plain words make a header value"));
    response
}

pub(super) fn json(value: &impl Serialize) -> Response {
    body(StatusCode::OK, serde_json::to_vec(value).expect("plain data").into())
}

pub(super) fn method_not_allowed() -> Response {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, "GET, HEAD".parse().expect("a header value"));
    response
}

/// What HEAD gets: the same head as GET without the content (RFC 9110 section 9.3.2). hyper sees to it in HTTP/1.1 only.
pub(super) fn head_alone(response: Response) -> Response {
    let (mut head, content) = response.into_parts();
    let length = content.size_hint().exact().expect("its bytes are there");
    head.headers.insert(CONTENT_LENGTH, length.into());
    hyper::Response::from_parts(head, Full::default())
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = hyper::Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn body(status: StatusCode, bytes: Bytes) -> Response {
    let mut response = hyper::Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // Made when this is compiled: to parse them would copy them for every answer.
    headers.insert(CONTENT_TYPE, const { HeaderValue::from_static("application/json") });
    headers.insert(CACHE_CONTROL, const { HeaderValue::from_static("no-store") });
    response
}
