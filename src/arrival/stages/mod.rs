//! A load that rises, falls and jumps in the course of a run.

mod curve;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::arrival::ArrivalProcess;
use crate::arrival::gaps::{Gaps, rounded};
use crate::units::{Multiple, Offset, Rate, Span};

use curve::RateCurve;

/// Ramps and steps of the rate, as multiples of the load's rate. The last level goes on for ever.
///
/// The process at the load's rate is bent in time by the inverse of the cumulative rate, so that whatever
/// its gaps are, it stays what it was: Poisson arrivals become an inhomogeneous Poisson process.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Stages {
    curve: RateCurve,
    arrivals: Gaps,
}

/// The settings of `stages`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({ "stages": [{ "duration": "5s", "to": 0.5 }, { "duration": "5s", "to": 1.0 }] }))]
struct Written {
    /// What happens one after the other.
    #[schemars(length(min = 1))]
    stages: Vec<Stage>,
    /// The level at the beginning.
    #[serde(default)]
    from: Multiple,
    /// How the gaps between requests come about at a level of 1.
    #[serde(default)]
    arrivals: Gaps,
}

/// One ramp, or a jump if it takes no time.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stage {
    /// How long the level takes to get there, in a straight line; "0s" is a jump.
    duration: Span,
    /// The level at the end, as a multiple of the load's rate.
    to: Multiple,
}

impl ArrivalProcess for Stages {
    fn instants(&self, rate: Rate, seed: u64) -> Box<dyn Iterator<Item = Offset> + Send> {
        let curve = self.curve.clone();
        let level = self.arrivals.nanos(rate.per_second(), seed);
        Box::new(level.map_while(move |nanos| curve.time_of(nanos)).map(rounded))
    }
}

impl TryFrom<Written> for Stages {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let mut level = written.from.into();
        let mut curve = RateCurve::default();
        for stage in &written.stages {
            let to = stage.to.into();
            curve.ramp(stage.duration.duration(), level, to);
            level = to;
        }
        if written.stages.is_empty() {
            return Err("expected at least one stage, like { duration = \"5s\", to = 1.0 }".to_owned());
        }
        if curve.is_silent() && level == 0.0 {
            return Err(
                "every level is 0, so that no request is ever due; expected a `to` above 0".to_owned()
            );
        }
        curve.stay_at(level);
        Ok(Self { curve, arrivals: written.arrivals })
    }
}

impl JsonSchema for Stages {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::{Constant, Poisson};
    use crate::registry::Part;

    fn stages(settings: &str) -> Result<Part<dyn ArrivalProcess>, String> {
        let text = format!("kind = \"stages\"\n{settings}");
        toml::from_str(&text).map_err(|error| error.message().to_owned())
    }

    fn nanos(process: &dyn ArrivalProcess, per_second: f64, count: usize) -> Vec<u64> {
        process.instants(Rate::try_from(per_second).unwrap(), 1).take(count).map(Offset::nanos).collect()
    }

    #[test]
    fn a_level_of_1_changes_nothing() {
        let level = |arrivals| {
            stages(&format!(
                "from = 1\nstages = [{{ duration = \"1s\", to = 1 }}]\narrivals = \"{arrivals}\""
            ))
        };
        assert_eq!(nanos(&*level("poisson").unwrap(), 700.0, 2_000), nanos(&Poisson {}, 700.0, 2_000));
        assert_eq!(nanos(&*level("constant").unwrap(), 700.0, 2_000), nanos(&Constant {}, 700.0, 2_000));
    }

    #[test]
    fn steps_have_as_many_requests_as_their_levels_say() {
        let steps = stages(
            "arrivals = \"constant\"
             stages = [
                 { duration = \"0s\", to = 0.5 }, { duration = \"2s\", to = 0.5 },
                 { duration = \"0s\", to = 3 }, { duration = \"1s\", to = 3 }, { duration = \"0s\", to = 1 },
             ]",
        );
        let instants = nanos(&*steps.unwrap(), 1_000.0, 10_000);
        let within = |from: u64, to: u64| {
            instants.iter().filter(|at| (from * 1_000_000_000..to * 1_000_000_000).contains(*at)).count()
        };
        assert_eq!([within(0, 2), within(2, 3), within(3, 5)], [1_000, 3_000, 2_000]);
        assert_eq!(instants[1], 2_000_000);
    }

    #[test]
    fn poisson_arrivals_on_a_ramp_are_spread_as_the_level_is() {
        let ramp = stages("stages = [{ duration = \"10s\", to = 1 }]").unwrap();
        let instants = nanos(&*ramp, 20_000.0, 100_000);
        // Of an inhomogeneous Poisson process on a ramp from zero, squares of the instants are uniform.
        let before = |seconds: f64| instants.iter().filter(|at| (**at as f64) < seconds * 1e9).count() as f64;
        for seconds in [1.0, 3.0, 5.0, 8.0] {
            let expected: f64 = 20_000.0 * seconds * seconds / 20.0;
            assert!((before(seconds) - expected).abs() < 5.0 * expected.sqrt(), "{seconds} s");
        }
    }

    #[test]
    fn a_seed_gives_the_same_instants_for_ever() {
        let ramp = stages("stages = [{ duration = \"1s\", to = 1 }, { duration = \"1s\", to = 0 }]").unwrap();
        let instants = nanos(&*ramp, 4.0, 100);
        insta::assert_compact_debug_snapshot!(instants, @"[507433248, 547163491, 867900836, 936509352, 1022181664, 1420225646, 1835571755]");
    }

    #[test]
    fn stages_in_which_nothing_is_due_are_refused() {
        let check = |settings, words: &str| {
            let problem = stages(settings).unwrap_err();
            assert!(problem.contains(words), "{problem}");
        };
        check("stages = []", "at least one stage");
        check("stages = [{ duration = \"5s\", to = 0 }]", "every level is 0");
        check("stages = [{ duration = \"5s\", to = -1 }]", "from 0 to 1000, not -1");
        check("stages = [{ duration = \"5s\", to = 1 }]\narivals = \"constant\"", "unknown field `arivals`");
    }
}
