//! Shipped scenarios cover what they promise.

use crate::auth::token::signature::SIGNATURE_SCHEMES;
use crate::plan::{Plan, Trial};
use crate::scenario::ScenarioFile;

#[test]
fn the_signature_scenario_compares_every_scheme_of_the_registry() {
    let text = include_str!("../../scenarios/signatures.toml");
    let file = ScenarioFile::parse("signatures.toml".to_owned(), text, &[]).unwrap();
    let plan = Plan::decide(&file, &[], &[0, 1]).unwrap();
    for entry in SIGNATURE_SCHEMES.entries {
        let compared = |trial: &Trial| {
            trial.subject.signature.as_ref().is_some_and(|scheme| scheme.kind() == entry.name)
        };
        assert!(plan.trials.iter().any(compared), "{} is missing in scenarios/signatures.toml", entry.name);
    }
}
