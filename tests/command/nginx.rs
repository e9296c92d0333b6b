//! A private nginx in the foreground, with a configuration of the test's own; killed when it is dropped.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::running::wait_for;

pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// One that listens with these words behind its address, and has these directives.
    pub(crate) fn start(listen: &str, directives: &str) -> Self {
        // Another process may take the port in between: then again.
        let started = (0..3).find_map(|_| Self::try_start(listen, directives));
        started.expect("nginx listens; what it said stands above")
    }

    fn try_start(listen: &str, directives: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is room");
        // nginx gives up its rights, and must still be able to read its files.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; \
             {temporary} server {{ listen {address}{listen}; {directives} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).expect("there is room");
        // Where Debian keeps servers is not in everybody's PATH.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("nginx");
        command.env("PATH", path).args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(&file);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("nginx is installed");
        let mut nginx = Self { child, address, _folder: folder };
        let listens = wait_for("nginx", || {
            let has_ended = nginx.child.try_wait().expect("it is ours").is_some();
            // It tells nobody that it is ready.
            if has_ended { Some(false) } else { TcpStream::connect(address).is_ok().then_some(true) }
        });
        listens.then_some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
