//! Headers that lie, although the signature fits.

use bearerbench::auth::token::Rejection;
use serde_json::{Value, json};

use super::{HEADER, Row, harmless, row};
use crate::workshop::{Key, claims, members, with, without};

pub(super) fn rows(key: &Key) -> Vec<Row> {
    let token = |header: &Value| key.token(header.to_string(), claims().to_string());
    let good = key.header();
    let mut rows = vec![harmless("the good token", token(&good))];
    rows.extend(algorithms(key));
    for (name, value, rejection) in [
        ("kid unknown", json!("unknown"), Rejection::UnknownKey),
        ("kid empty", json!(""), Rejection::UnknownKey),
        ("kid of a file", json!("../../../dev/null"), Rejection::UnknownKey),
        ("kid with SQL", json!("x' UNION SELECT 'secret' --"), Rejection::UnknownKey),
        ("kid with a command", json!("|whoami;$(id)"), Rejection::UnknownKey),
        ("kid with NUL", json!("\u{0}"), Rejection::UnknownKey),
        ("kid with NUL behind the right one", json!(format!("{}\0", key.kid())), Rejection::UnknownKey),
        ("kid of 20,000 characters", json!("k".repeat(20_000)), Rejection::UnknownKey),
        ("kid as number", json!(1), Rejection::WrongForm(HEADER, "kid")),
        ("kid as null", Value::Null, Rejection::WrongForm(HEADER, "kid")),
        ("kid as list", json!([key.kid()]), Rejection::WrongForm(HEADER, "kid")),
        ("typ JWT", json!("JWT"), Rejection::WrongType),
        ("typ of an ID token", json!("id+jwt"), Rejection::WrongType),
        ("typ of a logout token", json!("logout+jwt"), Rejection::WrongType),
        ("typ with more behind it", json!("at+jwt;x"), Rejection::WrongType),
        ("typ as null", Value::Null, Rejection::WrongForm(HEADER, "typ")),
        ("typ as number", json!(1), Rejection::WrongForm(HEADER, "typ")),
        ("crit with a claim", json!(["exp"]), Rejection::Critical),
        ("crit with b64", json!(["b64"]), Rejection::Critical),
        ("crit empty", json!([]), Rejection::Critical),
        ("crit as null", Value::Null, Rejection::Critical),
        ("jku as number", json!(1), Rejection::WrongForm(HEADER, "jku")),
        ("x5c as text", json!("MIIB"), Rejection::WrongForm(HEADER, "x5c")),
        ("jwk as text", json!("key"), Rejection::WrongForm(HEADER, "jwk")),
        ("jwk as list", json!(["key"]), Rejection::WrongForm(HEADER, "jwk")),
    ] {
        let member = name.split(' ').next().expect("the member comes first");
        rows.push(row(name, token(&with(good.clone(), member, value)), rejection));
    }
    rows.push(row("typ missing", token(&without(good.clone(), "typ")), Rejection::WrongType));
    let unencoded = with(with(good.clone(), "b64", false), "crit", json!(["b64"]));
    rows.push(row("b64 false, marked as critical", token(&unencoded), Rejection::Critical));
    for (name, header) in [
        ("typ in full", with(good.clone(), "typ", "application/at+jwt")),
        ("typ in other letters", with(good.clone(), "typ", "AT+JWT")),
        ("kid missing, with one key", without(good.clone(), "kid")),
        // Means something in JWE only (RFC 7516 section 4.1.3), and unknown members are ignored.
        ("zip", with(good.clone(), "zip", "DEF")),
        // Means something only if it is in crit (RFC 7797 section 6).
        ("b64 false, not in crit", with(good.clone(), "b64", false)),
        ("jku beside a good signature", with(good.clone(), "jku", "https://evil.example/jwks")),
        ("x5u beside a good signature", with(good.clone(), "x5u", "https://evil.example/cert")),
        ("x5c beside a good signature", with(good.clone(), "x5c", json!(["MIIB"]))),
        ("an unknown member", with(good.clone(), "x", json!({ "deep": [1, 2.5, "text", null, true] }))),
    ] {
        rows.push(harmless(name, token(&header)));
    }
    rows.extend(texts(key));
    rows
}

