//! The table of header limits, held to the real servers: each a private instance with its default limits.

mod probe;
mod server;

use bearerbench::header_limit::{Evidence, HeaderLimit, LIMITS, ORDINARY_REQUEST};

use crate::probe::{Sought, is_let_through, largest_token};
use crate::server::{Server, version};

/// What the table says of a server, and of which version.
fn tested(server: &str) -> (&'static HeaderLimit, u32, &'static str) {
    let limit = LIMITS.iter().find(|limit| limit.server == server).expect("a row of the table");
    let Evidence::Tested { characters, version } = limit.known else { panic!("{server} is not tested") };
    (limit, characters, version)
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "what was measured is what one runs this for")]
fn check(name: &str, version: &str, server: &Server) {
    let (limit, expected, of) = tested(name);
    let Sought { largest, refusal } = largest_token(server.address);
    println!("{version}: a bearer token of {largest} characters, then {refusal} ({})", limit.setting);
    assert!(
        version.contains(&format!("/{of}.")),
        "the table knows {name} {of}, here is {version}; measure again"
    );
    assert_eq!(largest, expected, "{version}: src/header_limit.rs says otherwise");
}

#[test]
#[ignore = "needs nginx"]
fn nginx_passes_on_the_largest_token_that_the_table_says_and_no_larger_one() {
    let resource = Server::resource();
    check("nginx", &version("nginx", &["-v"]), &Server::nginx(resource.address));
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_passes_on_the_largest_token_that_the_table_says_and_no_larger_one() {
    let resource = Server::resource();
    let version = version("haproxy", &["-v"]).replacen("HAProxy version ", "HAProxy/", 1);
    check("HAProxy", &version, &Server::haproxy(resource.address));
}

#[test]
#[ignore = "needs apache2-bin"]
fn apache_answers_the_largest_token_that_the_table_says_and_no_larger_one() {
    check("Apache httpd", &version("apache2", &["-v"]), &Server::apache());
}

#[test]
#[ignore = "needs nodejs"]
fn node_answers_the_largest_token_that_the_table_says_and_no_larger_one() {
    // Not among the packages that scripts/test installs: too large for one number.
    if !server::is_installed("node") {
        println!("node is not installed: nothing was measured");
        return;
    }
    let version = format!("Node/{}", version("node", &["--version"]).trim_start_matches('v'));
    check("Node.js", &version, &Server::node());
}

/// How much hyper takes beyond its limit depends on how the bytes arrive, since it asks only between two reads:
/// what is within the limit always passes, and several times as much never does.
#[test]
fn hyper_takes_every_token_within_its_limit_and_refuses_several_times_as_much() {
    let server = "hyper (HTTP/1.1)";
    let limit = LIMITS.iter().find(|limit| limit.server == server).expect("a row of the table");
    let Evidence::AtLeast { characters: within, version } = limit.known else {
        panic!("{server} is otherwise")
    };
    let lock = include_str!("../../Cargo.lock");
    assert!(
        lock.contains(&format!("name = \"hyper\"\nversion = \"{version}.")),
        "the table knows {server} {version}, Cargo.lock another one; try again"
    );
    // What the limit leaves beside the rest of the request, and not a character more.
    let rest: usize = ORDINARY_REQUEST.iter().map(|part| part.len()).sum();
    assert_eq!(within as usize + rest, limit.bytes as usize);
    let resource = Server::resource();
    for _ in 0..20 {
        assert_eq!(is_let_through(resource.address, within), Ok(()), "{}", limit.setting);
    }
    assert!(is_let_through(resource.address, 4 * within).is_err());
}
