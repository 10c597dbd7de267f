//! How far real functions are from those of a trace.

use loader_trace::proxy::{Errors, Mapping};
use serde_json::{Value, json};

use super::table::{Rows, figures};
use super::units::{known, percent};

/// A table of errors.
pub(crate) fn mapping(mapping: &Mapping) -> String {
    let Mapping { choices, unmapped, runtime, memory, runtime_error_ms, memory_error_mib } = mapping;
    let rows: Rows = [
        ("run time, by functions", runtime.map(|errors| errors.by_function)),
        ("run time, by invocations", runtime.map(|errors| errors.by_invocation)),
        ("memory, by functions", memory.map(|errors| errors.by_function)),
        ("memory, by invocations", memory.map(|errors| errors.by_invocation)),
    ]
    .into_iter()
    .map(|(name, errors)| {
        let cells = (0..3).map(|place| known(errors, |errors| percent(errors[place])));
        std::iter::once(name.to_owned()).chain(cells).collect()
    })
    .collect();
    let table = figures(&["ERROR OF MEDIANS", "MEAN", "P50", "P95"], rows);
    let absolute = format!(
        "mean absolute errors: {}, {}",
        known(*runtime_error_ms, |ms| format!("{ms:.3} ms")),
        known(*memory_error_mib, |mib| format!("{mib:.3} MiB"))
    );
    format!("{table}\n{absolute}\n{} functions have a real one, {unmapped} have none\n", choices.len() - unmapped)
}

/// The same as JSON; what is not known is null.
pub(crate) fn mapping_json(mapping: &Mapping) -> Value {
    let Mapping { choices, unmapped, runtime, memory, runtime_error_ms, memory_error_mib } = mapping;
    let of = |[mean, p50, p95]: [f64; 3]| json!({ "mean": mean, "p50": p50, "p95": p95 });
    let errors = |errors: Option<Errors>| {
        errors.map(|errors| json!({ "byFunction": of(errors.by_function), "byInvocation": of(errors.by_invocation) }))
    };
    json!({
        "functions": choices.len(),
        "unmapped": unmapped,
        "runtime": errors(*runtime),
        "memory": errors(*memory),
        "runtimeErrorMs": runtime_error_ms,
        "memoryErrorMib": memory_error_mib,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_functions_and_invocations() {
        let errors = Errors { by_function: [0.25, 0.0, 0.5], by_invocation: [0.125, 0.0, 0.5] };
        let found = Mapping {
            choices: Vec::new(),
            unmapped: 0,
            runtime: Some(errors),
            memory: None,
            runtime_error_ms: Some(5.0),
            memory_error_mib: None,
        };
        insta::assert_snapshot!(mapping(&found), @r"
        ERROR OF MEDIANS            MEAN    P50     P95
        run time, by functions    25.0 %  0.0 %  50.0 %
        run time, by invocations  12.5 %  0.0 %  50.0 %
        memory, by functions           –      –       –
        memory, by invocations         –      –       –

        mean absolute errors: 5.000 ms, –
        0 functions have a real one, 0 have none
        ");
        assert_eq!(mapping_json(&found)["memory"], Value::Null);
    }
}
