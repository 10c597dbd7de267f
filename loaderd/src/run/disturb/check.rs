//! What is wrong with disturbances by the daemon's configuration and by the plan.

use crate::{
    plan::Outline,
    platform::Platform,
    spec::{RunSpec, Violation},
};

/// The faults of a run's disturbances: a platform that is not disturbed by this daemon, and those that are due after the load.
pub(in crate::run) fn check(spec: &RunSpec, outline: &Outline, platform: Option<&dyn Platform>) -> Vec<Violation> {
    if spec.disturbances.is_empty() {
        return Vec::new();
    }
    let refusal = match platform.map(|platform| platform.disturb()) {
        Some(Some(disturb)) => disturb.refusal(),
        // A platform that this daemon does not have fails the run elsewhere.
        Some(None) | None => None,
    };
    let refused = refusal.map(|reason| Violation::new("disturb", reason));
    let length = (!outline.open_ended && !outline.waits).then(|| outline.duration());
    let late = spec.disturbances.iter().enumerate().filter_map(|(index, disturbance)| {
        let length = length.filter(|length| disturbance.at >= *length)?;
        let [at, length] = [disturbance.at, length].map(humantime::format_duration);
        Some(Violation::new(
            format!("disturb[{index}].at"),
            format!("is {at}; must be before the end of the load, {length}"),
        ))
    });
    refused.into_iter().chain(late).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        plan::{SlotOutline, validate},
        platform::fake::FakePlatform,
        spec::Defaults,
    };

    #[test]
    fn a_refusal_and_what_is_due_after_the_load_are_found_at_once() {
        let text = "{rps: {}, disturb: [{at: 5s, do: killInstances}, {at: 10s, do: killInstances}]}";
        let (message, _) = loader_proto::json::from_yaml(text);
        let spec = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid").run;
        let slot = SlotOutline {
            invocations: 10,
            duration: Duration::from_secs(10),
            rate: 1.0,
            concurrency: 1.0,
            memory_mib: 1.0,
        };
        let outline = Outline { slots: vec![slot], ..Outline::default() };
        let faults = |outline: &Outline, platform: &FakePlatform| -> Vec<_> {
            check(&spec, outline, Some(platform)).iter().map(ToString::to_string).collect()
        };
        let [may, must_not] = [None, Some("set x.disturb")].map(|it| FakePlatform::new("fake").disturbed(it));
        let late = "disturb[1].at: is 10s; must be before the end of the load, 10s";
        assert_eq!(faults(&outline, &may), [late]);
        assert_eq!(faults(&outline, &must_not), ["disturb: set x.disturb", late]);
        for unknown in [Outline { open_ended: true, ..outline.clone() }, Outline { waits: true, ..outline }] {
            assert_eq!(faults(&unknown, &may), [""; 0]);
        }
    }
}
