//! Requests for libraries that take them in parts.

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use hyper::{Request, Uri};

use crate::load::TargetServer;
use crate::load::transport::{Outgoing, PROOF_HEADER};
use crate::plan::PROBE_HEADER;

/// What every request to a server says besides its token.
#[derive(Clone)]
pub(super) struct Template {
    uri: Uri,
    /// For HTTP/1.1: HTTP/2 has it in the URI.
    host: Option<HeaderValue>,
}

impl Template {
    /// The path, and the server in a header (RFC 9112 section 3.2).
    pub(super) fn http1(server: &TargetServer) -> Self {
        Self {
            uri: server.path.parse().expect("the path of a URL is one of a request"),
            host: Some(HeaderValue::from_str(&server.authority).expect("an authority is plain text")),
        }
    }

    /// Everything in the URI (RFC 9113 section 8.3.1).
    pub(super) fn http2(server: &TargetServer) -> Self {
        let TargetServer { authority, path, is_secure, .. } = server;
        let scheme = if *is_secure { "https" } else { "http" };
        let uri = format!("{scheme}://{authority}{path}").parse().expect("the parts of a URL make one");
        Self { uri, host: None }
    }

    pub(super) fn request<B>(&self, outgoing: &Outgoing<'_>, body: B) -> Request<B> {
        let mut value = Vec::with_capacity(outgoing.token.len() + 7);
        value.extend_from_slice(outgoing.scheme().as_bytes());
        value.extend_from_slice(outgoing.token.as_bytes());
        let value = HeaderValue::from_maybe_shared(Bytes::from(value))
            .expect("the characters of tokens are checked when they are read");
        let mut request = Request::new(body);
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        headers.insert(AUTHORIZATION, value);
        if let Some(proof) = outgoing.proof {
            let proof = HeaderValue::from_str(proof).expect("base64url and dots");
            headers.insert(HeaderName::from_static(PROOF_HEADER), proof);
        }
        if let Some(probe) = outgoing.probe {
            headers.insert(HeaderName::from_static(PROBE_HEADER), probe.into());
        }
        request
    }
}
