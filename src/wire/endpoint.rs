//! Where a server is reached: a TCP address or a Unix socket.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// By TCP.
    Tcp(SocketAddr),
    /// By a Unix socket: a path, or `@` and a name that is in no file system and goes away with the server, as `ss` shows it.
    Unix(PathBuf),
}

impl Endpoint {
    /// Listens on the Unix socket called `name`; without one the system chooses.
    pub fn listen_unix(name: Option<&Path>) -> io::Result<(UnixListener, Self)> {
        // An empty address has the kernel make one up that nobody has (unix(7), autobind), as port 0 does.
        let listener = UnixListener::bind(name.map_or_else(PathBuf::new, system_path))?;
        let name = match name {
            Some(name) => name.to_owned(),
            None => chosen(&listener)?,
        };
        Ok((listener, Self::Unix(name)))
    }
}

/// Fails unless somebody listens on the Unix socket called `name`.
pub fn ensure_listening(name: &Path) -> io::Result<()> {
    let address = match name.to_str().and_then(|text| text.strip_prefix('@')) {
        Some(name) => std::os::unix::net::SocketAddr::from_abstract_name(name)?,
        None => std::os::unix::net::SocketAddr::from_pathname(name)?,
    };
    UnixStream::connect_addr(&address).map(drop)
}

/// `@name` as the system knows it: the byte 0 and the name.
pub(super) fn system_path(path: &Path) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_prefix('@')) {
        Some(name) => PathBuf::from(format!("\0{name}")),
        None => path.to_owned(),
    }
}

fn chosen(listener: &UnixListener) -> io::Result<PathBuf> {
    let address = std::os::unix::net::SocketAddr::from(listener.local_addr()?);
    let name = address.as_abstract_name().and_then(|name| std::str::from_utf8(name).ok());
    let unexpected = || io::Error::other("the system made up no name for a Unix socket; give it one");
    Ok(PathBuf::from(format!("@{}", name.ok_or_else(unexpected)?)))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
