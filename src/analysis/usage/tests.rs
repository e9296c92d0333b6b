//! What is read from the looks at nodes.

use std::time::Duration;

use crate::analysis::{Gravity, analyse, synthetic};
use crate::design::Design;
use crate::metric::MetricId;
use crate::observation::{BadTokens, Node, REVOKED, Recording, Role};

#[test]
fn keys_that_are_fetched_again_do_not_contradict_the_oracle() {
    let mut recording = synthetic::recording(3);
    let count = |recording: &mut Recording, name: &str| {
        let last = recording.nodes[1].looks.last_mut().unwrap();
        *last.counters.entry(name.to_owned()).or_default() += 500;
    };
    count(&mut recording, "/jwks");
    let analysis = analyse(&[recording.clone()]);
    assert_eq!(analysis.gravity(), Some(Gravity::Note), "{:?}", analysis.subjects[0].checks);
    count(&mut recording, "/introspect");
    assert_eq!(analyse(&[recording]).gravity(), Some(Gravity::Doubtful));
}

#[test]
fn what_the_program_used_beside_its_generators_is_a_share_of_the_cores_of_the_servers() {
    let mut recording = synthetic::recording(1);
    let share = |recording: &Recording| {
        let estimates = analyse(std::slice::from_ref(recording)).subjects.remove(0).estimates;
        estimates.get(&MetricId::GeneratorBeside).map(|estimate| (estimate.point * 1e3).round())
    };
    // 2.3 s of ten are those of the generator.
    let looks = &mut recording.nodes[0].looks;
    let count = looks.len() as u64;
    for (look, number) in looks.iter_mut().zip(0..) {
        look.cpu_nanos = 400_000_000 + 2_600_000_000 * number / (count - 1);
    }
    assert_eq!(share(&recording), Some(30.0));
    recording.environment.cores.servers = vec![1, 2];
    assert_eq!(share(&recording), Some(15.0));
    recording.load.as_mut().unwrap().generator_cpu_nanos = 3_000_000_000;
    assert_eq!(share(&recording), Some(0.0), "counters that are not read in the same instant");
    recording.nodes[0].looks.clear();
    assert_eq!(share(&recording), None);
}

#[test]
fn who_polls_a_filter_may_ask_about_what_it_holds() {
    let mut recording = synthetic::recording(3);
    *recording.nodes[1].looks.last_mut().unwrap().counters.get_mut("/introspect").unwrap() += 500;
    let polling = recording.subject.design.polling(Duration::from_secs(5));
    for (authenticates, contradictions) in [(false, 1), (true, 0)] {
        recording.subject.design = Design { authenticates, ..polling };
        let checks = analyse(&[recording.clone()]).subjects.remove(0).checks;
        let about_introspections = checks.iter().filter(|check| check.quantity.starts_with("introspections"));
        let contradicted = about_introspections.filter(|check| check.agreement.is_contradiction()).count();
        assert_eq!(contradicted, contradictions, "{authenticates}");
    }
}

/// It uses what the authorization server does, and has 5 MB for the tokens beside 4 MB of its own.
fn store(authorization: Node) -> Node {
    let mut store = Node { name: "redis".to_owned(), role: Role::Store, ..authorization };
    store.resident_before_tokens = Some(4_000_000);
    for look in &mut store.looks {
        (look.resident_bytes, look.counters) = (9_000_000, std::collections::BTreeMap::new());
    }
    store
}

#[test]
fn memory_is_told_for_all_tokens_that_a_store_keeps_and_for_no_few() {
    let mut recording = synthetic::recording(1);
    recording.nodes.push(store(recording.nodes[1].clone()));
    let watched = recording.revocations().count() as u64;
    assert!(watched > 0);
    let memory = |recording: &Recording| {
        let estimates = analyse(std::slice::from_ref(recording)).subjects.remove(0).estimates;
        estimates.get(&MetricId::StoreMemory).map(|memory| memory.point.round())
    };
    let bad =
        |kind: &str, are_active| BadTokens { kind: kind.to_owned(), weight: 1, are_active, unreadable: 0 };
    let not_kept = ["expired", "garbage", "tampered", "unknown"].map(|kind| bad(kind, false));
    let kept = [bad("wrong audience", true), bad(REVOKED, false)];
    recording.workload.bad_tokens = [&not_kept[..], &kept[..]].concat();
    recording.workload.bad_tokens_per_kind = 2_000;
    recording.workload.live_tokens = 6_000 - watched;
    assert_eq!(memory(&recording), Some(5e8), "5 MB for 10,000");
    recording.workload.live_tokens -= 1;
    assert_eq!(memory(&recording), None, "one less is too few");
    recording.workload.bad_tokens_per_kind = 7_000;
    recording.workload.live_tokens = 6_000 - watched;
    assert_eq!(memory(&recording), Some(2.5e8), "5 MB for 20,000");
    recording.workload.bad_tokens = not_kept.to_vec();
    assert_eq!(memory(&recording), None, "it keeps none of 28,000");
}

