//! Private instances of real servers in the foreground, in a folder of their own, killed by their handle.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::probe::PATIENCE;

/// A running server, killed when this is dropped, also by a test that fails.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it was killed");
    }
}

impl Server {
    /// Our own resource server, which takes every token: hyper with its defaults.
    pub(crate) fn resource() -> Self {
        let folder = folder();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bearerbench"))
            .args("serve resource-server --architecture none --listen 127.0.0.1:0".split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it speaks UTF-8");
        let address =
            line.trim().strip_prefix("resource=http://").and_then(|url| url.strip_suffix("/resource"));
        let address = address.expect("the resource").parse().expect("an address");
        Self { child, address, _folder: folder }
    }

    /// In front of another server.
    pub(crate) fn nginx(backend: SocketAddr) -> Self {
        started(|folder, port| {
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {kind};"))
                .concat();
            let configuration = format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; \
                 {temporary} server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{backend}; }} }} }}\n"
            );
            let file = written(folder, "nginx.conf", &configuration);
            command("nginx", &["-e", "stderr", "-p", &format!("{}/", folder.display()), "-c", &file])
        })
    }

    /// In front of another server.
    pub(crate) fn haproxy(backend: SocketAddr) -> Self {
        started(|folder, port| {
            let configuration = format!(
                "defaults\n mode http\n timeout connect 20s\n timeout client 20s\n timeout server 20s\n\
                 frontend front\n bind 127.0.0.1:{port}\n default_backend back\nbackend back\n server one {backend}\n"
            );
            command("haproxy", &["-db", "-f", &written(folder, "haproxy.cfg", &configuration)])
        })
    }

    /// With a file of its own, in one process.
    pub(crate) fn apache() -> Self {
        started(|folder, port| {
            let modules = ["mpm_event", "authz_core"]
                .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
                .concat();
            let here = folder.display();
            let configuration = format!(
                "{modules}ServerName localhost\nServerRoot {here}\nPidFile {here}/pid\nErrorLog /dev/stderr\n\
                 Listen 127.0.0.1:{port}\nUser www-data\nGroup www-data\nDocumentRoot {here}\n"
            );
            written(folder, "resource", "ok\n");
            command("apache2", &["-X", "-f", &written(folder, "apache2.conf", &configuration)])
        })
    }

    /// A server of the standard library.
    pub(crate) fn node() -> Self {
        started(|_, port| {
            let script =
                format!("require('http').createServer((q, a) => a.end('ok')).listen({port}, '127.0.0.1')");
            command("node", &["-e", &script])
        })
    }
}

/// Starts a server on a free port and waits until it listens. Another process may take the port in between: then again.
fn started(command: impl Fn(&Path, u16) -> Command) -> Server {
    for _ in 0..3 {
        let folder = folder();
        let address = free();
        let mut child = command(folder.path(), address.port()).spawn().expect("the server is installed");
        let given_up = Instant::now() + PATIENCE;
        while Instant::now() < given_up && child.try_wait().expect("it is ours").is_none() {
            if TcpStream::connect(address).is_ok() {
                return Server { child, address, _folder: folder };
            }
            // It tells nobody that it is ready.
            sleep(Duration::from_millis(10));
        }
        drop(Server { child, address, _folder: folder });
    }
    panic!("the server does not listen; what it said stands above");
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    // A server that gives up its rights must still be able to read its files.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound")
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).expect("there is room");
    file.to_str().expect("a temporary folder has a plain name").to_owned()
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    // Where Debian keeps servers, which is not in everybody's PATH.
    command.env("PATH", path()).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

pub(crate) fn is_installed(program: &str) -> bool {
    command(program, &["--version"]).stderr(Stdio::null()).status().is_ok()
}

/// The first line of what a program says about itself, on whichever stream.
pub(crate) fn version(program: &str, arguments: &[&str]) -> String {
    let output =
        command(program, arguments).stdout(Stdio::piped()).output().expect("the server is installed");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("it speaks UTF-8");
    said.lines().next().unwrap_or_default().to_owned()
}
