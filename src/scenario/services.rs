//! Where the services are that a scenario needs, as it is written there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::registry::{Choice, Part, Role as _};
use crate::service::{SERVICES, Service};

/// The services of a scenario by their names in the registry. One that nobody names is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Services(BTreeMap<String, ServiceAddress>);

/// Where a service is.
#[derive(Clone, PartialEq, Eq)]
pub enum ServiceAddress {
    /// This program starts its own for each trial, with a folder that is gone afterwards.
    Private,
    /// Somebody else has started it.
    Url(String),
}

const PRIVATE: &str = "private";

impl Services {
    /// Where that one is, if the scenario says so.
    pub fn address(&self, name: &str) -> Option<&ServiceAddress> {
        self.0.get(name)
    }
}

/// A URL may have a password in it.
impl fmt::Debug for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => PRIVATE,
            Self::Url(_) => "at a URL",
        })
    }
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ServicesVisitor)
    }
}

struct ServicesVisitor;

impl<'de> Visitor<'de> for ServicesVisitor {
    type Value = Services;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table like { redis = \"private\" }")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Services, M::Error> {
        let mut services = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let service =
                <dyn Service>::registry().resolve(Choice::named(&*name)).map_err(M::Error::custom)?;
            services.insert(name, map.next_value_seed(AddressOf(&service))?);
        }
        Ok(Services(services))
    }
}

/// The address of this service.
struct AddressOf<'a>(&'a Part<dyn Service>);

impl<'de> DeserializeSeed<'de> for AddressOf<'_> {
    type Value = ServiceAddress;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ServiceAddress, D::Error> {
        let written = String::deserialize(deserializer)?;
        if written == PRIVATE {
            return Ok(ServiceAddress::Private);
        }
        let scheme = written.split_once("://").map(|(scheme, _)| scheme);
        if scheme.is_some_and(|scheme| self.0.schemes().contains(&scheme)) {
            return Ok(ServiceAddress::Url(written));
        }
        // It is not shown: who mistypes the beginning may have written a password behind it.
        let example = self.0.example();
        let tls = match scheme {
            Some("rediss") => ", without TLS",
            _ => "",
        };
        Err(D::Error::custom(format!(
            "expected \"{PRIVATE}\", so that a {} is started for each trial, or a URL like {example}{tls}",
            self.0.programs()[0]
        )))
    }
}

impl JsonSchema for Services {
    fn schema_name() -> Cow<'static, str> {
        "Services".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let property = |(name, summary): (&str, &str)| {
            (name.to_owned(), serde_json::json!({ "type": "string", "description": summary }))
        };
        let properties: serde_json::Map<String, serde_json::Value> =
            SERVICES.entries.iter().map(|entry| property((entry.name, entry.summary))).collect();
        json_schema!({
            "description": "Where the services are that subjects need: \"private\", or a URL.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Services, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_service_is_private_or_at_a_url_of_its_own_kind_and_what_is_wrong_is_told_without_its_secret() {
        let services = read("redis = \"private\"\npostgresql = \"postgres://u:p@h/d\"").unwrap();
        assert_eq!(services.address("redis"), Some(&ServiceAddress::Private));
        let url = ServiceAddress::Url("postgres://u:p@h/d".to_owned());
        assert_eq!(services.address("postgresql"), Some(&url));
        assert_eq!(read("").unwrap().address("redis"), None);
        assert!(!format!("{services:?}").contains("u:p"), "{services:?}");
        for (text, words) in [
            (
                "redsi = \"private\"",
                "unknown service \"redsi\"; did you mean \"redis\"?; known: redis, postgresql",
            ),
            ("redis = \"http://:hush@h\"", "expected \"private\", so that a redis-server is started"),
            ("redis = \"rediss://:hush@h\"", "redis://:password@127.0.0.1:6379, without TLS"),
            ("postgresql = \"redis://h\"", "a URL like postgresql://user:password@127.0.0.1:5432/database"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words) && !error.contains("hush"), "{error}");
        }
    }
}
