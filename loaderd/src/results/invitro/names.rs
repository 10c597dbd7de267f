//! The names of functions and instances in the shape of InVitro's, which scripts split at `-`.
//!
//! ```text
//! trace-func-<i>-<number>                                  a function: its index, and a number that tells runs apart
//! trace-func-<i>-<number>-00001-deployment-<rest>          an instance of it
//! ```

use std::{collections::HashMap, path::Path};

use loader_proto::schema::FunctionRecord;
use sha2::{Digest as _, Sha256};

use super::tables::rows;
use crate::results::piece::ExportError;

/// What stands between a pod's function and the rest of its name.
const DEPLOYMENT: &str = "-deployment-";

/// The names of a run.
pub(super) struct Names {
    run: String,
    functions: HashMap<String, String>,
}

impl Names {
    /// Names the functions of a run, by their order in functions.csv.
    pub(super) fn read(directory: &Path, run: &str) -> Result<Self, ExportError> {
        let mut names = Self { run: run.to_owned(), functions: HashMap::new() };
        for function in rows::<FunctionRecord<'_>>(directory)? {
            names.function(&function?.function);
        }
        Ok(names)
    }

    /// The name of a function. One that functions.csv does not have comes after those that it has.
    pub(super) fn function(&mut self, function: &str) -> String {
        if let Some(name) = self.functions.get(function) {
            return name.clone();
        }
        let name = format!("trace-func-{}-{}", self.functions.len(), number(&self.run, function));
        self.functions.insert(function.to_owned(), name.clone());
        name
    }

    /// The name of an instance of a function; the function's where none answered.
    pub(super) fn instance(&mut self, function: &str, instance: &str) -> String {
        let function = self.function(function);
        if instance.is_empty() { function } else { function + &rest(instance) }
    }
}

/// A number that is the same for a function of a run, and another one elsewhere.
fn number(run: &str, function: &str) -> u64 {
    let digest = Sha256::new().chain_update(run).chain_update("/").chain_update(function).finalize();
    let bytes = digest.iter().take(8);
    bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte)) >> 1
}

/// What follows the function in the name of an instance: of a pod its revision and the rest, of others a first revision and
/// the whole name.
fn rest(instance: &str) -> String {
    let revision = instance.find(DEPLOYMENT).and_then(|end| {
        let begin = instance.get(..end)?.rfind('-')?;
        let digits = instance.get(begin + 1..end)?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(begin)
    });
    match revision.and_then(|begin| instance.get(begin..)) {
        Some(rest) => rest.to_owned(),
        None => {
            let label = instance.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
            format!("-00001{DEPLOYMENT}{}", label.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_named_after_their_functions() {
        let mut names = Names { run: "r".to_owned(), functions: HashMap::new() };
        let (first, second) = (names.function("a"), names.function("b"));
        assert!(first.starts_with("trace-func-0-") && second.starts_with("trace-func-1-"), "{first} {second}");
        assert_eq!(names.function("a"), first);
        for (instance, rest) in [
            ("a-142501123-9f3a-00001-deployment-5f8c7c-abcde", "-00001-deployment-5f8c7c-abcde"),
            ("a-7", "-00001-deployment-a-7"),
            ("host.example:80_1", "-00001-deployment-host-example-80-1"),
            ("a-x-deployment-y", "-00001-deployment-a-x-deployment-y"),
            ("", ""),
        ] {
            assert_eq!(names.instance("a", instance), format!("{first}{rest}"), "{instance}");
        }
        // Of another run, another number.
        let other = Names { run: "s".to_owned(), functions: HashMap::new() }.function("a");
        assert!(other.starts_with("trace-func-0-") && other != first, "{other}");
    }
}
