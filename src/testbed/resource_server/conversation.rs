//! Conversations with clients: HTTP of either version, with TLS or without.

use std::convert::Infallible;
use std::sync::Arc;

use axum::serve::Listener;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::auth::token::Confirmation;
use crate::testbed::resource_server::ResourceServer;
use crate::wire::Http;

/// What is spoken on the connections of a listener; by default HTTP/1.1 in the clear.
#[derive(Clone, Default)]
pub(super) struct Language {
    pub(super) http: Http,
    pub(super) tls: Option<TlsAcceptor>,
}

/// The most that the head of a request may have, the same in both versions of HTTP so that neither refuses a token that the
/// other takes. Far more than any signature needs: what servers of this world refuse is told in a table, not measured here.
const MOST_HEADER_BYTES: u32 = 512 * 1024;

/// Requests that one connection may have open. Go and nginx stop strangers at 250 and 128; here the scenario says how many there
/// are, and a limit of the server's would only show as waiting in the client.
const MOST_STREAMS: u32 = 10_000;

/// Serves every connection that `listener` accepts.
pub(super) async fn accept<L: Listener>(
    server: Arc<ResourceServer>,
    mut listener: L,
    language: Language,
) -> Infallible {
    loop {
        let (stream, _) = listener.accept().await;
        tokio::spawn(converse(Arc::clone(&server), stream, language.clone()));
    }
}

async fn converse(
    server: Arc<ResourceServer>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    language: Language,
) {
    match language.tls {
        None => speak(server, stream, language.http, None).await,
        // A handshake that fails is the client's to notice. The box keeps the rest small for everybody else.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                // Of a session that was resumed, the certificate of its first connection. Hashed here, for all requests that come by this one.
                let certificate = server.senders.of_connection(stream.get_ref().1.peer_certificates());
                Box::pin(speak(server, stream, language.http, certificate)).await;
            }
        }
    }
}

async fn speak(
    server: Arc<ResourceServer>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http: Http,
    certificate: Option<Confirmation>,
) {
    // One pointer for both: a request copies it.
    let party = Arc::new((server, certificate));
    let respond = service_fn(move |request| {
        let party = Arc::clone(&party);
        async move {
            let (server, certificate) = &*party;
            Ok::<_, Infallible>(server.respond(&request, certificate.as_ref()).await)
        }
    });
    let stream = TokioIo::new(stream);
    // Without a timer hyper waits for the next request as long as it takes: a pool keeps idle connections.
    // A broken connection is the client's to notice.
    match http {
        Http::Http1 => {
            let mut builder = http1::Builder::new();
            // A short answer is cheaper to copy behind its head than to be sent as a list of pieces.
            builder.max_buf_size(MOST_HEADER_BYTES as usize).writev(false);
            // A client that sends no more still gets its answer. Else hyper looks for its end while each request is decided on, and
            // takes a new buffer of 8 KB for that.
            builder.half_close(true);
            let _ = builder.serve_connection(stream, respond).await;
        }
        Http::Http2 => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            // By default 16 KB: less than the token of one post-quantum signature, which would be answered with 431.
            builder.max_header_list_size(MOST_HEADER_BYTES).max_concurrent_streams(MOST_STREAMS);
            let _ = Box::pin(builder.serve_connection(stream, respond)).await;
        }
    }
}
