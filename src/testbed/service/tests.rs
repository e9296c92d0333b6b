//! Private services: found, started, and gone without a trace.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::*;
use crate::testbed::machine::{available_cores, descendants, has_ended};

/// A service of which no machine has the program.
#[derive(Debug)]
struct Missing;

impl Service for Missing {
    fn programs(&self) -> &'static [&'static str] {
        &["sh", "no-such-program"]
    }

    fn package(&self) -> &'static str {
        "no-such-package"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &[]
    }

    fn example(&self) -> &'static str {
        ""
    }

    fn files(&self, _: &PrivatePlace<'_>) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn command(&self, _: &PrivatePlace<'_>) -> Vec<OsString> {
        Vec::new()
    }

    fn ready(&self) -> &'static str {
        ""
    }

    fn url(&self, _: &PrivatePlace<'_>) -> String {
        String::new()
    }
}

#[test]
fn a_program_that_is_not_installed_is_told_with_its_package() {
    let error = folder_with("missing", &Missing).unwrap_err().to_string();
    assert!(error.contains("the missing needs the program"), "{error}");
    assert!(error.ends_with("on Debian: apt install no-such-package"), "{error}");
}

async fn gone(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} is still there");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn leaves_nothing_behind(name: &str) {
    let service = Part::<dyn Service>::named(name).unwrap();
    let start = async || PrivateService::start(&service, &[], &available_cores()).await.unwrap();
    let private = start().await;
    let folder = private.folder.path().to_owned();
    let pid = private.pid().unwrap();
    let all = [vec![pid], descendants(pid)].concat();
    assert!(folder.is_dir());
    drop(private);
    assert!(!folder.exists() && all.iter().all(|pid| has_ended(*pid)));

    // As if this program had been killed: the kernel closes both pipes.
    let mut private = start().await;
    let folder = private.folder.path().to_owned();
    let pid = private.pid().unwrap();
    let all = [vec![pid], descendants(pid)].concat();
    private.process.lose_guard();
    private.folder.lose_guard();
    gone("a process", || all.iter().all(|pid| has_ended(*pid))).await;
    gone("the folder", || !Path::new(&folder).exists()).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_private_redis_leaves_nothing_behind_even_if_this_program_is_killed() {
    leaves_nothing_behind("redis").await;
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn a_private_postgresql_leaves_nothing_behind_even_if_this_program_is_killed() {
    leaves_nothing_behind("postgresql").await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_setting_that_a_service_does_not_know_is_told_in_its_words_and_no_folder_stays() {
    let service = Part::<dyn Service>::named("redis").unwrap();
    let settings = [("no-such-setting", "1".to_owned())];
    let error = PrivateService::start(&service, &settings, &available_cores()).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("the redis did not start") && error.contains("no-such-setting"), "{error}");
}
