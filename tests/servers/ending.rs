//! How servers begin and end.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::server::Server;

/// Starts the program with this input and waits for its end.
fn ended(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    // It need not read what it does not want.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it can be waited for")
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = ["cannot listen on", &address, "free the port or give another one", "in use"];
    assert_refused(&ended(&["serve", "authorization-server", "--listen", &address], ""), 1, &words);
    let resource = ["serve", "resource-server", "--architecture", "none", "--listen", &address];
    assert_refused(&ended(&resource, ""), 1, &words);
}

#[test]
fn names_that_no_registry_has_are_refused_with_those_that_it_has() {
    let authorization = ["serve", "authorization-server", "--signature", "ES265"];
    assert_refused(&ended(&authorization, ""), 2, &["did you mean \"ES256\"?", "ML-DSA-65"]);
    let resource = ["serve", "resource-server", "--architecture", "jwts"];
    assert_refused(&ended(&resource, ""), 2, &["did you mean \"jwt\"?", "introspection-cached"]);
    let unset = ["serve", "resource-server", "--architecture", "introspection-cached"];
    assert_refused(&ended(&unset, ""), 2, &["introspection-cached", "ttl"]);
    let broken = ["serve", "resource-server", "--architecture", "{ kind = "];
    assert_refused(&ended(&broken, ""), 2, &["--architecture"]);
}

#[test]
fn a_wire_that_cannot_be_is_told_with_what_can() {
    let with = |more: &[&str]| {
        let serve = ["serve", "resource-server", "--architecture", "none"];
        ended(&[&serve, more].concat(), "")
    };
    assert_refused(&with(&["--http", "3"]), 2, &["--http", "1.1", "2"]);
    assert_refused(&with(&["--tls", "P-256"]), 2, &["--tls", "X25519MLKEM768"]);
    assert_refused(&with(&["--write-certificate", "x.pem"]), 2, &["--tls"]);
    assert_refused(&with(&["--unix", "@x", "--listen", "127.0.0.1:0"]), 2, &["cannot be used with"]);
    let nowhere = ["--tls", "X25519", "--write-certificate", "/nowhere/x.pem"];
    assert_refused(&with(&nowhere), 2, &["cannot write the certificate to /nowhere/x.pem", "No such file"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = ["cannot listen on", &address, "choose another place", "in use"];
    assert_refused(&with(&["--http", "2", "--listen", &address]), 1, &words);
}

#[test]
fn an_interrupt_and_the_wish_of_a_service_manager_end_a_server_well() {
    for signal in [Signal::INT, Signal::TERM] {
        let authorization = Server::authorization(&[]);
        let resource = Server::resource("none", &authorization, &[]);
        for server in [resource, authorization] {
            server.signal(signal);
            assert_eq!(server.exit_code(), Some(0));
        }
    }
}

#[test]
fn a_server_that_stands_alone_lives_on_when_nobody_listens_to_it() {
    let mut server = Server::authorization(&[]);
    server.hang_up();
    server.token();
    server.assert_alive();
}

#[test]
fn a_server_of_a_run_ends_with_its_standard_input() {
    let mut server = Server::with_clients(&["load"]);
    server.hang_up();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_server_of_a_run_that_is_told_nonsense_says_so() {
    for input in ["", "\n", "{}\n", "nonsense\n"] {
        assert_refused(&ended(&["serve", "spec"], input), 1, &["standard input does not say what to serve"]);
    }
}
