//! Looks at reports in a browser, wide and narrow, light and dark. `BEARERBENCH_LOOK=FOLDER` keeps what it saw.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::analysis::{analyse, synthetic};
use crate::observation::Recording;
use crate::report::write;

const WIDTHS: [u32; 2] = [1280, 390];
/// Names of the pictures, and the scheme as chromium counts them.
const SCHEMES: [(&str, u32); 2] = [("dark", 0), ("light", 1)];
/// A page of one colour takes some 10 kB at these sizes, one with text and charts ten times as much.
const NOT_BLANK: u64 = 50_000;

/// A run without flaws, one with every kind of doubt, one with many subjects, an outage, a search and a sweep.
fn reports() -> [(&'static str, Vec<Recording>); 6] {
    let plain = synthetic::recordings();
    let mut doubtful = plain.clone();
    doubtful[1].conditions.steal_percent = Some(9.0);
    doubtful[2].conditions.cpu_pressure_percent = Some(44.0);
    doubtful[0].scenario.thresholds.extend(["propagation(max)<20s".to_owned(), "p(99.9)<5ms".to_owned()]);
    doubtful[4].load.as_mut().unwrap().seconds[3].outcomes.class_mut("valid").refused = 7;
    let outcomes = doubtful[3].load.as_mut().unwrap().seconds[3].outcomes.class_mut("valid");
    outcomes.accepted -= 300;
    outcomes.errors = BTreeMap::from([("status 503".to_owned(), 200), ("time-out".to_owned(), 100)]);
    [
        ("plain", plain),
        ("doubtful", doubtful),
        ("many", synthetic::signatures().to_vec()),
        ("outage", (0..5).map(synthetic::outage).collect()),
        ("search", synthetic::search()),
        ("sweep", synthetic::sweep()),
    ]
}

fn chromium(profile: &Path, more: &[String]) -> String {
    let flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                 --disable-component-update --disable-sync --hide-scrollbars --allow-file-access-from-files";
    let output = Command::new("chromium")
        .args(flags.split_whitespace())
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .output()
        .expect("chromium is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a page is UTF-8")
}

/// How wide the report is that is shown in a frame of each width.
fn scroll_widths(profile: &Path, folder: &Path) -> Vec<u32> {
    let frame = |width| {
        format!(
            "<iframe width={width} height=900 style=border:0 src=report.html onload=\"this.insertAdjacentHTML('afterend', \
             '<p>scroll ' + this.contentDocument.documentElement.scrollWidth + '</p>')\"></iframe>"
        )
    };
    let page = folder.join("frames.html");
    fs::write(&page, WIDTHS.map(frame).concat()).unwrap();
    let seen = chromium(profile, &["--dump-dom".to_owned(), url(&page)]);
    fs::remove_file(page).unwrap();
    let widths = seen.split("<p>scroll ").skip(1);
    widths.map(|rest| rest.split('<').next().unwrap().parse().expect("a width")).collect()
}

fn screenshot(profile: &Path, folder: &Path, width: u32, (name, scheme): (&str, u32)) -> PathBuf {
    let picture = folder.join(format!("{width}-{name}.png"));
    let flags = [
        format!("--blink-settings=preferredColorScheme={scheme}"),
        format!("--window-size={width},2400"),
        format!("--screenshot={}", picture.display()),
        url(&folder.join("report.html")),
    ];
    chromium(profile, &flags);
    picture
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[test]
#[ignore = "needs chromium"]
fn a_report_fits_a_desk_and_a_phone_in_light_and_dark() {
    let temporary = tempfile::tempdir().unwrap();
    let profile = temporary.path().join("profile");
    let kept = std::env::var_os("BEARERBENCH_LOOK").map(PathBuf::from);
    let root = std::path::absolute(kept.as_deref().unwrap_or(temporary.path())).unwrap();
    for (name, recordings) in reports() {
        let folder = root.join(name);
        write(&folder, &analyse(&recordings), &recordings).unwrap();
        assert_eq!(scroll_widths(&profile, &folder), WIDTHS, "{name}: nothing sticks out sideways");
        for width in WIDTHS {
            let pictures = SCHEMES.map(|scheme| screenshot(&profile, &folder, width, scheme));
            for picture in &pictures {
                let size = fs::metadata(picture).unwrap().len();
                assert!(size > NOT_BLANK, "{}: {size} bytes", picture.display());
            }
            let [dark, light] = pictures.map(|picture| fs::read(picture).unwrap());
            assert!(dark != light, "{name}: the scheme changes the colours");
        }
    }
}
