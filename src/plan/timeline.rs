//! What is done to the servers of a trial while they are measured, and when.

use crate::scenario::{EventTarget, Intervention};
use crate::units::Offset;

/// Everything that is done, in the order in which it is due: the same for every subject of a repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    events: Vec<PlannedEvent>,
}

/// Something that is done at an instant of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedEvent {
    /// When it is due.
    pub due: Offset,
    /// What is done.
    pub what: PlannedAction,
}

/// What is done. A new kind of event is a variant here, a key of [`ScenarioEvent`](crate::scenario::ScenarioEvent), what the test bed
/// does for it, and how it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedAction {
    /// A token under revocation test is revoked: the one with this number.
    Revoke(u32),
    /// Something is done to servers.
    Intervene(Intervention, EventTarget),
}

impl Timeline {
    /// A timeline of these revocations, in order, one token each.
    pub fn of_revocations(instants: Vec<Offset>) -> Self {
        let mut timeline = Self::default();
        timeline.revoke_at(instants);
        timeline
    }

    /// Every event.
    pub fn events(&self) -> &[PlannedEvent] {
        &self.events
    }

    /// When tokens are revoked, in order.
    pub fn revocations(&self) -> impl Iterator<Item = Offset> {
        let revoked = self.events.iter().filter(|event| matches!(event.what, PlannedAction::Revoke(_)));
        revoked.map(|event| event.due)
    }

    /// How many tokens are revoked.
    pub fn revocation_count(&self) -> usize {
        self.revocations().count()
    }

    /// What is done to servers, in order.
    pub fn interventions(&self) -> impl Iterator<Item = (Offset, Intervention, EventTarget)> {
        self.events.iter().filter_map(|event| match event.what {
            PlannedAction::Intervene(intervention, target) => Some((event.due, intervention, target)),
            PlannedAction::Revoke(_) => None,
        })
    }

    /// Has tokens revoked at these instants, in order, and at no others.
    pub(super) fn revoke_at(&mut self, instants: Vec<Offset>) {
        self.events.retain(|event| !matches!(event.what, PlannedAction::Revoke(_)));
        let revoked = (0..).zip(instants).map(|(number, due)| (due, PlannedAction::Revoke(number)));
        self.add(revoked);
    }

    /// Adds events.
    pub(super) fn add(&mut self, events: impl IntoIterator<Item = (Offset, PlannedAction)>) {
        self.events.extend(events.into_iter().map(|(due, what)| PlannedEvent { due, what }));
        // Stable: what is written first is done first.
        self.events.sort_by_key(|event| event.due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Offset {
        Offset::from_nanos(second * 1_000_000_000)
    }

    #[test]
    fn revocations_and_what_is_done_to_servers_are_one_timeline_in_order() {
        let mut timeline = Timeline::of_revocations(vec![at(2), at(6)]);
        let target = "authorization-server".parse().unwrap();
        let actions = [(5, Intervention::Kill), (7, Intervention::Start)];
        timeline.add(actions.map(|(second, what)| (at(second), PlannedAction::Intervene(what, target))));
        let order: Vec<u64> =
            timeline.events().iter().map(|event| event.due.nanos() / 1_000_000_000).collect();
        assert_eq!(order, [2, 5, 6, 7]);
        assert_eq!(timeline.revocations().collect::<Vec<_>>(), [at(2), at(6)]);
        assert_eq!(timeline.events()[2].what, PlannedAction::Revoke(1));
        timeline.revoke_at(vec![at(9)]);
        assert_eq!((timeline.revocation_count(), timeline.interventions().count()), (1, 2));
        assert_eq!(timeline.events()[2].what, PlannedAction::Revoke(0), "revoked tokens are counted anew");
    }
}
