//! Names of files from names of subjects.

/// Longer names are cut: with an ending they must fit the 255 bytes that file systems allow.
const LONGEST: usize = 100;

/// A name without an ending for each subject, all different, also where upper and lower case are not told apart.
pub(super) fn files<'a>(subjects: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for subject in subjects {
        let plain = plain(subject);
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let is_new = |name: &String| !files.iter().any(|file| file.eq_ignore_ascii_case(name));
        files.extend(std::iter::once(plain.clone()).chain(numbered).find(is_new));
    }
    files
}

/// Letters, digits, dots and dashes; a name that begins with a dot would be hidden, one with a dash be an option.
fn plain(subject: &str) -> String {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
    let words = subject.split(|letter| !is_safe(letter)).filter(|word| !word.trim_matches('.').is_empty());
    let joined: String = words.collect::<Vec<_>>().join("-").chars().take(LONGEST).collect();
    match joined.trim_start_matches('.') {
        "" => "subject".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_like_its_subject_as_far_as_that_is_safe_and_no_two_are_the_same() {
        let long = "x".repeat(300);
        let subjects = [
            "introspection-cached ttl 2s",
            "../../etc/passwd",
            ".hidden",
            "-rf",
            "",
            "€",
            "jwt ES256",
            "JWT/es256",
            &long,
        ];
        let expected = [
            "introspection-cached-ttl-2s",
            "etc-passwd",
            "hidden",
            "rf",
            "subject",
            "subject-2",
            "jwt-ES256",
            "JWT-es256-2",
            &long[..LONGEST],
        ];
        assert_eq!(files(subjects.into_iter()), expected);
    }
}
