use proptest::prelude::*;

use super::*;

type Event = super::Event<String>;

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Start),
        2 => Just(Event::WarmUp),
        4 => Just(Event::Measure),
        4 => Just(Event::LoadEnded),
        4 => Just(Event::Drained),
        4 => Just(Event::Cleaned),
        1 => Just(Event::End(Verdict::Failed("broken".to_owned()))),
        1 => Just(Event::End(Verdict::Cancelled)),
        1 => Just(Event::End(Verdict::Interrupted)),
    ]
}

/// How far along the path a state is; every event must lead forward.
fn rank(state: State) -> u8 {
    match state {
        State::Queued => 0,
        State::Deploying => 1,
        State::WarmingUp => 2,
        State::Running => 3,
        State::Draining => 4,
        State::Cleaning => 5,
        State::Succeeded | State::Failed | State::Cancelled | State::Interrupted => 6,
    }
}

proptest! {
    #[test]
    fn any_events_lead_forward_and_the_first_verdict_holds(events in proptest::collection::vec(event(), 0..40)) {
        let mut machine = Machine::default();
        let mut first_verdict = None;
        let mut cleaned = false;
        for event in events {
            let before = machine.clone();
            match machine.apply(event.clone()) {
                Ok(()) => {
                    prop_assert!(rank(machine.state()) >= rank(before.state()));
                    if let Event::End(verdict) = event {
                        first_verdict.get_or_insert(verdict);
                    }
                    cleaned |= before.state() == State::Cleaning && machine.state().is_terminal();
                }
                Err(_) => prop_assert_eq!(&machine, &before, "a refused event changes nothing"),
            }
            prop_assert!(!before.state().is_terminal() || machine == before, "nothing follows a terminal state");
        }
        if machine.state().is_terminal() {
            let expected = first_verdict.as_ref().map_or(State::Succeeded, Verdict::state);
            prop_assert_eq!(machine.state(), expected);
            let never_deployed = machine.state() != State::Succeeded && !cleaned;
            prop_assert!(cleaned || never_deployed);
        }
    }
}

fn states(events: Vec<Event>) -> Vec<State> {
    let mut machine = Machine::default();
    events
        .into_iter()
        .map(|event| {
            machine.apply(event).expect("the event can happen");
            machine.state()
        })
        .collect()
}

#[test]
fn the_states_of_a_run_that_succeeds() {
    use super::Event::{Cleaned, Drained, LoadEnded, Measure, Start, WarmUp};
    assert_eq!(
        states(vec![Start, WarmUp, Measure, LoadEnded, Drained, Cleaned]),
        [State::Deploying, State::WarmingUp, State::Running, State::Draining, State::Cleaning, State::Succeeded]
    );
}

#[test]
fn a_queued_run_is_cancelled_at_once_and_any_other_is_cleaned_first() {
    let cancel = || Event::End(Verdict::Cancelled);
    assert_eq!(states(vec![cancel()]), [State::Cancelled]);
    assert_eq!(
        states(vec![Event::Start, cancel(), cancel(), Event::Cleaned]),
        [State::Deploying, State::Cleaning, State::Cleaning, State::Cancelled]
    );
}

#[test]
fn the_reason_is_that_of_the_first_verdict() {
    let mut machine = Machine::default();
    for event in [
        Event::Start,
        Event::End(Verdict::Failed("no room".to_owned())),
        Event::End(Verdict::Cancelled),
        Event::Cleaned,
    ] {
        machine.apply(event).expect("the event can happen");
    }
    assert_eq!((machine.state(), machine.reason().as_str()), (State::Failed, "no room"));
}
