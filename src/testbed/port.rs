//! Ports that stay a server's own while it is down.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

use crate::testbed::spec::ANY_PORT;

/// A port of the loopback that is somebody's until this is dropped.
///
/// A server that starts again must be found where it was: the issuer identifier is an address. So this program keeps a socket bound
/// to each port, with `SO_REUSEADDR`, and never listens on it. The server, which sets the option too as every server does, may bind the
/// same port as often as it starts, since of the two only it listens. As long as the socket is bound
/// * whoever connects meanwhile is refused, as by a server that is down;
/// * the kernel gives the port to nobody who asks for any port, and to no outgoing connection. Else a client that connects again and
///   again to a port of its own range is at some time given that very port, is connected with itself (RFC 9293 section 3.5), and the
///   server finds its address in use.
///
/// A listener that is handed down would take connections for a server that is not there, which then hang instead of failing, and
/// no server of others takes one over; `SO_REUSEPORT` would have to be set by all, and lets two servers share a port.
#[derive(Debug)]
pub(super) struct ReservedPort {
    /// The address that is reserved.
    pub(super) address: SocketAddr,
    _socket: TcpSocket,
}

impl ReservedPort {
    /// One that the system chooses.
    pub(super) fn any() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(ANY_PORT)?;
        Ok(Self { address: socket.local_addr()?, _socket: socket })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{ErrorKind, Read as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_reserved_port_refuses_until_its_server_listens_and_again_when_it_is_gone() {
        let port = ReservedPort::any().unwrap();
        for _ in 0..3 {
            assert_eq!(TcpStream::connect(port.address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
            let server = TcpListener::bind(port.address).unwrap();
            let _client = TcpStream::connect(port.address).unwrap();
            // It is the server that closes first, so that its end of the connection stays for a minute.
            drop(server.accept().unwrap());
        }
    }

    #[test]
    fn nobody_who_asks_for_any_port_is_given_a_reserved_one() {
        let reserved: Vec<ReservedPort> = (0..500).map(|_| ReservedPort::any().unwrap()).collect();
        let addresses: HashSet<SocketAddr> = reserved.iter().map(|port| port.address).collect();
        assert_eq!(addresses.len(), reserved.len());
        let others: Vec<TcpListener> = (0..500).map(|_| TcpListener::bind(ANY_PORT).unwrap()).collect();
        assert!(others.iter().all(|other| !addresses.contains(&other.local_addr().unwrap())));
    }

    #[test]
    fn a_client_that_never_gives_up_keeps_no_server_from_its_port() {
        let port = ReservedPort::any().unwrap();
        let stopped = AtomicBool::new(false);
        thread::scope(|scope| {
            let client = scope.spawn(|| {
                let mut refused: u32 = 0;
                while !stopped.load(Ordering::Relaxed) {
                    match TcpStream::connect(port.address) {
                        // It waits for the server to hang up.
                        Ok(mut stream) => {
                            assert_ne!(stream.read(&mut [0]).ok(), Some(1), "connected with itself");
                        }
                        Err(_) => refused += 1,
                    }
                }
                refused
            });
            for _ in 0..100 {
                let server = TcpListener::bind(port.address).expect("nobody else has it");
                assert_eq!(server.local_addr().unwrap(), port.address);
                drop(server.accept().unwrap());
                drop(server);
                // As long as it takes until the client was refused now and then.
                thread::sleep(std::time::Duration::from_millis(2));
            }
            stopped.store(true, Ordering::Relaxed);
            assert!(client.join().unwrap() > 0, "the server was never seen down");
        });
    }
}
