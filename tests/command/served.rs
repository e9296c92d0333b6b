//! Servers that a load meets: our own, nginx and OpenSSL, each in the foreground and ended by its handle.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::bearerbench;
use crate::running::wait_for;

/// A server that has said where it listens, or answers there. Dropped, it ends.
pub(crate) struct Served {
    child: Child,
    /// What it said, a line each.
    pub(crate) greeting: Vec<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// `bearerbench serve` with these arguments, until it has said so many lines.
    pub(crate) fn bearerbench(folder: &Path, arguments: &str, lines: usize) -> Self {
        let arguments = format!("serve {arguments} --listen 127.0.0.1:0");
        let mut command = bearerbench(folder, arguments.split(' '));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program can be started");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let greeting = stdout.lines().take(lines).map(|line| line.expect("it speaks UTF-8")).collect();
        Self { child, greeting }
    }

    /// What stands behind `name=` in its greeting.
    pub(crate) fn said(&self, name: &str) -> &str {
        let said = self.greeting.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        said.expect("the server says it")
    }

    /// nginx with these `server` blocks, in which `PORT0`, `PORT1` ... become free ports, which are returned. It logs the body of
    /// what it passes on to the file `bodies`.
    pub(crate) fn nginx<const PORTS: usize>(folder: &Path, servers: &str) -> (Self, [u16; PORTS]) {
        let ports = free_ports();
        let mut servers = servers.to_owned();
        for (number, port) in ports.iter().enumerate() {
            servers = servers.replace(&format!("PORT{number}"), &port.to_string());
        }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr crit;\nevents {{}}\nhttp {{ {temporary} \
             log_format bodies escape=none $request_body; access_log bodies bodies; {servers} }}\n"
        );
        fs::write(folder.join("nginx.conf"), configuration).expect("there is room");
        let mut command = Command::new("nginx");
        command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
        let prefix = format!("{}/", folder.display());
        command.args(["-e", "stderr", "-p", &prefix, "-c", "nginx.conf"]).stdin(Stdio::null());
        let child = command.spawn().expect("nginx is installed");
        let served = Self { child, greeting: Vec::new() };
        wait_for("nginx", || {
            ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).then_some(())
        });
        (served, ports)
    }

    /// `openssl s_server` with these arguments, and the port it has.
    pub(crate) fn openssl(folder: &Path, arguments: &str) -> (Self, u16) {
        let arguments = format!("s_server -accept 127.0.0.1:0 {arguments}");
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(folder).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("OpenSSL is installed");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let port = stdout
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT ")?.rsplit(':').next()?.trim().parse().ok());
        (Self { child, greeting: Vec::new() }, port.expect("it says where it listens"))
    }
}

/// Free when they were looked for, all at once so that they differ.
fn free_ports<const PORTS: usize>() -> [u16; PORTS] {
    let listeners =
        [(); PORTS].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").port())
}

/// Runs `openssl` here.
#[track_caller]
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let output = output.expect("OpenSSL is installed");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate that signs itself and its key, in `NAME.pem` and `NAME.key`, as people make them by hand.
#[track_caller]
pub(crate) fn self_signed(folder: &Path, name: &str, more: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc";
    openssl(folder, &format!("req -x509 {key} -days 2 -keyout {name}.key -out {name}.pem {more}"));
}
