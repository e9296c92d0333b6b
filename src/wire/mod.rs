//! TEMPORARY stand-in until the branch `wire` lands.
impl std::fmt::Display for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HTTP")
    }
}
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Http {
    #[default]
    Http1,
    Http2,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Wire {
    pub http: Http,
    pub tls: Option<()>,
}
#[derive(Clone, Debug)]
pub enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}
#[derive(Clone, Debug)]
pub struct Trust;
#[derive(Clone, Debug)]
pub struct Connector(SocketAddr);
impl Connector {
    pub fn new(e: Endpoint, _: &Wire, _: Option<Trust>, _: &str) -> Result<Self, io::Error> {
        match e {
            Endpoint::Tcp(a) => Ok(Self(a)),
            _ => unreachable!(),
        }
    }
    pub async fn connect(&self) -> io::Result<Stream> {
        let s = TcpStream::connect(self.0).await?;
        s.set_nodelay(true)?;
        Ok(Stream(s))
    }
}
#[derive(Debug)]
pub struct Stream(TcpStream);
impl Stream {
    pub fn try_write(&mut self, b: &[u8]) -> io::Result<usize> {
        self.0.try_write(b)
    }
    pub fn is_resumed(&self) -> Option<bool> {
        None
    }
    pub fn holds_back(&self) -> bool {
        false
    }
}
impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        b: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, b)
    }
}
impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, b: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, b)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
