//! Claims that do not fit, although the signature does.

use bearerbench::auth::token::Rejection;
use serde_json::{Value, json};

use super::header::invalid_utf8;
use super::{CLAIMS, Row, harmless, row};
use crate::workshop::{AUDIENCE, ISSUER, Key, claims, members, now, with, without};

pub(super) fn rows(key: &Key) -> Vec<Row> {
    let token = |claims: &Value| key.token(key.header().to_string(), claims.to_string());
    let wrong_form = |name| Rejection::WrongForm(CLAIMS, name);
    let mut rows = Vec::new();
    for (name, value, rejection) in [
        ("exp now", json!(now()), Rejection::Expired),
        ("exp a while ago", json!(now() - 10), Rejection::Expired),
        ("exp zero", json!(0), Rejection::Expired),
        ("exp in the fraction of this second", json!(now() as f64 + 0.5), Rejection::Expired),
        ("exp as text", json!((now() + 60).to_string()), wrong_form("exp")),
        ("exp negative", json!(-1), wrong_form("exp")),
        ("exp as null", Value::Null, wrong_form("exp")),
        ("exp as true", json!(true), wrong_form("exp")),
        ("exp as list", json!([now() + 60]), wrong_form("exp")),
        ("exp beyond what counts seconds", json!(1e300), wrong_form("exp")),
        ("exp beyond 64 bits", json!(18_446_744_073_709_551_616.0), wrong_form("exp")),
        ("nbf to come", json!(now() + 60), Rejection::NotYetValid),
        ("nbf at the end of time", json!(u64::MAX), Rejection::NotYetValid),
        ("nbf as text", json!("0"), wrong_form("nbf")),
        ("nbf as null", Value::Null, wrong_form("nbf")),
        ("iat as text", json!("now"), wrong_form("iat")),
        ("iss of somebody else", json!("https://evil.example"), Rejection::WrongIssuer),
        ("iss with a slash more", json!(format!("{ISSUER}/")), Rejection::WrongIssuer),
        ("iss in other letters", json!(ISSUER.to_uppercase()), Rejection::WrongIssuer),
        ("iss empty", json!(""), Rejection::WrongIssuer),
        ("iss as list with the right one", json!([ISSUER]), wrong_form("iss")),
        ("aud of somebody else", json!("https://other.example/"), Rejection::WrongAudience),
        ("aud with a part of the right one", json!("https://api.example"), Rejection::WrongAudience),
        ("aud empty", json!(""), Rejection::WrongAudience),
        ("aud an empty list", json!([]), Rejection::WrongAudience),
        ("aud a list of others", json!(["https://other.example/", "x"]), Rejection::WrongAudience),
        ("aud a list with a number", json!([AUDIENCE, 1]), wrong_form("aud")),
        ("aud a list in a list", json!([[AUDIENCE]]), wrong_form("aud")),
        ("aud an object", json!({ "aud": AUDIENCE }), wrong_form("aud")),
        ("aud as null", Value::Null, wrong_form("aud")),
        ("sub as number", json!(1), wrong_form("sub")),
        ("jti as number", json!(1), wrong_form("jti")),
        ("scope of another", json!("write readable"), Rejection::InsufficientScope),
        ("scope as list", json!(["read"]), wrong_form("scope")),
    ] {
        let claim = name.split(' ').next().expect("the claim comes first");
        rows.push(row(name, token(&with(claims(), claim, value)), rejection));
    }
    for claim in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
        let rejection = Rejection::Lacks(CLAIMS, claim);
        rows.push(row(format!("{claim} missing"), token(&without(claims(), claim)), rejection));
    }
    rows.push(row("scope missing", token(&without(claims(), "scope")), Rejection::InsufficientScope));
    for (name, claims) in [
        ("exp with a fraction", with(claims(), "exp", now() as f64 + 60.5)),
        ("exp at the end of time", with(claims(), "exp", u64::MAX)),
        ("nbf now", with(claims(), "nbf", now())),
        ("aud a list with the right one", with(claims(), "aud", json!(["x", AUDIENCE]))),
        ("an unknown claim", with(claims(), "cnf", json!({ "jkt": "x" }))),
    ] {
        rows.push(harmless(name, token(&claims)));
    }
    rows.extend(texts(key));
    rows
}

