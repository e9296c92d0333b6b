//! Tells the program what it is made of: a recording must say which compiler, commit and libraries its figures come from.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The libraries whose version can move a figure: those that do work for a request, for what is fetched or signed on its behalf, or for the
/// load, and not what only joins two of them.
const LIBRARIES: [&str; 32] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "axum",
    "base64-simd",
    "ed25519-dalek",
    "fips204",
    "fips205",
    "flate2",
    "fn-dsa",
    "h2",
    "hdrhistogram",
    "hmac",
    "httparse",
    "hyper",
    "hyper-util",
    "jsonwebtoken",
    "libcrux-ml-dsa",
    "miniz_oxide",
    "ml-dsa",
    "moka",
    "p256",
    "p384",
    "pqcrypto-dilithium",
    "pqcrypto-mldsa",
    "rsa",
    "rustls",
    "serde_json",
    "sha2",
    "slh-dsa",
    "tokio",
    "xorf",
    "zlib-rs",
];

fn main() {
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=BEARERBENCH_LIBRARIES={}", libraries());
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    println!("cargo::rustc-env=BEARERBENCH_RUSTC={}", said(&rustc, &["--version"]).unwrap_or_default());
    // Outside a checkout, as in a crate from a registry, there is no commit to tell.
    if Path::new(".git").exists() {
        for file in [".git/HEAD", ".git/logs/HEAD"] {
            println!("cargo::rerun-if-changed={file}");
        }
        let commit = said("git", &["describe", "--always", "--dirty", "--abbrev=12"]).unwrap_or_default();
        println!("cargo::rustc-env=BEARERBENCH_COMMIT={commit}");
    }
}

/// `name version` of each, separated by commas, as the lock file has them.
fn libraries() -> String {
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
        };
        let name = value("name")?;
        LIBRARIES.contains(&name).then(|| Some(format!("{name} {}", value("version")?)))?
    });
    packages.collect::<Vec<_>>().join(", ")
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
