//! Samples of a trace with their reports, and differences of traces.

use loader_trace::describe::FunctionFigures;
use loader_trace::edit::Difference;
use loader_trace::sample::{Chance, LoadFigures, Sample, Sampled};
use serde_json::{Value, json};

use super::table::{Rows, figures, text};
use super::units::{digits, known, mib, rate};

/// A table for the loads, and for each sample a table of its measures beside those of random samples.
pub(crate) fn samples(sampled: &Sampled) -> String {
    let all = std::iter::once(("the trace".to_owned(), &sampled.whole));
    let each = sampled.samples.iter().rev().map(|sample| (sample.functions.len().to_string(), &sample.load));
    let rows: Rows = all.chain(each).map(|(name, load)| load_cells(name, load)).collect();
    let header = ["FUNCTIONS", "INVOCATIONS", "MEAN RATE", "PEAK RATE", "BUSY CORES", "PEAK CORES", "MEMORY"];
    let mut out = figures(&header, rows);
    for sample in sampled.samples.iter().rev() {
        out.push_str(&format!("\n{} functions\n", sample.functions.len()));
        out.push_str(&figures(&["MEASURE", "SAMPLE", "RANDOM", "RANDOM 5-95 %", "BEST OF 16"], measures(sample)));
        out.push_str(&format!(
            "no sample of {} functions has a J below {}\n",
            sample.functions.len(),
            number(sample.distance.bound)
        ));
    }
    out
}

fn load_cells(name: String, load: &LoadFigures) -> Vec<String> {
    let LoadFigures { functions: _, invocations, peak_rate, mean_rate, cores, peak_cores, memory_mib } = *load;
    let rates = [rate(mean_rate), rate(peak_rate), digits(cores), digits(peak_cores), mib(memory_mib)];
    [name, invocations.to_string()].into_iter().chain(rates).collect()
}

fn measures(sample: &Sample) -> Rows {
    let none = String::new;
    let mut rows = vec![row("J", Some(sample.distance.j()), sample.chance)];
    for (name, value) in [
        ("J*", sample.j_star()),
        ("J by weights", sample.distance.weighted_j),
        ("W invocations", Some(sample.distance.invocations)),
        ("W resources", Some(sample.distance.resources)),
    ] {
        rows.push(vec![name.to_owned(), known(value, number), none(), none(), none()]);
    }
    for (finding, chance) in &sample.findings {
        let mut cells = row(finding.measure, finding.value, *chance);
        // The least of a bias, or of a share that is kept, is not the best.
        cells[4] = none();
        rows.push(cells);
    }
    rows
}

