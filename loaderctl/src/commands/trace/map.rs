//! `trace map`: a real function for each function of a trace.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use loader_trace::Trace;
use loader_trace::proxy::{self, Mapping, Proxies, Rule};
use serde_json::json;

use super::files::{read, write_file};
use crate::cli::{MapArguments, RuleName};
use crate::{Ending, Failure, output, output::note, render};

/// Most bytes of a profile, unpacked.
const MOST_BYTES: u64 = 64 << 20;

/// Chooses functions, writes them to a file, and prints how far off they are.
pub(super) fn map(format: output::Format, arguments: MapArguments) -> Result<Ending, Failure> {
    let MapArguments { input, profile, rule, to, force } = arguments;
    let text = unpacked(&profile)
        .map_err(|source| Failure::System { doing: format!("cannot read {}", profile.display()), source })?;
    let proxies = Proxies::parse(&text).map_err(|error| Failure::Input(format!("{}: {error}", profile.display())))?;
    let trace = read(&input.path, &input.reading)?.trace;
    let rule = match rule {
        RuleName::Distribution => Rule::Distribution,
        RuleName::Medians => Rule::Medians,
    };
    let mapping = proxy::map(&trace, &proxies, rule);
    write_file(&to, &functions(&trace, &proxies, &mapping), force)?;
    match format {
        output::Format::Table => output::text(&render::mapping(&mapping))?,
        output::Format::Json => output::json(&render::mapping_json(&mapping))?,
    }
    note(&format!("{} functions are in {}", mapping.choices.len() - mapping.unmapped, to.display()));
    Ok(Ending::Done)
}

/// The text of a file, unpacked if it is gzipped.
fn unpacked(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let mut text = String::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(MOST_BYTES).read_to_string(&mut text)?
    } else {
        bytes.as_slice().take(MOST_BYTES).read_to_string(&mut text)?
    };
    if read as u64 == MOST_BYTES {
        return Err(io::Error::other(format!("it has more than {MOST_BYTES} bytes")));
    }
    Ok(text)
}

/// The file: a list of the trace's functions, each with its real one. Strings are quoted as in JSON, which YAML takes.
fn functions(trace: &Trace, proxies: &Proxies, mapping: &Mapping) -> String {
    let mut text = "# Real functions for those of a trace, chosen by loaderctl trace map.\nfunctions:\n".to_owned();
    for choice in &mapping.choices {
        let Some(proxy) = choice.proxy.and_then(|place| proxies.get(place)) else { continue };
        let function = &trace.functions[choice.function];
        text.push_str(&format!("  - name: {}\n    function: {}\n", json!(function.id), json!(proxy.name)));
        if let Some(yaml) = &proxy.yaml {
            text.push_str(&format!("    yaml: {}\n", json!(yaml)));
        }
    }
    text
}