#[test]
fn what_keeps_the_tokens_costs_what_it_used_for_the_requests_and_took_for_the_tokens() {
    let without = synthetic::recording(1);
    let authorization = without.nodes[1].clone();
    let mut with = without.clone();
    with.nodes.push(store(authorization));
    // Of the bad ones it keeps those for another audience, and all under revocation test.
    let tokens = (with.workload.live_tokens + 20 + with.revocations().count() as u64) as f64;
    let [without, with] = [without, with].map(|recording| analyse(&[recording]).subjects.remove(0).estimates);
    let cpu = [MetricId::StoreCpu, MetricId::CpuAuthorizationServer].map(|metric| with[&metric].point);
    assert!((cpu[0] - cpu[1]).abs() < 1e-9, "{cpu:?}");
    let memory = with[&MetricId::StoreMemory].point;
    assert!((memory - 5e6 / tokens * 1e6).abs() < 1.0, "{memory}");
    for metric in [MetricId::StoreCpu, MetricId::StoreMemory] {
        assert!(!without.contains_key(&metric), "absent, not 0");
    }
    let resource = [&without, &with].map(|estimates| estimates[&MetricId::CpuResourceServer].point);
    assert!((resource[0] - resource[1]).abs() < 1e-12, "{resource:?}");
}

#[test]
fn a_node_that_was_down_and_started_again_counts_for_both_its_lives() {
    let whole = synthetic::recording(1);
    let mut restarted = whole.clone();
    let looks = &mut restarted.nodes[1].looks;
    let first_life = looks[4].clone();
    looks.remove(5);
    for look in &mut looks[5..] {
        look.pid = Some(2_000);
        look.cpu_nanos -= first_life.cpu_nanos;
        for (name, count) in &mut look.counters {
            *count -= first_life.counters[name];
        }
    }
    looks[2].peak_bytes = 77_000_000;
    let [whole, restarted] =
        [whole, restarted].map(|recording| analyse(&[recording]).subjects.remove(0).estimates);
    for metric in [MetricId::Amplification, MetricId::CpuAuthorizationServer] {
        let (all, both) = (whole[&metric].point, restarted[&metric].point);
        assert!((all - both).abs() < 1e-9, "{metric}: {both}, not {all}");
    }
    assert!((restarted[&MetricId::MemoryAuthorizationServer].point - 77e6).abs() < 1.0);
}

#[test]
fn what_a_killed_server_counted_last_does_not_make_the_others_look_as_if_they_asked_more() {
    let mut recording = synthetic::recording(1);
    let peak = |recording: &Recording| {
        let estimates = analyse(std::slice::from_ref(recording)).subjects.remove(0).estimates;
        estimates[&MetricId::AmplificationPeak].point
    };
    assert!((peak(&recording) - 1.0).abs() < 0.05, "every request is a call: {}", peak(&recording));
    // One of two was killed before all were looked at for the fourth time, which was the last.
    recording.nodes.iter_mut().for_each(|node| node.looks.truncate(4));
    recording.nodes.iter_mut().find(|node| node.role.enforces()).unwrap().looks.truncate(3);
    assert!((peak(&recording) - 1.0).abs() < 0.05, "{}", peak(&recording));
    let mut recording = synthetic::recording(1);
    let server = recording.nodes.iter_mut().find(|node| node.role.enforces()).unwrap();
    // Here it was started again, and counts from 0.
    let killed = server.looks.remove(3);
    for look in &mut server.looks[3..] {
        look.pid = look.pid.map(|pid| pid + 1_000);
        look.cpu_nanos -= killed.cpu_nanos;
        for (name, count) in &mut look.counters {
            *count -= killed.counter(name);
        }
    }
    assert!((peak(&recording) - 1.0).abs() < 0.05, "{}", peak(&recording));
}