fn algorithms(key: &Key) -> Vec<Row> {
    let payload = claims().to_string();
    let mut rows = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "", " none", "none\u{0}", "n\u{f6}ne", "HS256 ", "hs256"] {
        let header = with(key.header(), "alg", alg).to_string();
        let signed = key.token(&header, &payload);
        let unsigned = signed.rsplit_once('.').expect("three parts").0.to_owned() + ".";
        rows.push(row(format!("alg {alg:?}"), signed, Rejection::WrongAlgorithm));
        rows.push(row(format!("alg {alg:?} without a signature"), unsigned, Rejection::WrongAlgorithm));
    }
    let wrong_form = Rejection::WrongForm(HEADER, "alg");
    for alg in [json!(null), json!(0), json!(["none"]), json!({ "alg": key.alg() })] {
        let header = with(key.header(), "alg", alg.clone()).to_string();
        rows.push(row(format!("alg {alg}"), key.token(header, &payload), wrong_form));
    }
    let header = without(key.header(), "alg").to_string();
    rows.push(row("alg missing", key.token(header, &payload), Rejection::Lacks(HEADER, "alg")));
    rows
}

/// Headers that no JSON writer makes.
fn texts(key: &Key) -> Vec<Row> {
    let good = key.header().to_string();
    let inside = good.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).expect("an object");
    let (alg, kid) = (key.alg(), key.kid());
    let not_json = Rejection::NotJson(HEADER);
    let twice = Rejection::Twice(HEADER);
    let many = members(40);
    let cases = [
        ("no object but a list", format!("[{good}]"), not_json),
        ("no object but a text", format!("{good:?}"), not_json),
        ("no object but null", "null".to_owned(), not_json),
        ("nothing", String::new(), not_json),
        ("an object that does not end", good.trim_end_matches('}').to_owned(), not_json),
        ("a comma too much", format!("{{{inside},}}"), not_json),
        ("a comment", format!("/**/{good}"), not_json),
        ("two objects", format!("{good}{good}"), not_json),
        ("a byte order mark", format!("\u{feff}{good}"), not_json),
        ("alg twice, the same", format!(r#"{{{inside},"alg":"{alg}"}}"#), twice),
        ("alg twice, none first", format!(r#"{{"alg":"none",{inside}}}"#), twice),
        ("alg twice, spelled otherwise", format!(r#"{{{inside},"\u0061lg":"none"}}"#), twice),
        ("kid twice", format!(r#"{{{inside},"kid":"{kid}"}}"#), twice),
        ("typ twice", format!(r#"{{{inside},"typ":"at+jwt"}}"#), twice),
        ("crit twice", format!(r#"{{{inside},"crit":[],"crit":[]}}"#), twice),
        ("an unknown member twice", format!(r#"{{{inside},"x":1,"x":1}}"#), twice),
        ("an unknown member twice, spelled otherwise", format!(r#"{{{inside},"x":1,"\u0078":1}}"#), twice),
        ("the first of 40 unknown members twice", format!(r#"{{{many}{inside},"0":1}}"#), twice),
        ("the last of 40 unknown members twice", format!(r#"{{{many}{inside},"27":1}}"#), twice),
        ("a broken escape in an unknown member", format!(r#"{{{inside},"x":"\x"}}"#), not_json),
        ("half a surrogate pair in an unknown member", format!(r#"{{{inside},"x":"\ud800"}}"#), not_json),
        ("a number beyond all range", format!(r#"{{{inside},"x":1e999}}"#), not_json),
        ("lists 200 deep", format!(r#"{{{inside},"x":{}{}}}"#, "[".repeat(200), "]".repeat(200)), not_json),
        ("lists 10,000 deep, never closed", format!(r#"{{{inside},"x":{}"#, "[".repeat(10_000)), not_json),
    ];
    let token = |header: &str| key.token(header, claims().to_string());
    let mut rows: Vec<Row> = cases
        .into_iter()
        .map(|(name, header, rejection)| row(format!("header: {name}"), token(&header), rejection))
        .collect();
    rows.push(row("header: invalid UTF-8", key.token(invalid_utf8(inside), claims().to_string()), not_json));
    let spaced = format!(" \t\r\n{good}\n ");
    rows.push(harmless("header: white space that JSON allows", token(&spaced)));
    let escaped = good.replace("\"alg\"", "\"\\u0061l\\u0067\"");
    rows.push(harmless("header: alg spelled otherwise, once", token(&escaped)));
    rows
}

pub(super) fn invalid_utf8(inside: &str) -> Vec<u8> {
    [b"{", inside.as_bytes(), b",\"x\":\"", &[0xff, 0xfe], b"\"}"].concat()
}
