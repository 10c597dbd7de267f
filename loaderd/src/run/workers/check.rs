//! What is wrong with a run's workers by its platform, and by the bound of the memory in flight.

use crate::{
    plan::PlannedFunction,
    platform::Platform,
    spec::{RunSpec, Violation},
};

/// The faults of a run's workers: a platform that starts none for this daemon, and a bound of the memory in
/// flight of which a part is less than an invocation asks for.
pub(in crate::run) fn check(
    spec: &RunSpec,
    functions: &[PlannedFunction],
    platform: Option<&dyn Platform>,
) -> Vec<Violation> {
    // A platform that this daemon does not have fails the run elsewhere.
    let (Some(workers), Some(platform)) = (&spec.workers, platform) else { return Vec::new() };
    let refusal = match platform.workers() {
        Some(workers) => workers.refusal(),
        None => Some(format!("platform {} starts no workers: leave them out", platform.name())),
    };
    let count = workers.count;
    let refused = refusal.map(|reason| Violation::new("workers", reason));
    let peak = functions.iter().map(|function| function.peak_memory_mib).max().unwrap_or_default();
    let small = spec.max_memory_in_flight_mib.filter(|bound| bound / count < peak).map(|bound| {
        let least = u64::from(peak) * u64::from(count);
        let description = format!(
            "is {bound} MiB, which {count} workers share; an invocation may ask for {peak} MiB: give at least {least} MiB"
        );
        Violation::new("maxMemoryInFlight", description)
    });
    refused.into_iter().chain(small).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::validate,
        platform::fake::{FakePlatform, FakeWorkers},
        spec::Defaults,
    };

    fn faults(text: &str, platform: &FakePlatform) -> Vec<String> {
        let (message, _) = loader_proto::json::from_yaml(text);
        let request = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid");
        let plan = request.plan(None).expect("a plan");
        let faults = check(&request.run, plan.functions(), Some(platform));
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn workers_need_a_platform_that_starts_them_and_room_for_each() {
        let (without, with) =
            (FakePlatform::new("fake"), FakePlatform::new("fake").with_workers(FakeWorkers::default()));
        let spec = "{rps: {memoryMib: 100}, workers: {count: 4}}";
        assert_eq!(faults(spec, &without), ["workers: platform fake starts no workers: leave them out"]);
        let refusing = FakePlatform::new("fake").with_workers(FakeWorkers::refused("set [workers] listen"));
        assert_eq!(faults(spec, &refusing), ["workers: set [workers] listen"]);
        assert_eq!(faults(spec, &with), Vec::<String>::new());
        assert_eq!(faults("{rps: {}}", &without), Vec::<String>::new());
        let narrow = "{rps: {memoryMib: 100}, workers: {count: 4}, maxMemoryInFlight: 399}";
        let small = "maxMemoryInFlight: is 399 MiB, which 4 workers share; an invocation may ask for 100 MiB: \
                     give at least 400 MiB";
        assert_eq!(faults(narrow, &with), [small]);
    }
}
