//! Latency, service time, lag and arrivals are those of the server and the machine.

use crate::{alone, ask};

#[test]
fn known_service_times_are_read_back_to_2_percent_by_both_engines_which_agree() {
    let _alone = alone();
    ask("known service times");
}

#[test]
fn arrivals_at_the_server_follow_the_law_of_the_plan() {
    let _alone = alone();
    ask("arrivals");
}

#[test]
fn a_stalled_server_and_a_stopped_generator_cost_the_same_and_are_told_apart() {
    let _alone = alone();
    ask("whose pause it was");
}

#[test]
fn the_truth_is_read_back_while_generator_and_server_are_stopped_at_random() {
    let _alone = alone();
    ask("a disturbed machine");
}

#[test]
fn a_single_worker_with_a_queue_is_as_queueing_theory_has_it() {
    let _alone = alone();
    ask("queues");
}