fn row(name: &str, value: Option<f64>, chance: Option<Chance>) -> Vec<String> {
    let of = |value: &dyn Fn(Chance) -> String| known(chance, value);
    vec![
        name.to_owned(),
        known(value, number),
        of(&|chance| number(chance.mean)),
        of(&|chance| format!("{} to {}", number(chance.p5), number(chance.p95))),
        of(&|chance| number(chance.best_of_16)),
    ]
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

/// The same as JSON; a value that is not known is null.
pub(crate) fn samples_json(sampled: &Sampled) -> Value {
    json!({
        "trace": load_json(&sampled.whole),
        "samples": sampled.samples.iter().map(sample_json).collect::<Vec<_>>(),
    })
}

fn sample_json(sample: &Sample) -> Value {
    let findings = sample.findings.iter().map(|(finding, chance)| {
        json!({ "measure": finding.measure, "value": finding.value, "random": chance.map(chance_json) })
    });
    json!({
        "functions": sample.functions.len(),
        "load": load_json(&sample.load),
        "j": sample.distance.j(),
        "jStar": sample.j_star(),
        "jByWeights": sample.distance.weighted_j,
        "jBound": sample.distance.bound,
        "wInvocations": sample.distance.invocations,
        "wResources": sample.distance.resources,
        "random": sample.chance.map(chance_json),
        "measures": findings.collect::<Vec<_>>(),
    })
}

fn chance_json(chance: Chance) -> Value {
    let Chance { draws, mean, deviation, p5, p50, p95, least, best_of_16 } = chance;
    json!({
        "draws": draws, "mean": mean, "deviation": deviation, "p5": p5, "p50": p50, "p95": p95, "least": least,
        "bestOf16": best_of_16,
    })
}

fn load_json(load: &LoadFigures) -> Value {
    let LoadFigures { functions, invocations, peak_rate, mean_rate, cores, peak_cores, memory_mib } = *load;
    json!({
        "functions": functions, "invocations": invocations, "meanRate": mean_rate, "peakRate": peak_rate,
        "busyCores": cores, "peakBusyCores": peak_cores, "memoryMib": memory_mib,
    })
}

/// What differs between two traces: quantities, and the first `shown` functions of each kind.
pub(crate) fn difference(difference: &Difference, shown: usize) -> String {
    let Difference { only_first, only_second, changed, alike, quantities } = difference;
    let rows: Rows = quantities
        .iter()
        .map(|quantity| {
            let median = |value| known(value, digits);
            let distance = |value| known(value, number);
            let (first, second) = (median(quantity.first), median(quantity.second));
            vec![quantity.name.to_owned(), first, second, distance(quantity.distance), distance(quantity.greatest)]
        })
        .collect();
    let mut out = figures(&["MEDIAN OF FUNCTIONS", "A", "B", "D", "KS"], rows);
    out.push_str(&format!(
        "\n{alike} functions are alike, {} differ, {} are only in A, {} only in B\n",
        changed.len(),
        only_first.len(),
        only_second.len()
    ));
    let listed = |name: &str, ids: &[String]| {
        let rows = ids.iter().take(shown).map(|id| vec![name.to_owned(), id.clone()]).collect();
        if ids.is_empty() { String::new() } else { text(&["", "FUNCTION"], rows) }
    };
    if shown == 0 {
        return out;
    }
    if !changed.is_empty() {
        let rows: Rows = changed
            .iter()
            .take(shown)
            .map(|change| {
                let cells = |figures: &FunctionFigures| {
                    let runtime = known(figures.runtime_ms, |ms| format!("{ms:.1} ms"));
                    [figures.invocations.to_string(), runtime, known(figures.memory_mib, mib)]
                };
                let ([a, b, c], [d, e, f]) = (cells(&change.first), cells(&change.second));
                vec![change.id.clone(), a, d, b, e, c, f]
            })
            .collect();
        let header = ["FUNCTION", "INVOCATIONS A", "B", "RUN TIME A", "B", "MEMORY A", "B"];
        out.push_str(&figures(&header, rows));
    }
    out.push_str(&listed("only in A", only_first));
    out.push_str(&listed("only in B", only_second));
    out
}

/// The same as JSON, with all functions.
pub(crate) fn difference_json(difference: &Difference) -> Value {
    let of = |figures: &FunctionFigures| {
        json!({
            "invocations": figures.invocations, "runtimeMs": figures.runtime_ms, "memoryMib": figures.memory_mib,
        })
    };
    let quantities = difference.quantities.iter().map(|quantity| {
        json!({
            "quantity": quantity.name, "first": quantity.first, "second": quantity.second,
            "distance": quantity.distance, "greatest": quantity.greatest,
        })
    });
    let changed = difference
        .changed
        .iter()
        .map(|change| json!({ "function": change.id, "first": of(&change.first), "second": of(&change.second) }));
    json!({
        "alike": difference.alike,
        "changed": changed.collect::<Vec<_>>(),
        "onlyFirst": difference.only_first,
        "onlySecond": difference.only_second,
        "quantities": quantities.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use loader_trace::edit::{FunctionChange, Quantity};
    use loader_trace::sample::{Distance, Finding};

    use super::*;

    fn load(functions: usize) -> LoadFigures {
        LoadFigures {
            functions,
            invocations: 540,
            peak_rate: 0.3,
            mean_rate: 0.15,
            cores: 0.28,
            peak_cores: 0.92,
            memory_mib: 43.1,
        }
    }

    #[test]
    fn each_measure_stands_beside_random_samples() {
        let chance = Chance {
            draws: 1000,
            mean: 0.5,
            deviation: 0.1,
            p5: 0.4,
            p50: 0.5,
            p95: 0.7,
            least: 0.3,
            best_of_16: 0.38,
        };
        let sample = Sample {
            functions: vec![0, 4, 7],
            weights: vec![3.0, 3.0, 4.0],
            load: load(3),
            distance: Distance { invocations: 0.3, resources: 0.2, weighted_j: None, bound: 0.125 },
            chance: Some(chance),
            findings: vec![
                (Finding { measure: "D memory", value: Some(0.01) }, Some(chance)),
                (Finding { measure: "owners kept", value: None }, None),
            ],
        };
        let sampled = Sampled { whole: load(10), assumed_memory: 0, samples: vec![sample] };
        insta::assert_snapshot!(samples(&sampled), @r"
        FUNCTIONS  INVOCATIONS  MEAN RATE  PEAK RATE  BUSY CORES  PEAK CORES  MEMORY
        the trace          540     0.15/s     0.30/s        0.28        0.92  43 MiB
        3                  540     0.15/s     0.30/s        0.28        0.92  43 MiB

        3 functions
        MEASURE        SAMPLE  RANDOM     RANDOM 5-95 %  BEST OF 16
        J              0.2500  0.5000  0.4000 to 0.7000      0.3800
        J*             0.5000
        J by weights        –
        W invocations  0.3000
        W resources    0.2000
        D memory       0.0100  0.5000  0.4000 to 0.7000
        owners kept         –       –                 –
        no sample of 3 functions has a J below 0.1250
        ");
        let json = samples_json(&sampled);
        assert_eq!(json["samples"][0]["random"]["bestOf16"], 0.38);
        assert_eq!(json["samples"][0]["jByWeights"], Value::Null);
        assert_eq!(json["trace"]["functions"], 10);
    }

    #[test]
    fn differences_are_counted_and_the_first_shown() {
        let figures =
            |invocations| FunctionFigures { invocations, runtime_ms: Some(10.0), ..FunctionFigures::default() };
        let change = FunctionChange { id: "f".to_owned(), first: figures(5), second: figures(7) };
        let quantity = Quantity {
            name: "invocations",
            first: Some(5.0),
            second: Some(7.0),
            distance: Some(0.125),
            greatest: Some(1.0),
        };
        let found = Difference {
            only_first: vec!["a".to_owned(), "b".to_owned()],
            only_second: Vec::new(),
            changed: vec![change],
            alike: 2,
            quantities: vec![quantity],
        };
        insta::assert_snapshot!(difference(&found, 1), @r"
        MEDIAN OF FUNCTIONS     A     B       D      KS
        invocations          5.00  7.00  0.1250  1.0000

        2 functions are alike, 1 differ, 2 are only in A, 0 only in B
        FUNCTION  INVOCATIONS A  B  RUN TIME A        B  MEMORY A  B
        f                     5  7     10.0 ms  10.0 ms         –  –
                   FUNCTION
        only in A  a
        ");
        assert_eq!(difference_json(&found)["onlyFirst"], json!(["a", "b"]));
    }
}
