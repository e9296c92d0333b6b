//! `load` against servers that end connections, write their answers as others do not, or speak another protocol.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::load::{Server, arguments, sandbox};
use crate::nginx::Nginx;
use crate::sandbox::{Sandbox, recordings};
use crate::scripted::{Asked, OK, Reply, Scripted};

/// How the requests of a load ended.
#[derive(Debug, Default, PartialEq)]
struct Ended {
    accepted: u64,
    errors: BTreeMap<String, u64>,
    sent_again: BTreeMap<String, u64>,
}

impl Ended {
    fn accepted(accepted: u64) -> Self {
        Self { accepted, ..Self::default() }
    }
}

/// Loads a server without a warm-up, and reads the recording. Whatever the machine did meanwhile, nothing is lost.
#[track_caller]
fn load(sandbox: &Sandbox, url: &str, more: &[&str]) -> Ended {
    let all = ["--warmup", "0s", "--out", "out", "--quiet"];
    let told = sandbox.ended(&arguments(url, &[&all, more].concat()));
    assert!(sandbox.out().join("summary.json").exists(), "{told:#?}");
    let load = recordings(sandbox).remove(0)["load"].take();
    fs::remove_dir_all(sandbox.out()).expect("it was written");
    assert_eq!(load["lost"], 0, "{load}");
    let mut ended = Ended::default();
    let add = |sum: &mut BTreeMap<String, u64>, counts: &Value| {
        for (kind, count) in counts.as_object().into_iter().flatten() {
            *sum.entry(kind.clone()).or_default() += count.as_u64().expect("a count");
        }
    };
    for second in load["seconds"].as_array().expect("seconds") {
        let outcomes = &second["outcomes"];
        let valid = &outcomes["classes"]["valid"];
        ended.accepted += valid["accepted"].as_u64().unwrap_or(0);
        add(&mut ended.errors, &valid["errors"]);
        add(&mut ended.sent_again, &outcomes["sent_again"]);
    }
    ended
}

fn counts(kind: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(kind.to_owned(), count)])
}

const ENGINES: [&str; 2] = ["own", "hyper"];

#[test]
fn a_url_without_a_path_asks_for_the_root_with_its_query() {
    let sandbox = sandbox();
    for engine in ENGINES {
        let server = Scripted::start(|_| ok());
        let url = format!("http://{}?q=1", server.address);
        let ended = load(&sandbox, &url, &["--closed", "--requests", "3", "--engine", engine]);
        assert_eq!(ended, Ended::accepted(3), "{engine}");
        let heads = server.heads();
        assert!(heads.iter().all(|head| head.starts_with("GET /?q=1 HTTP/1.1\r\n")), "{engine}: {heads:?}");
    }
}

#[test]
fn every_way_to_write_an_address_of_this_machine_is_on_this_machine() {
    let sandbox = sandbox();
    let server = Scripted::start(|_| ok());
    for host in ["127.0.0.1", "0.0.0.0", "0", "127.1", "[::ffff:127.0.0.1]", "[::ffff:0.0.0.0]"] {
        let url = format!("http://{host}:{}/", server.address.port());
        assert_eq!(load(&sandbox, &url, &["--closed", "--requests", "3"]), Ended::accepted(3), "{host}");
    }
}

/// A connection answers its first request and closes on its second, as one does that was idle for too long.
#[test]
fn a_request_that_crosses_the_close_of_its_connection_is_sent_again_once_and_counted_apart() {
    let sandbox = sandbox();
    for engine in ENGINES {
        let server = Scripted::start(|asked| if asked.number == 0 { ok() } else { closed() });
        let url = format!("http://{}/", server.address);
        for way in [&["--closed"][..], &["--rate", "200"]] {
            let more = ["--connections", "1", "--requests", "5", "--engine", engine];
            let ended = load(&sandbox, &url, &[way, &more].concat());
            let expected = Ended { sent_again: counts("connection closed", 4), ..Ended::accepted(5) };
            assert_eq!(ended, expected, "{engine} {way:?}");
        }
    }
}

