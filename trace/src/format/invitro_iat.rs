//! Plans that InVitro's loader writes with `--iatGeneration`: `iat<i>.json`, one for each function.
//!
//! - `IAT`: inter-arrival times in microseconds, the first from the start of the load: an invocation is due at the sum of
//!   all up to its own;
//! - `RuntimeSpecification`: what each invocation asks for, `{"Runtime": ms, "Memory": MiB}`;
//! - `PerMinuteCount` and `RawDuration`, which the other two contain.
//!
//! The files have no names of functions: a function is called as its file.
//!
//! Source: repository `vhive-serverless/invitro`, `pkg/common/specification_types.go`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::calls::{Call, Calls, Origin, Whose, whole_mib};
use super::fault::Fault;
use super::header::Header;
use super::problem::Problem;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::table::Amount;
use super::tags::Tags;
use crate::trace::Trace;

const KEYS: [&str; 4] = ["iat", "perminutecount", "rawduration", "runtimespecification"];

pub(super) struct InvitroIat;

impl Reader for InvitroIat {
    fn name(&self) -> &'static str {
        "invitro-iat"
    }

    fn files(&self) -> &'static str {
        "iat<i>.json with IAT and RuntimeSpecification"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        matches!(header, Header::Json(key) if KEYS.contains(&key.to_ascii_lowercase().as_str()))
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        number(&tags.stem).is_some() && tags.stem.starts_with("iat")
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], _selection: &Selection) -> Option<Vec<String>> {
        let mut ordered: Vec<(Tags, &String)> = mains.iter().map(|name| (reading.files.tags(name), name)).collect();
        ordered.sort_by(|(a, first), (b, second)| {
            (&a.folder, number(&a.stem), first).cmp(&(&b.folder, number(&b.stem), second))
        });
        if let Some(pair) = ordered.windows(2).find(|pair| pair[0].0.folder != pair[1].0.folder) {
            let names = pair.iter().map(|(_, name)| (*name).clone()).collect();
            let location = reading.files.location();
            return reading.take(&location, Err(Problem::SeveralTables { what: "sets of plans", names }));
        }
        Some(ordered.into_iter().map(|(_, name)| name.clone()).collect())
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        reading.without_sets(selection)?;
        let names = self.needs(reading, mains, selection)?;
        let mut calls = Calls::new(Origin::Zero, true);
        let (mut left, mut is_whole) = (selection.limits.invocations, true);
        for name in &names {
            let read = read(reading, name, left, &mut calls, selection);
            match reading.faults.take(read) {
                Some(count) => left = left.saturating_sub(count),
                None => is_whole = false,
            }
        }
        let location = reading.files.location();
        is_whole.then(|| calls.into_trace(reading, &location, selection)).flatten()
    }
}

/// The number at the end of a name.
fn number(stem: &str) -> Option<u64> {
    let digits = stem.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok()
}

/// Reads the plan of one function, of at most `most` invocations: how many it has.
fn read(
    reading: &Reading<'_>,
    file: &str,
    most: usize,
    calls: &mut Calls,
    selection: &Selection,
) -> Result<usize, Fault> {
    let in_file = |problem| Fault::in_file(file, problem);
    let open = reading.files.open(file).map_err(in_file)?;
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(open));
    let plan = Plan { most }.deserialize(&mut json).and_then(|plan| json.end().map(|()| plan));
    let FunctionPlan { gaps_us, sizes } = plan.map_err(|error| fault(file, &error))?;
    if sizes.len() < gaps_us.len() {
        let rule = format!("IAT has {} entries, RuntimeSpecification {}", gaps_us.len(), sizes.len());
        return Err(in_file(Problem::Json(rule)));
    }
    let stem = reading.files.tags(file).stem;
    calls.function(&stem, Whose::default(), selection).map_err(in_file)?;
    let mut sum_us = 0.0;
    for (index, (gap_us, size)) in gaps_us.iter().zip(&sizes).enumerate() {
        let bad = |what: &str, value: f64| in_file(Problem::Json(format!("{what} of invocation {index} is {value}")));
        if !(gap_us.is_finite() && *gap_us >= 0.0) {
            return Err(bad("IAT", *gap_us));
        }
        sum_us += gap_us;
        let start = sum_us * 1000.0;
        if !Amount::NANOSECONDS.contains(start) {
            return Err(bad("the sum of IAT up to that", sum_us));
        }
        if !(0.0..=MOST_RUNTIME_MS).contains(&size.runtime_ms) {
            return Err(bad("Runtime", size.runtime_ms));
        }
        if !Amount::MEBIBYTES.contains(size.memory_mib) {
            return Err(bad("Memory", size.memory_mib));
        }
        let (start_ns, runtime_us) = (nanos(start), micros(size.runtime_ms));
        let call = Call { start_ns, runtime_us, memory_mib: whole_mib(size.memory_mib) };
        calls.add(&stem, Whose::default(), call, selection).map_err(in_file)?;
    }
    Ok(gaps_us.len())
}

/// Longest run time, whose microseconds fit into 32 bits.
const MOST_RUNTIME_MS: f64 = 4_294_967.0;

/// A fault of the JSON, with its line.
fn fault(file: &str, error: &serde_json::Error) -> Fault {
    let problem = match error.io_error_kind() {
        Some(_) => Problem::Unreadable(std::io::Error::other(error.to_string())),
        None => Problem::Json(error.to_string()),
    };
    let line = (error.line() > 0).then(|| error.line() as u64);
    Fault { line, ..Fault::in_file(file, problem) }
}

#[expect(clippy::cast_possible_truncation, reason = "within Amount::NANOSECONDS")]
fn nanos(ns: f64) -> i64 {
    ns.round() as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to MOST_RUNTIME_MS")]
fn micros(ms: f64) -> u32 {
    (ms * 1000.0).round() as u32
}

/// The plan of one function.
#[derive(Default)]
struct FunctionPlan {
    gaps_us: Vec<f64>,
    sizes: Vec<Size>,
}

/// What an invocation asks for.
#[derive(Deserialize)]
struct Size {
    #[serde(rename = "Runtime", alias = "runtime")]
    runtime_ms: f64,
    #[serde(rename = "Memory", alias = "memory")]
    memory_mib: f64,
}

/// Reads a [`FunctionPlan`] with at most `most` invocations; keys in any letter case, as in Go.
struct Plan {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Plan {
    type Value = FunctionPlan;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FunctionPlan, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Plan {
    type Value = FunctionPlan;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with IAT and RuntimeSpecification")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FunctionPlan, A::Error> {
        let (mut gaps_us, mut sizes) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.to_ascii_lowercase().as_str() {
                "iat" => gaps_us = Some(map.next_value_seed(Items::of(self.most))?),
                "runtimespecification" => sizes = Some(map.next_value_seed(Items::of(self.most))?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let gaps_us = gaps_us.ok_or_else(|| A::Error::missing_field("IAT"))?;
        let sizes = sizes.ok_or_else(|| A::Error::missing_field("RuntimeSpecification"))?;
        Ok(FunctionPlan { gaps_us, sizes })
    }
}

/// Reads a list of at most `most` items; `null`, which Go writes for an empty one, has none.
struct Items<T> {
    most: usize,
    items: PhantomData<T>,
}

impl<T> Items<T> {
    fn of(most: usize) -> Self {
        Self { most, items: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Items<T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() >= self.most {
                return Err(A::Error::custom(format!("there are more than {} invocations", self.most)));
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests;
