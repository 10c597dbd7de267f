//! How often series of known nature are found steady: `cargo run --release --example steady_state [RATE] [SERIES]`.
//!
//! A line for each kind, of SERIES (default 200) series of ten minutes with RATE (default 10) values a second: the share found steady within
//! three windows; the share found steady before they were, where the kind is not steady from the start; and the bound for
//! either. Ends with code 1 where a bound is missed.

use std::{env, process::ExitCode, time::Duration};

use loaderd::steady::{
    Looks,
    series::{KINDS, Series, UNSTEADY},
};

/// The look at which a series was found steady, and when its window began.
fn settled(series: &Series) -> Option<(u32, Duration)> {
    let mut looks = Looks::over(series.length());
    let mut made = 0;
    for now in (1..=series.length().as_secs()).map(Duration::from_secs) {
        let begin = looks.window();
        let window = series.between(begin, now);
        if looks.is_due(now, window.len()) {
            made += 1;
            if looks.look(now, window).is_steady() {
                return Some((made, begin));
            }
        }
    }
    None
}

#[expect(clippy::print_stdout, reason = "its purpose")]
fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let rate = arguments.next().and_then(|rate| rate.parse().ok()).unwrap_or(10.0);
    let count: u32 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(200);
    println!("| series | found steady within three windows | found steady too early | bound | met |");
    println!("| --- | --- | --- | --- | --- |");
    let mut all_met = true;
    for kind in KINDS {
        let (mut within, mut early) = (0, 0);
        for seed in 0..u64::from(count) {
            let series = Series::of(kind, seed, rate);
            if let Some((look, begin)) = settled(&series) {
                within += u32::from(look <= 3);
                early += u32::from(!series.has_settled_at(begin));
            }
        }
        let percent = |part: u32| 100.0 * f64::from(part) / f64::from(count);
        let unsteady = UNSTEADY.contains(&kind);
        let met = if unsteady { percent(early) <= 5.0 } else { percent(within) >= 90.0 };
        all_met &= met;
        let (within, early, bound) = if unsteady {
            ("–".to_owned(), format!("{:.1} %", percent(early)), "≤ 5 % too early")
        } else {
            (format!("{:.1} %", percent(within)), "–".to_owned(), "≥ 90 % within three")
        };
        println!("| {kind} | {within} | {early} | {bound} | {} |", if met { "yes" } else { "no" });
    }
    if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
