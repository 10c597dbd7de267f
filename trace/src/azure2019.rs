//! What was published of Azure Functions in 2019.
//!
//! Source: Shahrad et al., "Serverless in the Wild: Characterizing and Optimizing the Serverless Workload at a Large Cloud
//! Provider" (USENIX ATC 2020).

/// What invokes functions, by its name in the published files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trigger {
    /// As the files have it.
    pub name: &'static str,
    /// Percent of functions that it invokes.
    pub functions: f64,
    /// Percent of invocations that it makes.
    pub invocations: f64,
}

const fn trigger(name: &'static str, functions: f64, invocations: f64) -> Trigger {
    Trigger { name, functions, invocations }
}

/// All triggers. Source: figure 2.
pub const TRIGGERS: [Trigger; 7] = [
    trigger("http", 55.0, 35.9),
    trigger("queue", 15.2, 33.5),
    trigger("event", 2.2, 24.7),
    trigger("orchestration", 6.9, 2.3),
    trigger("timer", 15.6, 2.0),
    trigger("storage", 2.8, 0.7),
    trigger("others", 2.2, 1.0),
];

/// Share of apps that are invoked at most once an hour, on average. Source: section 3.3.
pub const HOURLY_SHARE: f64 = 0.45;
/// Share of apps that are popular: those invoked more than once a minute. Source: ibid.
pub const POPULAR_SHARE: f64 = 0.186;
/// Share of apps whose inter-arrival times vary more than a Poisson process's (coefficient of variation above 1).
/// Source: figure 6.
pub const VARYING_SHARE: f64 = 0.40;
/// Mean and standard deviation of the logarithm of a function's average run time in seconds. Source: figure 7.
pub const RUNTIME_LN: (f64, f64) = (-0.38, 2.36);
/// Burr XII distribution of an app's average memory in MB: shapes c and k, scale. Source: figure 8.
pub const MEMORY_BURR: (f64, f64, f64) = (11.652, 0.221, 107.083);

/// The memory in MB that a share `q` of apps does not exceed.
pub fn memory_quantile(q: f64) -> f64 {
    // Inverse of F(x) = 1 − (1 + (x/scale)^c)^−k.
    let (c, k, scale) = MEMORY_BURR;
    scale * ((1.0 - q).powf(-1.0 / k) - 1.0).powf(1.0 / c)
}

/// The average run time in seconds that a share `q` of functions does not exceed.
pub fn runtime_quantile(q: f64) -> f64 {
    let (mean, deviation) = RUNTIME_LN;
    (mean + deviation * normal(q)).exp()
}

/// The standard normal deviate that a share `q` (0 to 1, both excluded) does not exceed.
pub(crate) fn normal(q: f64) -> f64 {
    // The distribution function is erfc(−x/√2)/2; 60 halvings of 20 leave nothing of a double's precision.
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let share = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
        if share < q { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_are_those_of_the_tables() {
        for (q, deviate) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874), (0.999_9, 3.719_016_485)] {
            assert!((normal(q) - deviate).abs() < 1e-8, "at {q}");
        }
    }

    #[test]
    fn run_times_are_log_normal() {
        for (q, expected) in [(0.5, 0.683_861), (0.975, 69.791_7)] {
            assert!((runtime_quantile(q) / expected - 1.0).abs() < 1e-5, "at {q}: {}", runtime_quantile(q));
        }
    }
}