/// Claims that no JSON writer makes.
fn texts(key: &Key) -> Vec<Row> {
    let good = claims().to_string();
    let inside = good.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).expect("an object");
    let not_json = Rejection::NotJson(CLAIMS);
    let twice = Rejection::Twice(CLAIMS);
    let later = now() + 3_600;
    let (many, huge) = (members(40), members(10_000));
    let deep = |depth| format!(r#"{{{inside},"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let cases = [
        ("a list", format!("[{good}]"), not_json),
        ("a text", format!("{good:?}"), not_json),
        ("a number", "1".to_owned(), not_json),
        ("nothing", String::new(), not_json),
        ("an object that does not end", good.trim_end_matches('}').to_owned(), not_json),
        ("something behind the end", format!("{good}x"), not_json),
        ("NUL behind the end", format!("{good}\0"), not_json),
        ("a byte order mark", format!("\u{feff}{good}"), not_json),
        ("single quotes", good.replace('"', "'"), not_json),
        ("exp as NaN", good.replace(&later.to_string(), "NaN"), not_json),
        ("exp with a sign", good.replace(&later.to_string(), &format!("+{later}")), not_json),
        ("exp with a zero before it", good.replace(&later.to_string(), &format!("0{later}")), not_json),
        ("exp twice, the same", format!(r#"{{{inside},"exp":{later}}}"#), twice),
        ("exp twice, the first past", format!(r#"{{"exp":1,{inside}}}"#), twice),
        ("exp twice, spelled otherwise", format!(r#"{{{inside},"\u0065xp":{later}}}"#), twice),
        ("iss twice", format!(r#"{{{inside},"iss":"{ISSUER}"}}"#), twice),
        ("an unknown claim twice", format!(r#"{{{inside},"x":1,"x":2}}"#), twice),
        ("an unknown claim twice, spelled otherwise", format!(r#"{{{inside},"x":1,"\u0078":2}}"#), twice),
        ("the first of 40 unknown claims twice", format!(r#"{{{many}{inside},"0":1}}"#), twice),
        ("the last of 40 unknown claims twice", format!(r#"{{{many}{inside},"27":1}}"#), twice),
        ("half a surrogate pair", format!(r#"{{{inside},"x":"\udc00"}}"#), not_json),
        ("a line break in a text", format!("{{{inside},\"x\":\"\n\"}}"), not_json),
        ("lists 200 deep", deep(200), not_json),
        ("lists 10,000 deep", deep(10_000), not_json),
        ("lists 100,000 deep", deep(100_000), Rejection::TooLarge),
        ("10,000 members", format!("{{{huge}{inside}}}"), Rejection::TooLarge),
    ];
    let token = |payload: &str| key.token(key.header().to_string(), payload);
    let mut rows: Vec<Row> = cases
        .into_iter()
        .map(|(name, payload, rejection)| row(format!("claims: {name}"), token(&payload), rejection))
        .collect();
    let invalid = key.token(key.header().to_string(), invalid_utf8(inside));
    rows.push(row("claims: invalid UTF-8 in a text", invalid, not_json));
    for (name, payload) in [
        ("white space that JSON allows", format!(" \t\r\n{good}\n ")),
        ("40 unknown claims", format!("{{{many}{inside}}}")),
        ("lists 100 deep", deep(100)),
        // Uniqueness is asked of claims (RFC 7519 section 4), not of what lies in them.
        ("members twice within an unknown claim", format!(r#"{{{inside},"x":{{"y":1,"y":2}}}}"#)),
        ("iss with escapes", good.replace(ISSUER, "\\u0068ttps:\\/\\/as.example")),
    ] {
        rows.push(harmless(format!("claims: {name}"), token(&payload)));
    }
    rows
}
