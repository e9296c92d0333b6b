//! URIs in the one form in which they are compared (RFC 9449 section 4.3, RFC 3986 sections 6.2.2 and 6.2.3).

use std::fmt::Write as _;

/// Without query and fragment: scheme and host in small letters, no port that the scheme implies, a path, and no character encoded that
/// need not be. `None` if it has no host.
pub(super) fn normal(uri: &str) -> Option<String> {
    let uri = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    let (scheme, rest) = uri.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let implied = match &*scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.strip_suffix(implied).unwrap_or(&authority).trim_end_matches(':');
    if authority.is_empty() {
        return None;
    }
    let mut normal = format!("{scheme}://{authority}");
    add_path(&mut normal, if path.is_empty() { "/" } else { path });
    Some(normal)
}

fn add_path(text: &mut String, path: &str) {
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => text.push(byte.into()),
            Some(byte) => write!(text, "%{byte:02X}").expect("a string takes every text"),
            None => text.push('%'),
        }
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    text.push_str(rest);
}
