//! The program in which a store keeps tokens, with everything decided.

use crate::auth::store::{self, Store};
use crate::registry::Part;
use crate::scenario::{ServiceAddress, Services};
use crate::service::Service;

/// A service that a subject needs.
#[derive(Clone, Debug)]
pub struct NeededService {
    /// Which one.
    pub service: Part<dyn Service>,
    /// Where it is.
    pub at: ServiceAddress,
    /// What a private one is told beside its address.
    pub settings: Vec<(&'static str, String)>,
}

impl NeededService {
    /// What a store needs, if anything, or why it cannot be had.
    pub(super) fn of(store: &Part<dyn Store>, services: &Services) -> Result<Option<Self>, String> {
        let kind = store.kind();
        let Some(needed) = store.service() else { return Ok(None) };
        let is_set = |setting: &&str| store.choice().settings.contains_key(*setting);
        if let Some(setting) = store::PLACE_SETTINGS.iter().copied().find(|setting| is_set(setting)) {
            return Err(format!(
                "store {kind:?}: leave `{setting}` away; where it is says services.{} for all subjects",
                needed.name
            ));
        }
        let service = Part::<dyn Service>::named(needed.name).map_err(|error| error.to_string())?;
        let Some(at) = services.address(needed.name) else {
            return Err(format!(
                "store {kind:?} is in a {}; add services.{} = \"private\", so that one is started for each trial, or a URL \
                 like \"{}\"",
                service.programs()[0],
                needed.name,
                service.example()
            ));
        };
        let unheeded = needed.private_settings.iter().copied().find(|setting| is_set(setting));
        if let (ServiceAddress::Url(_), Some(setting)) = (at, unheeded) {
            return Err(format!(
                "store {kind:?}: `{setting}` is set where the service is started; leave it away, or write services.{} = \
                 \"private\"",
                needed.name
            ));
        }
        Ok(Some(Self { service, at: at.clone(), settings: needed.settings }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::store::STORES;
    use crate::registry::Choice;

    fn needed(store: &str, services: &str) -> Result<Option<NeededService>, String> {
        #[derive(serde::Deserialize)]
        struct Written {
            store: Choice,
            services: Services,
        }
        let text = format!("store = {store}\nservices = {{ {services} }}");
        let Written { store, services } = toml::from_str(&text).unwrap();
        NeededService::of(&STORES.resolve(store).unwrap(), &services)
    }

    #[test]
    fn every_store_needs_nothing_or_a_service_of_the_registry() {
        let private = "redis = \"private\", postgresql = \"private\"";
        for entry in STORES.entries {
            let needed = needed(&format!("{:?}", entry.name), private).unwrap();
            assert_eq!(needed.is_none(), entry.name == "memory", "{needed:?}");
            assert!(needed.is_none_or(|needed| needed.at == ServiceAddress::Private));
        }
    }

    #[test]
    fn what_decides_over_a_crash_is_told_to_the_service() {
        let always = needed("{ kind = \"redis\", appendfsync = \"always\" }", "redis = \"private\"");
        let settings = always.unwrap().unwrap().settings;
        assert!(settings.contains(&("appendfsync", "always".to_owned())), "{settings:?}");
        assert!(settings.contains(&("appendonly", "yes".to_owned())), "{settings:?}");
        let none = needed("{ kind = \"redis\", appendonly = false }", "redis = \"private\"");
        assert!(none.unwrap().unwrap().settings.contains(&("appendonly", "no".to_owned())));
        let off = needed("{ kind = \"postgresql\", synchronous_commit = false }", "postgresql = \"private\"");
        assert!(off.unwrap().unwrap().settings.contains(&("synchronous_commit", "off".to_owned())));
    }

    #[test]
    fn what_cannot_be_had_is_told_with_what_to_write() {
        let url = "redis = \"redis://h\"";
        for (store, services, words) in [
            ("\"redis\"", "", "store \"redis\" is in a redis-server; add services.redis = \"private\""),
            ("\"postgresql\"", url, "add services.postgresql = \"private\""),
            (
                "{ kind = \"redis\", url = \"redis://h\" }",
                url,
                "leave `url` away; where it is says services.redis",
            ),
            (
                "{ kind = \"redis\", appendfsync = \"no\" }",
                url,
                "`appendfsync` is set where the service is started",
            ),
        ] {
            let error = needed(store, services).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(needed("\"redis\"", url).is_ok());
        // Every connection can say it.
        let off = "{ kind = \"postgresql\", synchronous_commit = false }";
        assert!(needed(off, "postgresql = \"postgresql://h/d\"").is_ok());
    }
}