#[test]
fn what_is_no_such_crossing_is_an_error() {
    let sandbox = sandbox();
    let check = |engine, script: fn(&Asked) -> Reply, sent_again| {
        let server = Scripted::start(script);
        let url = format!("http://{}/", server.address);
        let more = ["--closed", "--connections", "1", "--requests", "2", "--engine", engine];
        let expected = Ended { accepted: 1, errors: counts("connection closed", 1), sent_again };
        assert_eq!(load(&sandbox, &url, &more), expected, "{engine}");
    };
    for engine in ENGINES {
        // Sent again, it fails again.
        let first_alone =
            |asked: &Asked| if (asked.connection, asked.number) == (0, 0) { ok() } else { closed() };
        check(engine, first_alone, counts("connection closed", 1));
        // The connection has not answered before.
        check(engine, |asked| if asked.connection > 0 { ok() } else { closed() }, BTreeMap::new());
        // The answer has begun.
        let begun =
            |asked: &Asked| if asked.number == 0 { ok() } else { Reply::Close("HTTP/1.1 2".to_owned()) };
        check(engine, begun, BTreeMap::new());
    }
}

/// More fields than servers send, one of them on three lines.
fn unusual() -> Reply {
    let fields = "X-Many: y\r\n".repeat(500);
    Reply::Keep(format!(
        "HTTP/1.1 200 OK\r\n{fields}X-Long: a\r\n b\r\n\tc\r\nContent-Length:\r\n 2\r\n\r\nok"
    ))
}

#[test]
fn folded_header_lines_and_many_of_them_are_read() {
    for engine in ENGINES {
        let server = Scripted::start(|_| unusual());
        let url = format!("http://{}/", server.address);
        let more = ["--closed", "--requests", "50", "--engine", engine];
        assert_eq!(load(&sandbox(), &url, &more), Ended::accepted(50), "{engine}");
    }
}

#[test]
fn a_header_line_that_is_none_is_named() {
    let server = Scripted::start(|_| {
        Reply::Keep("HTTP/1.1 200 OK\r\nServer: x\r\nno colon here\r\nContent-Length: 0\r\n\r\n".to_owned())
    });
    let url = format!("http://{}/", server.address);
    let errors = counts("not HTTP: line 3 of its head has no colon", 5);
    let ended = load(&sandbox(), &url, &["--closed", "--connections", "1", "--requests", "5"]);
    assert_eq!(ended, Ended { errors, ..Ended::default() });
}

/// Version of HTTP and whether TLS.
type Spoken = (&'static str, bool);

const SPOKEN: [Spoken; 4] = [("1.1", false), ("2", false), ("1.1", true), ("2", true)];

#[test]
fn a_protocol_that_the_server_does_not_speak_is_refused_before_the_load_with_the_option_to_set() {
    let sandbox = sandbox();
    for (http, tls) in SPOKEN {
        let group = if tls { &["--tls", "X25519"][..] } else { &[] };
        let server = Server::start_with(&sandbox, &[&["--http", http], group].concat());
        let host = server.url.split_once("://").expect("a URL").1;
        for (asked, secure) in SPOKEN {
            let url = format!("{}://{host}", if secure { "https" } else { "http" });
            let mut more = vec!["--closed", "--requests", "5", "--http", asked];
            more.extend(secure.then_some("--insecure"));
            if (asked, secure) == (http, tls) {
                assert_eq!(load(&sandbox, &url, &more), Ended::accepted(5), "{http} {tls}");
                continue;
            }
            let name = if http == "2" { "HTTP/2" } else { "HTTP/1.1" };
            let spoken = format!("speaks {name} {}", if tls { "over TLS" } else { "without TLS" });
            let version = match (asked, http) {
                ("1.1", "2") => "add --http 2",
                ("2", "1.1") => "leave out --http 2",
                _ => "",
            };
            let scheme = match (secure, tls) {
                (true, false) => "write http://",
                (false, true) => "write https://",
                _ => "",
            };
            let ended = sandbox.refused(&arguments(&url, &more)).exits(2);
            ended.says(&["--target", &spoken, version, scheme]);
        }
    }
}

#[test]
fn what_is_no_server_of_http_is_refused_before_the_load() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The client may be gone.
            let _ = std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
        }
    });
    let ended = sandbox().refused(&arguments(&format!("http://{address}/"), &["--closed"])).exits(2);
    ended.says(&["no answer to a first request", "not HTTP", "is an HTTP server running"]);
}

