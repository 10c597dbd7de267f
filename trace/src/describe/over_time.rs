//! What the functions of a trace make together over its time.

use super::function::FunctionFigures;
use crate::trace::Trace;

/// What all functions make together in each unit.
#[derive(Debug, Clone, PartialEq)]
pub struct OverTime {
    /// Invocations.
    pub invocations: Vec<f64>,
    /// Mean of the invocations under way; none where a run time is unknown.
    pub concurrency: Option<Vec<f64>>,
    /// Mean of their memory in MiB; none where a run time or a memory is unknown.
    pub memory_mib: Option<Vec<f64>>,
}

impl OverTime {
    /// That of `trace`, whose functions have these figures.
    pub fn of(trace: &Trace, figures: &[FunctionFigures]) -> Self {
        let unit_ms = trace.unit.as_secs_f64() * 1000.0;
        let [mut invocations, mut busy, mut memory] = [(); 3].map(|()| vec![0.0; trace.units]);
        for (function, figures) in trace.functions.iter().zip(figures) {
            let busy_each = figures.runtime_ms.unwrap_or_default() / unit_ms;
            let memory_each = busy_each * figures.memory_mib.unwrap_or_default();
            function.load.each_active(|unit, count| {
                if unit < trace.units {
                    invocations[unit] += f64::from(count);
                    busy[unit] += f64::from(count) * busy_each;
                    memory[unit] += f64::from(count) * memory_each;
                }
            });
        }
        let all_have = |of: &dyn Fn(&FunctionFigures) -> bool| figures.iter().all(of);
        let has_runtime = all_have(&|figures| figures.runtime_ms.is_some());
        let has_memory = has_runtime && all_have(&|figures| figures.memory_mib.is_some());
        Self { invocations, concurrency: has_runtime.then_some(busy), memory_mib: has_memory.then_some(memory) }
    }
}
