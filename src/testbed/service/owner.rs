//! Whose a program is that does not run as root.

use std::ffi::OsString;
use std::path::PathBuf;

use nix::unistd::{Gid, Uid, User};

/// A user and its group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Users that every Debian has with the package, or anyway.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// Nobody on every Linux, where no name of it is known.
const NOBODY: u32 = 65_534;

impl Owner {
    /// Another user than root, if that is who runs this.
    pub(super) fn if_root() -> Option<Self> {
        if !Uid::effective().is_root() {
            return None;
        }
        let user = NAMES.into_iter().find_map(|name| User::from_name(name).ok().flatten());
        let (uid, gid) =
            user.map_or((Uid::from_raw(NOBODY), Gid::from_raw(NOBODY)), |user| (user.uid, user.gid));
        Some(Self { uid: uid.as_raw(), gid: gid.as_raw() })
    }

    /// The program and arguments that run this as that user, who loses it like its parent: a change of user takes back the wish to be
    /// killed with one's parent (`PR_SET_PDEATHSIG` of prctl(2)), so that it is said again.
    pub(super) fn running(
        owner: Option<Self>,
        program: PathBuf,
        arguments: Vec<OsString>,
    ) -> (PathBuf, Vec<OsString>) {
        let Some(Self { uid, gid }) = owner else { return (program, arguments) };
        let mut words: Vec<OsString> =
            vec![format!("--reuid={uid}").into(), format!("--regid={gid}").into(), "--clear-groups".into()];
        words.extend(["--pdeathsig", "KILL", "--"].map(Into::into));
        words.push(program.into());
        words.extend(arguments);
        ("setpriv".into(), words)
    }
}
