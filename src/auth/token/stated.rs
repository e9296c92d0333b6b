//! Claims as a token or an introspection answer states them, read with one strictness. What must be there, others say.

use std::cell::Cell;

use serde::Serialize;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::auth::token::object::{self, Members, Object, ObjectFault};
use crate::auth::token::time::NumericDate;
use crate::auth::token::{
    Audience, Claims, Confirmation, Groups, Rejection, Section, TokenStatus, UnixTime, WrittenObject,
};

/// What a token (RFC 9068 section 2.2) or an introspection answer (RFC 7662 section 2.2) says of itself; see [`Claims`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatedClaims {
    /// The authorization server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom the token speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it allows, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<UnixTime>,
    /// Before when it must not be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<UnixTime>,
    /// From when on it must not be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<UnixTime>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Where a status list tells whether it was revoked. What has another form than [`TokenStatus`] is left aside: others use the name for
    /// something else, and whoever needs the claim refuses a token without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TokenStatus>,
    /// Groups, for an answer to write; they are not read.
    #[serde(skip_serializing_if = "Groups::is_none")]
    pub groups: Groups,
    /// To whose key it is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// The JWT that said so, for whoever is to read it next; absent unless it was asked for.
    #[serde(skip)]
    pub jwt: Option<Box<str>>,
}

impl StatedClaims {
    /// The claims that are the whole of `json`.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, ObjectFault> {
        object::read(json)
    }

    /// What an introspection answer says of an active token; `None` if it is not active, whatever else is said.
    pub fn of_answer(json: &[u8]) -> Result<Option<Self>, String> {
        match object::read(json) {
            Ok(Answer { active: Some(true), claims }) => Ok(Some(claims)),
            Ok(Answer { active: Some(false), .. }) => Ok(None),
            Ok(Answer { active: None, .. }) => Err("\"active\" is missing (RFC 7662 section 2.2)".to_owned()),
            Err(fault) => {
                let written = serde_json::from_slice::<WrittenObject>(json).unwrap_or_default();
                let active = written.member("active").map(RawValue::get);
                if active == Some("false") { Ok(None) } else { Err(fault.to_string()) }
            }
        }
    }

    /// Those claims that can be read by themselves, where one of them spoils the whole.
    pub(super) fn readable(object: &WrittenObject) -> Self {
        let lone = |name: &&str| {
            let mut values = object.0.iter().filter(|(member, _)| member == name).map(|(_, value)| value);
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            let member = format!("\"{name}\":{}", value.get());
            Self::from_json(format!("{{{member}}}").as_bytes()).is_ok().then_some(member)
        };
        let members: Vec<String> = Self::NAMES.iter().filter_map(lone).collect();
        Self::from_json(format!("{{{}}}", members.join(",")).as_bytes()).unwrap_or_default()
    }

    /// All that RFC 9068 requires is there.
    pub(super) fn complete(self) -> Result<Claims, Rejection> {
        Ok(Claims {
            iss: required(self.iss, "iss")?,
            sub: required(self.sub, "sub")?,
            aud: required(self.aud, "aud")?,
            client_id: required(self.client_id, "client_id")?,
            scope: self.scope.unwrap_or_default(),
            iat: required(self.iat, "iat")?,
            nbf: self.nbf,
            exp: required(self.exp, "exp")?,
            jti: required(self.jti, "jti")?,
            status: self.status,
            groups: Groups::default(),
            cnf: self.cnf,
        })
    }
}

/// An introspection answer (RFC 7662 section 2.2).
#[derive(Default)]
struct Answer {
    active: Option<bool>,
    claims: StatedClaims,
}

impl<'de> Members<'de> for Answer {
    const SECTION: Section = Section::Claims;
    /// `active`, then those of [`StatedClaims`].
    const NAMES: &'static [&'static str] =
        &["active", "iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti", "status", "cnf"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        match name.checked_sub(1) {
            None => self.active = Some(map.next_value()?),
            Some(claim) => self.claims.read(claim, map)?,
        }
        Ok(())
    }
}

impl From<Claims> for StatedClaims {
    fn from(claims: Claims) -> Self {
        let Claims { iss, sub, aud, client_id, scope, iat, nbf, exp, jti, status, groups, cnf } = claims;
        Self {
            iss: Some(iss),
            sub: Some(sub),
            aud: Some(aud),
            client_id: Some(client_id),
            scope: Some(scope).filter(|scope| !scope.is_empty()),
            iat: Some(iat),
            nbf,
            exp: Some(exp),
            jti: Some(jti),
            status,
            groups,
            cnf,
            jwt: None,
        }
    }
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, Rejection> {
    claim.ok_or(Rejection::Lacks(Section::Claims, name))
}

impl<'de> Members<'de> for StatedClaims {
    const SECTION: Section = Section::Claims;
    const NAMES: &'static [&'static str] =
        &["iss", "sub", "aud", "client_id", "scope", "iat", "nbf", "exp", "jti", "status", "cnf"];

