//! What texts and comments refer to is in the repository.

use std::fs;
use std::path::Path;

/// What a path in the repository begins with. What a run writes below `reports` is not there.
const FOLDERS: [&str; 9] =
    [".ci/", "benches/", "docs/", "fuzz/", "scenarios/", "scripts/", "src/", "templates/", "tests/"];
/// What a run writes, by a name of its own.
const WRITTEN: [&str; 1] = ["report.md"];
/// Files of which every line is text; of others only comments are.
const TEXT: &str = "md";
/// Endings of files with comments, and what a comment begins with.
const COMMENTS: [(&str, &str); 2] = [("rs", "//"), ("toml", "#")];

#[test]
fn what_a_text_or_a_comment_refers_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    list(root, "", &mut files);
    assert!(files.iter().any(|file| file == "README.md") && files.iter().any(|file| file == "src/lib.rs"));
    let mut missing = Vec::new();
    for file in files {
        let Some(is_text) = kind(&file) else { continue };
        let text = fs::read_to_string(root.join(&file)).expect("it was listed");
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| is_text(line)) {
            let folder = root.join(&file).parent().expect("a file is in a folder").to_owned();
            let is_missing = |path: &&str| !root.join(path).exists() && !folder.join(path).exists();
            let references = references(line).into_iter().filter(is_missing);
            missing.extend(
                references.map(|path| format!("{file}:{number} refers to {path}, which is not there")),
            );
        }
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// Every file that is kept, by its path from `root`: neither what is built nor what a run writes.
fn list(root: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(prefix)).expect("the project can be read") {
        let entry = entry.expect("the project can be read");
        let path = format!("{prefix}{}", entry.file_name().display());
        let is_folder = entry.file_type().expect("the system tells it").is_dir();
        let is_made =
            prefix == "reports/" || ["target", "fuzz/target", ".git", ".mirror"].contains(&path.as_str());
        if is_folder && !is_made {
            list(root, &format!("{path}/"), files);
        } else if !is_folder {
            files.push(path);
        }
    }
}

/// Whether a line is text.
type IsText = Box<dyn Fn(&str) -> bool>;

/// Which lines of a file are text; `None` if none is.
fn kind(file: &str) -> Option<IsText> {
    let (_, ending) = file.rsplit_once('.')?;
    if ending == TEXT {
        return Some(Box::new(|_| true));
    }
    let (_, comment) = COMMENTS.into_iter().find(|(known, _)| *known == ending)?;
    Some(Box::new(move |line| line.trim_start().starts_with(comment)))
}

/// The paths in a line, without placeholders like `reports/<UTC time>` and `scenarios/*.toml`.
fn references(line: &str) -> Vec<&str> {
    let is_outside = |c: char| !(c.is_alphanumeric() || "._-/*<>".contains(c));
    let words = line.split(is_outside).map(|word| word.trim_end_matches(['.', '-', '>']));
    let is_path = |word: &str| {
        let path = word.trim_start_matches("../");
        let is_markdown = path.strip_suffix(".md").is_some_and(|name| !name.is_empty());
        FOLDERS.iter().any(|folder| path.starts_with(folder) && path.len() > folder.len()) || is_markdown
    };
    let is_elsewhere =
        |word: &str| word.starts_with("//") || word.contains(['*', '<']) || WRITTEN.contains(&word);
    words.filter(|word| is_path(word) && !is_elsewhere(word)).collect()
}

#[test]
fn a_path_is_found_in_prose_in_links_and_in_comments() {
    let check = |line: &str, expected: &[&str]| assert_eq!(references(line), expected, "{line}");
    check(
        "ARCHITECTURE.md, below, and `src/analysis/oracle.rs`.",
        &["ARCHITECTURE.md", "src/analysis/oracle.rs"],
    );
    check("[how](../docs/METHOD.md#the-bracket), (docs/METHOD.md)", &["../docs/METHOD.md", "docs/METHOD.md"]);
    check("//! See tests/truth/ and scripts/test.", &["tests/truth/", "scripts/test"]);
    check("reports/<name>/report.md, scenarios/*.toml, `.md`, src/ and/or docs", &[]);
    check("https://example.org/docs/x.html and application/src/y, https://example.org/x.md", &[]);
    let is_text = |file, line| kind(file).is_some_and(|is_text| is_text(line));
    assert!(is_text("a.md", "words") && is_text("a.rs", "    /// words") && is_text("a.toml", "# words"));
    assert!(!is_text("a.rs", "code()") && !is_text("a.svg", "words") && !is_text("words", "words"));
}
