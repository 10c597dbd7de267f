//! Uploaded traces, one a line.

use loader_proto::v1::{TraceStage, UploadedTrace};

use super::{
    table,
    units::{instant, mib},
};

const MIB: f64 = 1_048_576.0;

/// Traces, those that were used last first.
pub(crate) fn traces(traces: &[UploadedTrace]) -> String {
    if traces.is_empty() {
        return "no uploaded traces\n".to_owned();
    }
    let mut sorted: Vec<_> = traces.iter().collect();
    sorted.sort_by_key(|trace| std::cmp::Reverse(trace.last_used.map(|at| (at.seconds, at.nanos))));
    let rows = sorted.into_iter().map(|trace| {
        let stage = match trace.stage() {
            TraceStage::Complete => "complete",
            TraceStage::UnderWay => "under way",
            TraceStage::CutOff => "cut off",
            TraceStage::Unspecified => "",
        };
        vec![
            trace.trace_id.clone(),
            stage.to_owned(),
            size(trace.size),
            trace.client.clone(),
            instant(trace.last_used),
            expiry(trace),
            uses(trace),
        ]
    });
    table::text(&["TRACE", "STATE", "SIZE", "CLIENT", "LAST USED", "EXPIRES", "USED BY"], rows.collect())
}

/// Below a MiB in KiB, begun ones counted.
fn size(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{} KiB", bytes.div_ceil(1024)) } else { mib(bytes as f64 / MIB) }
}

/// A run that has not ended keeps it.
fn expiry(trace: &UploadedTrace) -> String {
    match trace.expires {
        Some(at) if trace.active_run_ids.is_empty() => instant(Some(at)),
        _ => "never".to_owned(),
    }
}

/// The runs that need it, by name while they are few; and how many have ended.
fn uses(trace: &UploadedTrace) -> String {
    let ended = match trace.ended_runs {
        0 => String::new(),
        1 => "1 ended run".to_owned(),
        count => format!("{count} ended runs"),
    };
    let active = match trace.active_run_ids.as_slice() {
        [] => String::new(),
        [first] => first.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    [active, ended].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn each_trace_has_its_state_its_end_and_what_uses_it() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let trace = |id: &str, stage: TraceStage, used, active: &[&str], ended_runs| UploadedTrace {
            trace_id: id.to_owned(),
            size: 3 << 20,
            stage: stage.into(),
            client: "ci".to_owned(),
            last_used: at(used),
            expires: at(used + 86_400),
            active_run_ids: active.iter().map(|run| (*run).to_owned()).collect(),
            ended_runs,
        };
        let unused = trace("aa", TraceStage::CutOff, 1_790_000_000, &[], 0);
        let used = trace("bb", TraceStage::Complete, 1_790_000_100, &["r1", "r2"], 2);
        insta::assert_snapshot!(traces(&[unused, used]), @"
        TRACE  STATE     SIZE   CLIENT  LAST USED             EXPIRES               USED BY
        bb     complete  3 MiB  ci      2026-09-21 14:15:00Z  never                 r1 and 1 more, 2 ended runs
        aa     cut off   3 MiB  ci      2026-09-21 14:13:20Z  2026-09-22 14:13:20Z
        ");
        assert_eq!(traces(&[]), "no uploaded traces\n");
        assert_eq!([0, 1, 4300, 1 << 20].map(size), ["0 KiB", "1 KiB", "5 KiB", "1 MiB"]);
    }
}
