//! Whether an address is one of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// True for loopback, for the address that stands for every one of this machine, and for those of its interfaces, in
/// whichever way they are written.
pub(super) fn is_of_this_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified() || is_of_an_interface(address)
}

/// Who speaks to an address of its own machine does so from that very address. Nothing is sent.
fn is_of_an_interface(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        // Any port does: the system only looks for the way.
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_no_address_and_interfaces_are_of_this_machine_and_documentation_is_not() {
        for address in
            ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"]
        {
            assert!(is_of_this_machine(address.parse().unwrap()), "{address}");
        }
        for address in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "255.255.255.255", "224.0.0.1"] {
            assert!(!is_of_this_machine(address.parse().unwrap()), "{address}");
        }
        // The one from which others are spoken to, where there is a network.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        if socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).is_ok() {
            let own = socket.local_addr().unwrap().ip();
            assert!(is_of_this_machine(own), "{own}");
        }
    }
}
