//! Files of published data sets in which there is nothing to replay: what to say of them.

use super::header::Header;
use super::problem::Problem;
use super::tags::Tags;

/// Folders of Huawei's data set of 2023 that are read only beside its requests.
const BESIDE_REQUESTS: [&str; 7] =
    ["function_delay", "platform_delay", "cpu_usage", "memory_usage", "cpu_limit", "memory_limit", "instances"];

/// Why a file of a known data set is not replayed; none of other files.
pub(super) fn problem(tags: &Tags, header: &Header) -> Option<Problem> {
    let (what, advice) = if header.has(&["totalCost_cold_start"]) || header.has(&["createinstancecost"]) {
        ("cold starts, not requests", "of Huawei 2025 the request tables can be replayed")
    } else if header.has(&["functionName", "latency"]) || header.has(&["functionName", "latency", "memoryMB"]) {
        (
            "cold starts, not requests",
            "of Alibaba's data sets the requests of cluster-trace-v2026-GenAI can be replayed",
        )
    } else if header.has(&["day", "time"]) && BESIDE_REQUESTS.iter().any(|folder| tags.folder.starts_with(folder)) {
        ("what functions took, not how often they were invoked", "name the folder that has requests_minute too")
    } else if header.any(|name| name.starts_with("percentile_Average_")) {
        ("run times, not invocations", "name the folder, or the table of invocations")
    } else if header.any(|name| name.starts_with("AverageAllocatedMb_pct")) {
        ("memory, not invocations", "name the folder, or the table of invocations")
    } else if header.has(&["warm_dur_ms"]) {
        ("functions, not invocations", "name the folder, or the table of invocations")
    } else {
        return None;
    };
    Some(Problem::NoRequests { what, advice })
}
