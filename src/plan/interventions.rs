//! What a scenario has done to servers, with everything told that cannot be meant.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::plan::{Placement, Subject};
use crate::scenario::{EventTarget, Intervention, InvalidScenario, ScenarioEvent, ScenarioFile, TargetRole};
use crate::units::Span;

/// The undisturbed time before the first event, which what follows is held against, is this long at least.
const BEFORE: Span = Span::from_secs(1);

/// A server that something can be done to: the number is 0 for the authorization server.
type Server = (TargetRole, u32);

/// What is known of a server at an instant of the timeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Runs,
    Down,
    Paused,
}

/// A problem with an event: at which of its keys, if at one, and what to do.
type Problem = (Option<&'static str>, String);

/// What is done to servers, in order, by the time from the beginning of the measured window.
pub(super) fn decide(
    file: &ScenarioFile,
    subjects: &[Arc<Subject>],
    placement: &Placement,
) -> Result<Vec<(Span, Intervention, EventTarget)>, InvalidScenario> {
    let estate = Estate::of(file, subjects, placement);
    let mut written = Vec::new();
    for (index, event) in file.scenario.events.iter().enumerate() {
        let (intervention, target) =
            estate.readable(file, event).map_err(|problem| at(file, index, problem))?;
        written.push((index, event.at, intervention, target));
    }
    // Stable: of one instant they are in the order in which they are written.
    written.sort_by_key(|(_, at, ..)| *at);
    let mut course = Course::default();
    for (index, due, intervention, target) in &written {
        let servers = estate.servers(*target);
        course
            .take(*due, *intervention, *target, &servers)
            .map_err(|problem| at(file, *index, (Some(intervention.name()), problem)))?;
    }
    Ok(written.into_iter().map(|(_, at, intervention, target)| (at, intervention, target)).collect())
}

fn at(file: &ScenarioFile, index: usize, (key, problem): Problem) -> InvalidScenario {
    let key = key.map_or_else(String::new, |key| format!(".{key}"));
    file.key_error(&format!("event[{index}]{key}"), problem)
}

/// The servers that trials have.
struct Estate {
    /// Those that every subject has.
    resource_servers: u32,
    /// Whether any subject has gateways.
    has_gateways: bool,
    /// How many of the servers of a hop are in a process at most.
    in_a_process: usize,
}

impl Estate {
    fn of(file: &ScenarioFile, subjects: &[Arc<Subject>], placement: &Placement) -> Self {
        let load = file.scenario.load.resource_servers.get();
        let numbers = || subjects.iter().map(|subject| subject.resource_servers);
        let has_gateway = |subject: &Arc<Subject>| subject.architecture.hops().count() > 1;
        let processes = numbers().flat_map(|number| placement.processes(number));
        Self {
            resource_servers: numbers().min().unwrap_or(load),
            has_gateways: subjects.iter().any(has_gateway),
            in_a_process: processes.map(Iterator::count).max().unwrap_or(1),
        }
    }

    /// What an event does to whom, if that can be in a trial of this scenario.
    fn readable(
        &self,
        file: &ScenarioFile,
        event: &ScenarioEvent,
    ) -> Result<(Intervention, EventTarget), Problem> {
        let named = event.interventions().into_iter().filter_map(|(what, target)| Some((what, target?)));
        let named: Vec<(Intervention, EventTarget)> = named.collect();
        let (intervention, target) = match named[..] {
            [one] => one,
            [] => {
                let problem = "nothing is done; add one of `kill`, `start`, `pause` and `resume`, like kill = \"authorization-server\"";
                return Err((None, problem.to_owned()));
            }
            [(first, _), (second, _), ..] => {
                let problem = format!(
                    "`{}` and `{}` exclude each other; write an [[event]] for each",
                    first.name(),
                    second.name()
                );
                return Err((Some(second.name()), problem));
            }
        };
        ensure_in_time(file, event.at).map_err(|problem| (Some("at"), problem))?;
        self.ensure_there(target).map_err(|problem| (Some(intervention.name()), problem))?;
        Ok((intervention, target))
    }

    fn ensure_there(&self, target: EventTarget) -> Result<(), String> {
        if target.role == TargetRole::Gateway && !self.has_gateways {
            return Err(
                "no subject has a gateway; leave the event away, or add a subject with one, like architecture = \"phantom-token\""
                    .to_owned(),
            );
        }
        let Some(number) = target.number.map(NonZeroU32::get) else { return Ok(()) };
        let (servers, name) = (self.resource_servers, target.role.name());
        if number > servers {
            return Err(format!(
                "there is no {target} with every subject: the fewest that one has (resource_servers) are {servers}; raise that, or name {} or \
                 \"{name}\", which is all of them",
                if servers == 1 { format!("\"{name} 1\"") } else { format!("one of 1 to {servers}") }
            ));
        }
        if self.in_a_process > 1 {
            return Err(format!(
                "{target} shares its process with others on this machine, to whom the same would happen; name \"{name}\", which is all of \
                 them, or lower load.resource_servers until each has a process (`bearerbench plan` tells)"
            ));
        }
        Ok(())
    }

    fn servers(&self, target: EventTarget) -> Vec<Server> {
        match (target.role, target.number) {
            (TargetRole::AuthorizationServer, _) => vec![(target.role, 0)],
            (role, Some(number)) => vec![(role, number.get())],
            (role, None) => (1..=self.resource_servers).map(|number| (role, number)).collect(),
        }
    }
}

/// Only what happens in the measured time of a trial of known length can be told apart from what is usual.
fn ensure_in_time(file: &ScenarioFile, at: Span) -> Result<(), String> {
    let load = &file.scenario.load;
    if load.search.is_some() {
        return Err(
            "a search looks for the rate at which servers are steady, which disturbed ones are not; leave \
                    [[event]] away, or load.search"
                .to_owned(),
        );
    }
    if load.requests.is_some() {
        return Err(
            "a load that ends by count may end before something is done; leave load.requests away".to_owned()
        );
    }
    if at.duration() >= load.duration.duration() {
        return Err(format!(
            "{at} is not within the measured time, which is load.duration = {}; choose an earlier `at`, or measure for longer",
            load.duration
        ));
    }
    if at < BEFORE {
        return Err(format!(
            "{at} is too early: disturbed time is compared with the time before the first event, which must be at least {BEFORE} of undisturbed \
             servers; choose a later `at`"
        ));
    }
    Ok(())
}

/// What has been done to each server until now.
#[derive(Default)]
struct Course {
    conditions: BTreeMap<Server, (Condition, Span)>,
    /// What something was done to at the latest instant.
    at_once: (Span, BTreeSet<Server>),
}

impl Course {
    fn take(
        &mut self,
        at: Span,
        intervention: Intervention,
        target: EventTarget,
        servers: &[Server],
    ) -> Result<(), String> {
        if self.at_once.0 != at {
            self.at_once = (at, BTreeSet::new());
        }
        if !servers.iter().all(|server| self.at_once.1.insert(*server)) {
            return Err(format!(
                "something else is done to the {target} at {at} too, and nobody could tell what comes first; choose another `at`"
            ));
        }
        for server in servers {
            let (condition, since) =
                self.conditions.get(server).copied().unwrap_or((Condition::Runs, Span::default()));
            let after = next(condition, intervention)
                .ok_or_else(|| impossible(condition, since, intervention, target))?;
            self.conditions.insert(*server, (after, at));
        }
        Ok(())
    }
}

/// In which condition a server is afterwards; `None` if that cannot be done to it.
fn next(condition: Condition, intervention: Intervention) -> Option<Condition> {
    match (condition, intervention) {
        (Condition::Runs | Condition::Paused, Intervention::Kill) => Some(Condition::Down),
        (Condition::Down, Intervention::Start) | (Condition::Paused, Intervention::Resume) => {
            Some(Condition::Runs)
        }
        (Condition::Runs, Intervention::Pause) => Some(Condition::Paused),
        _ => None,
    }
}

fn impossible(condition: Condition, since: Span, intervention: Intervention, target: EventTarget) -> String {
    let needs = match intervention {
        Intervention::Start => "only what was killed can be started",
        Intervention::Resume => "only what is paused can go on",
        Intervention::Kill | Intervention::Pause => "start it before, or leave this event away",
    };
    match condition {
        Condition::Runs => format!("the {target} runs then; {needs}"),
        Condition::Down => format!("the {target} is down since {since}; {needs}"),
        Condition::Paused if intervention == Intervention::Pause => {
            format!("the {target} is paused since {since}; let it `resume` before, or leave this event away")
        }
        Condition::Paused => format!("the {target} is paused since {since}; let it `resume`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Trial};

    const CASE: &str = "question = \"?\"\n[load]\nrate = 1\nduration = \"10s\"\nwarmup = \"2s\"\nresource_servers = 2\n\
                        [[subject]]\narchitecture = \"none\"\n";

    fn planned(more: &str, cores: &[u32]) -> Result<Plan, String> {
        let file = ScenarioFile::parse("case.toml".to_owned(), &format!("{CASE}{more}"), &[])
            .map_err(|error| error.to_string())?;
        Plan::decide(&file, &[], cores).map_err(|error| error.to_string())
    }

    /// Events of `at`, what, whom.
    fn events(written: &[(&str, &str, &str)]) -> String {
        let event = |(at, what, whom): &(&str, &str, &str)| {
            format!("[[event]]\nat = \"{at}\"\n{what} = \"{whom}\"\n")
        };
        written.iter().map(event).collect()
    }

    #[track_caller]
    fn refused(written: &[(&str, &str, &str)], words: &[&str]) {
        let problem = planned(&events(written), &[0, 1]).unwrap_err();
        for word in words {
            assert!(problem.contains(word), "{word:?} is not in {problem:?}");
        }
    }

    #[test]
    fn events_count_from_the_beginning_of_the_measured_time_and_are_the_same_in_every_trial() {
        let (kill, start) = (("4s", "kill", "authorization-server"), ("7s", "start", "authorization-server"));
        let plan = planned(&events(&[start, kill]), &[0, 1]).unwrap();
        let told = |trial: &Trial| {
            let done = trial.workload.timeline.interventions();
            done.map(|(due, what, whom)| format!("{} {} {whom}", due.seconds(), what.name()))
                .collect::<Vec<_>>()
        };
        assert!(plan.trials.len() > 1);
        for trial in &plan.trials {
            assert_eq!(told(trial), ["6 kill authorization-server", "9 start authorization-server"]);
        }
        assert!(plan.brief().trials.iter().all(|trial| told(trial).is_empty()));
    }

    #[test]
    fn an_event_that_cannot_happen_is_told_with_its_line() {
        let server = "authorization-server";
        refused(
            &[("10s", "kill", server)],
            &["case.toml:10: event[0].at", "10s is not within", "load.duration = 10s"],
        );
        refused(&[("500ms", "kill", server)], &["at least 1s of undisturbed"]);
        refused(
            &[("2s", "kill", "authorisation-server")],
            &["case.toml:11", "did you mean \"authorization-server\"?"],
        );
        refused(&[("2s", "kill", "gateway")], &["case.toml:11: event[0].kill", "no subject has a gateway"]);
        refused(&[("2s", "kill", "resource-server 3")], &["there is no resource-server 3", "one of 1 to 2"]);
        let problem = planned("[[event]]\nat = \"2s\"\n", &[0, 1]).unwrap_err();
        assert!(problem.contains("case.toml:9: event[0]: nothing is done"), "{problem}");
        let both = "[[event]]\nat = \"2s\"\nkill = \"gateway\"\nstart = \"gateway\"\n";
        let problem = planned(both, &[0, 1]).unwrap_err();
        assert!(problem.contains("case.toml:12: event[0].start: `kill` and `start` exclude"), "{problem}");
    }

    #[test]
    fn what_the_condition_of_a_server_does_not_allow_is_refused() {
        let (whole, first, server) = ("resource-server", "resource-server 1", "authorization-server");
        refused(&[("2s", "start", server)], &["event[0].start", "runs then", "only what was killed"]);
        refused(&[("2s", "resume", server)], &["event[0].resume", "only what is paused"]);
        refused(&[("2s", "kill", server), ("3s", "kill", server)], &["case.toml:14", "is down since 2s"]);
        refused(&[("2s", "pause", server), ("3s", "pause", server)], &["is paused since 2s"]);
        refused(&[("2s", "pause", server), ("3s", "start", server)], &["let it `resume`"]);
        refused(&[("3s", "pause", first), ("2s", "kill", whole)], &["event[0].pause", "is down since 2s"]);
        refused(&[("2s", "kill", first), ("2s", "pause", whole)], &["at 2s too", "choose another `at`"]);
        planned(&events(&[("2s", "kill", first), ("2s", "pause", "resource-server 2")]), &[0, 1]).unwrap();
        planned(
            &events(&[("2s", "pause", server), ("3s", "kill", server), ("4s", "start", server)]),
            &[0, 1],
        )
        .unwrap();
    }

    #[test]
    fn one_of_those_that_share_a_process_is_not_killed_alone() {
        let many = "[[event]]\nat = \"2s\"\nkill = \"resource-server 1\"\n";
        let text = CASE.replace("resource_servers = 2", "resource_servers = 50");
        let file = ScenarioFile::parse("case.toml".to_owned(), &format!("{text}{many}"), &[]).unwrap();
        let problem = Plan::decide(&file, &[], &[0, 1]).unwrap_err().to_string();
        assert!(problem.contains("shares its process"), "{problem}");
        let all = many.replace(" 1\"", "\"");
        let file = ScenarioFile::parse("case.toml".to_owned(), &format!("{text}{all}"), &[]).unwrap();
        Plan::decide(&file, &[], &[0, 1]).unwrap();
    }

    #[test]
    fn a_load_without_a_length_of_its_own_has_no_events() {
        for (key, problem) in
            [("search = \"p(99)<5ms\"", "a search looks"), ("requests = 5", "ends by count")]
        {
            let text = CASE.replace("duration", &format!("{key}\nduration")) + "[revocation]\ntokens = 0\n";
            let text = text + &events(&[("2s", "kill", "authorization-server")]);
            let text =
                if key.starts_with("search") { text.replace("rate = 1\n", "rate = 100\n") } else { text };
            let file = ScenarioFile::parse("case.toml".to_owned(), &text, &[]).unwrap();
            let found = Plan::decide(&file, &[], &[0, 1]).unwrap_err().to_string();
            assert!(found.contains(problem), "{found}");
        }
    }
}
