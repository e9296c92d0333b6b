//! Key sets as an authorization server should not give them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

/// What lies in the buffers of both sockets was sent, not read.
const ENOUGH: u64 = 16 * 1_048_576;

/// Starts a resource server against whoever listens there; tells what it said when it ended.
fn start_against(listener: &TcpListener, architecture: &str) -> std::process::Child {
    let issuer = format!("http://{}", listener.local_addr().expect("it listens"));
    Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .args(["serve", "resource-server", "--listen", "127.0.0.1:0", "--architecture", architecture])
        .args(["--authorization-server", &issuer])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started")
}

#[test]
fn a_key_set_without_end_is_refused_and_not_read_on() {
    for (architecture, limit) in
        [("jwt", 1_048_576_u64), ("{ kind = \"jwt\", key_set_limit = 100000 }", 100_000)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = start_against(&listener, architecture);
        let endless = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            let mut sent = 0_u64;
            while sent < 10 * limit + ENOUGH && stream.write_all(chunk.as_bytes()).is_ok() {
                sent += 0x10000;
            }
            sent
        });
        let ended = server.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert!(said.contains(&format!("more than the {limit} bytes")), "{said}");
        let sent = endless.join().unwrap();
        assert!(sent < limit + ENOUGH, "{sent} bytes went out");
    }
}
