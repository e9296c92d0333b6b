//! What no client should send does no harm.

use std::net::{SocketAddr, TcpStream};

use crate::http::{Answer, get, throw};
use crate::server::{Server, bearer};

/// Requests that are none, or too much.
fn rubbish() -> Vec<Vec<u8>> {
    let line = |length: usize| {
        format!("GET /resource HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", "a".repeat(length))
    };
    vec![
        b"\r\n\r\n".to_vec(),
        vec![0; 4096],
        (0..=255).cycle().take(10_000).collect(),
        b"GET".to_vec(),
        b"GET /resource HTTP/9.9\r\n\r\n".to_vec(),
        b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
        b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        b"GET /resource HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n"
            .to_vec(),
        format!("{}Connection: close\r\n\r\n", line(100_000)).into_bytes(),
        format!("{}Connection: close\r\n\r\n", line(10_000_000)).into_bytes(),
        format!("GET /resource HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100_000)).into_bytes(),
    ]
}

fn throw_at(address: SocketAddr) {
    for bytes in rubbish() {
        throw(address, &bytes);
    }
}

#[test]
fn rubbish_ends_no_server_and_changes_no_decision() {
    let mut authorization = Server::authorization(&["--signature", "ES256"]);
    let mut resource = Server::resource("jwt", &authorization, &[]);
    throw_at(authorization.address);
    throw_at(resource.address);
    authorization.assert_alive();
    resource.assert_alive();
    resource.resource_with(&authorization.token()).expect(200);
    resource.resource_with("rubbish").expect(401);
}

#[test]
fn clients_that_say_nothing_keep_nobody_waiting() {
    let authorization = Server::authorization(&[]);
    let resource = Server::resource("introspection", &authorization, &[]);
    let silent: Vec<TcpStream> = [authorization.address, resource.address]
        .iter()
        .flat_map(|address| (0..100).map(|_| TcpStream::connect(*address).unwrap()))
        .collect();
    resource.resource_with(&authorization.token()).expect(200);
    drop(silent);
}

#[test]
fn a_client_that_sends_no_more_still_gets_its_answer() {
    let authorization = Server::authorization(&[]);
    // It takes a question to the authorization server, so that the end of what the client sends is there before the answer.
    let resource = Server::resource("introspection", &authorization, &[]);
    let token = bearer(&authorization.token());
    let request = format!("GET /resource HTTP/1.1\r\nHost: x\r\n{token}\r\n\r\n");
    Answer::read(&throw(resource.address, request.as_bytes())).expect(200);
}

#[test]
fn the_largest_signature_in_use_fits_through_the_header_of_every_server() {
    // SLH-DSA-SHA2-256f signs with 49,856 bytes; nothing that is meant to be standardised is larger.
    let token = "a".repeat(49_856 * 4 / 3 + 1_000);
    let authorization = Server::authorization(&[]);
    for architecture in ["none", "introspection"] {
        let resource = Server::resource(architecture, &authorization, &[]);
        let status = get(resource.address, "/resource", &[&bearer(&token)]).status;
        assert_eq!(status, if architecture == "none" { 200 } else { 401 }, "{architecture}");
    }
}