/// Without TLS, its port for TLS answers HTTP: 400, "The plain HTTP request was sent to HTTPS port".
#[test]
#[ignore = "needs nginx and openssl"]
fn a_port_of_nginx_for_tls_that_is_spoken_to_without_is_named_whatever_version_of_tls_it_has() {
    let sandbox = sandbox();
    let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| sandbox.path().join(name));
    let made = Command::new("openssl")
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
                .split(' '),
        )
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
    for version in ["TLSv1.2", "TLSv1.3"] {
        let directives = format!(
            "ssl_protocols {version}; ssl_certificate {}; ssl_certificate_key {}; return 200 ok;",
            certificate.display(),
            key.display()
        );
        let nginx = Nginx::start(" ssl http2", &directives);
        for http in ["1.1", "2"] {
            let url = format!("http://{}/", nginx.address);
            let ended = sandbox.refused(&arguments(&url, &["--closed", "--http", http])).exits(2);
            ended.says(&["TLS there, not HTTP/", "without TLS", "write https://"]);
        }
    }
}

/// A server that finds fault with the token of the first request is no other server.
#[test]
fn a_server_that_answers_400_is_loaded() {
    let server = Scripted::start_with(BAD_REQUEST, |_| ok());
    let url = format!("http://{}/", server.address);
    assert_eq!(load(&sandbox(), &url, &["--closed", "--requests", "5"]), Ended::accepted(5));
}

/// Its connections end after 1,000 requests, of all their streams (`keepalive_requests`), by a GOAWAY.
#[test]
#[ignore = "needs nginx"]
fn a_stock_nginx_loses_no_stream_when_it_ends_a_connection() {
    let sandbox = sandbox();
    let nginx = Nginx::start(" http2", "location = / { if ($args = q=1) { return 200 ok; } return 404; }");
    let url = format!("http://{}?q=1", nginx.address);
    let http2 = ["--http", "2", "--streams", "16", "--connections", "1"];
    let ended = load(&sandbox, &url, &[&http2[..], &["--closed", "--requests", "30000"]].concat());
    assert_eq!((ended.accepted, &ended.errors), (30_000, &BTreeMap::new()), "{ended:?}");
    assert!(ended.sent_again["server went away"] > 0, "{ended:?}");
    assert_eq!(ended.sent_again.len(), 1, "{ended:?}");
    let ended = load(&sandbox, &url, &[&http2[..], &["--rate", "500", "--requests", "2000"]].concat());
    assert_eq!((ended.accepted, &ended.errors), (2_000, &BTreeMap::new()), "{ended:?}");
}

/// It closes connections that are idle for about as long as the load leaves them.
#[test]
#[ignore = "needs nginx"]
fn an_nginx_that_closes_idle_connections_costs_no_request() {
    let sandbox = sandbox();
    for (listen, http) in [("", "1.1"), (" http2", "2")] {
        let nginx = Nginx::start(listen, "keepalive_timeout 20ms; keepalive_requests 7; return 200 ok;");
        let url = format!("http://{}/", nginx.address);
        let way = ["--http", http, "--connections", "10", "--rate", "480", "--arrivals", "constant"];
        let ended = load(&sandbox, &url, &[&way[..], &["--requests", "2000"]].concat());
        assert_eq!((ended.accepted, &ended.errors), (2_000, &BTreeMap::new()), "HTTP/{http}: {ended:?}");
    }
}

const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

fn ok() -> Reply {
    Reply::Keep(OK.to_owned())
}

fn closed() -> Reply {
    Reply::Close(String::new())
}