    fn read<A: MapAccess<'de>>(&mut self, name: usize, map: &mut A) -> Result<(), A::Error> {
        match Self::NAMES[name] {
            "iss" => self.iss = Some(map.next_value()?),
            "sub" => self.sub = Some(map.next_value()?),
            "aud" => self.aud = Some(map.next_value()?),
            "client_id" => self.client_id = Some(map.next_value()?),
            "scope" => self.scope = Some(map.next_value()?),
            "iat" => self.iat = Some(map.next_value::<NumericDate>()?.begun()),
            // In doubt against the token: the latter second to begin with, the former to end with.
            "nbf" => self.nbf = Some(map.next_value::<NumericDate>()?.ended()),
            "exp" => self.exp = Some(map.next_value::<NumericDate>()?.begun()),
            "jti" => self.jti = Some(map.next_value()?),
            "cnf" => self.cnf = Some(map.next_value_seed(Object::noting(&Cell::new(None)))?),
            _ => self.status = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_strictly_as_a_token_and_needs_active_alone() {
        assert_eq!(&Answer::NAMES[1..], StatedClaims::NAMES);
        let all = r#"{"active":true,"iss":"a","sub":"b","aud":["c"],"client_id":"d","scope":"e","iat":1,"nbf":2.5,"exp":3.5,"jti":"f","x":{}}"#;
        let claims = StatedClaims::of_answer(all.as_bytes()).unwrap().unwrap();
        let dates = (claims.iat.unwrap().secs(), claims.nbf.unwrap().secs(), claims.exp.unwrap().secs());
        assert_eq!(dates, (1, 3, 3), "in doubt against the token");
        assert_eq!(claims.complete().unwrap().jti, "f");
        let nothing = StatedClaims::of_answer(br#"{"active":true}"#);
        assert_eq!(nothing, Ok(Some(StatedClaims::default())));
        for (status, idx) in [
            (r#"{"status_list":{"idx":7,"uri":"u","x":1},"y":{}}"#, Some(7)),
            (r#"{"status_list":{"idx":-7,"uri":"u"}}"#, None),
            (r#"{"status_list":{"idx":7.0,"uri":"u"}}"#, None),
            (r#"{"status_list":{"idx":7}}"#, None),
            (r#"{"status_list":[]}"#, None),
            (r#""enabled""#, None),
        ] {
            let answer = format!(r#"{{"active":true,"status":{status}}}"#);
            let claims = StatedClaims::of_answer(answer.as_bytes()).unwrap().unwrap();
            assert_eq!(claims.status.map(|status| status.status_list.idx), idx, "{answer}");
        }
        for (cnf, thumbprints) in [
            (r#"{"jkt":"a","x":1}"#, Some([Some("a"), None])),
            (r#"{"x5t#S256":"b"}"#, Some([None, Some("b")])),
            (r#"{"x5t#S256":"b","jkt":"a"}"#, Some([Some("a"), Some("b")])),
            (r#"{"x":1}"#, Some([None, None])),
            (r#"{"jkt":1}"#, None),
            (r#"{"x5t#S256":null}"#, None),
            (r#"{"jkt":"a","jkt":"a"}"#, None),
            (r#""a""#, None),
            ("null", None),
        ] {
            let claims = StatedClaims::of_answer(format!(r#"{{"active":true,"cnf":{cnf}}}"#).as_bytes());
            let bound = claims.ok().map(|claims| claims.unwrap().cnf.unwrap());
            let bound = bound.as_ref().map(|cnf| [cnf.jkt.as_deref(), cnf.x5t_s256.as_deref()]);
            assert_eq!(bound, thumbprints, "a token that is bound stays so: {cnf}");
        }
        for inactive in
            [r#"{"active":false}"#, r#"{"exp":null,"active":false}"#, r#"{"active":false,"active":true}"#]
        {
            assert_eq!(StatedClaims::of_answer(inactive.as_bytes()), Ok(None), "{inactive}");
        }
        for unfit in [
            "",
            "[]",
            "{}",
            "true",
            r#"{"active":"true"}"#,
            r#"{"active":true,"exp":"3"}"#,
            r#"{"active":true,"aud":null}"#,
            r#"{"active":true,"active":true}"#,
            r#"{"active":true,"exp":-1}"#,
            r#"{"active":true} x"#,
        ] {
            assert!(StatedClaims::of_answer(unfit.as_bytes()).is_err(), "{unfit}");
        }
    }
}
