//! The attack table: one row a case. What is forged, and what must come of it in both validators.

mod claims;
mod encoding;
mod header;
mod keys;

use bearerbench::auth::token::{Rejection, Section};

use crate::workshop::{KEYS, Key, Validators, common};

/// A case: what it is, the token, and what becomes of it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) verdict: Result<(), Rejection>,
}

pub(crate) fn row(name: impl Into<String>, token: impl Into<String>, rejection: Rejection) -> Row {
    Row { name: name.into(), token: token.into(), verdict: Err(rejection) }
}

/// Not an attack although it looks like one.
pub(crate) fn harmless(name: impl Into<String>, token: impl Into<String>) -> Row {
    Row { name: name.into(), token: token.into(), verdict: Ok(()) }
}

pub(crate) const HEADER: Section = Section::Header;
pub(crate) const CLAIMS: Section = Section::Claims;
pub(crate) const SIGNATURE: Section = Section::Signature;

/// Whatever is done to tokens of this key.
pub(crate) fn table(key: &Key) -> Vec<Row> {
    [header::rows(key), claims::rows(key), encoding::rows(key)].into_iter().flatten().collect()
}

#[track_caller]
fn check(validators: &Validators, key: &Key, rows: Vec<Row>) {
    for Row { name, token, verdict } in rows {
        let scheme = &key.scheme;
        assert_eq!(validators.examined(&token), verdict.err(), "{scheme}, all checks: {name}");
        assert_eq!(validators.own(&token).map(drop), verdict, "{scheme}: {name}");
        let library = validators.library(&token);
        assert_eq!(library.is_ok(), verdict.is_ok(), "{scheme} by jsonwebtoken: {name}: {library:?}");
    }
}

#[test]
fn every_attack_is_refused_for_what_it_is_by_both_validators() {
    let key = Key::generate(&common());
    check(&Validators::of(&[&key]), &key, table(&key));
}

#[test]
fn what_confuses_keys_is_refused_for_what_it_is_by_both_validators() {
    for key in KEYS.iter() {
        let stranger = Key::generate(&common());
        // Two, since jsonwebtoken may not know the first.
        let (second, third) = (Key::generate(&common()), Key::generate(&common()));
        check(&Validators::of(&[key, &second, &third]), key, keys::rows(key, &second, &stranger));
        check(&Validators::of(&[key]), key, keys::signature_rows(key));
    }
}

#[test]
fn no_two_rows_are_alike() {
    let rows = table(&Key::generate(&common()));
    let names: std::collections::HashSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.len() > 100, "{}", rows.len());
}
