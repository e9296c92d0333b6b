//! How many bytes it takes to open a connection.

use std::io;

use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::{Connector, Tls, tls};

/// The bytes of a TLS handshake: its records, and the tickets that follow it; without what TCP and IP add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeSize {
    /// From the client.
    pub sent: u64,
    /// From the server.
    pub received: u64,
    /// Whether it took up an earlier session.
    pub is_resumed: bool,
}

/// What stands before each record: its type, its version, its length (RFC 8446 section 5.1).
const RECORD_HEADER: usize = 5;

impl Connector {
    /// Opens a connection to a server that sends `tickets` after each handshake, closes it again, and tells what went over it; `None` without
    /// TLS.
    pub async fn handshake_size(&self, tickets: u32) -> io::Result<Option<HandshakeSize>> {
        let Some(session) = self.session() else { return Ok(None) };
        let mut session = session.map_err(io::Error::other)?;
        let mut socket = self.socket().await?;
        let (mut sent, mut received) = (0, 0);
        loop {
            let mut flight = Vec::new();
            while session.wants_write() {
                session.write_tls(&mut flight)?;
            }
            socket.write_all(&flight).await?;
            socket.flush().await?;
            sent += flight.len() as u64;
            if !session.is_handshaking() && session.tls13_tickets_received() >= tickets {
                break;
            }
            // Record by record: a server that speaks first may send what is no part of the handshake right behind it.
            let mut record = vec![0; RECORD_HEADER];
            socket.read_exact(&mut record).await?;
            let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
            record.resize(RECORD_HEADER + length, 0);
            socket.read_exact(&mut record[RECORD_HEADER..]).await?;
            received += record.len() as u64;
            let mut unread = record.as_slice();
            while !unread.is_empty() {
                session.read_tls(&mut unread)?;
            }
            session.process_new_packets().map_err(io::Error::other)?;
        }
        let is_resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok(Some(HandshakeSize { sent, received, is_resumed }))
    }
}

impl HandshakeSize {
    /// Both ways.
    pub fn bytes(self) -> u64 {
        self.sent + self.received
    }
}

impl Tls {
    /// How many tickets a server of the test bed sends after each handshake.
    pub fn tickets(self) -> u32 {
        if self.resumption { tls::TICKETS } else { 0 }
    }
}
