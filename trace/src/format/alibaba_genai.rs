//! Alibaba's generative AI serving 2026 (GenTD26): `lora_request_trace.csv`, a row for each request.
//!
//! - `gmt_create`: when it was made, a date and a time to the second; the first is the start of the trace;
//! - `exec_time_seconds`: how long it ran;
//! - `checkpoint_model_version_id`: the model, which is taken for the function;
//! - `groupId`: the user, which is its owner. Memory is not known.
//!
//! Source: Lin et al., "Understanding Diffusion Model Serving in Production" (SoCC 2025); repository `alibaba/clusterdata`,
//! `cluster-trace-v2026-GenAI`.

use jiff::civil::{DateTime, date};

use super::calls::{Call, Calls, Origin, Whose, runtime_s, whole_us};
use super::fault::Fault;
use super::header::Header;
use super::problem::Problem;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::table::{Row, Table};
use super::tags::Tags;
use crate::trace::Trace;

const COLUMNS: [&str; 3] = ["gmt_create", "exec_time_seconds", "checkpoint_model_version_id"];

pub(super) struct AlibabaGenai;

impl Reader for AlibabaGenai {
    fn name(&self) -> &'static str {
        "alibaba-genai"
    }

    fn files(&self) -> &'static str {
        "tables gmt_create, exec_time_seconds, checkpoint_model_version_id, …"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        header.has(&COLUMNS)
    }

    fn needs(&self, _reading: &mut Reading<'_>, mains: &[String], _selection: &Selection) -> Option<Vec<String>> {
        Some(mains.to_vec())
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        reading.without_sets(selection)?;
        let mut calls = Calls::new(Origin::First, false);
        for file in mains {
            read(reading, file, selection, &mut calls)?;
        }
        let location = reading.files.location();
        calls.into_trace(reading, mains.first().unwrap_or(&location), selection)
    }
}

fn read(reading: &mut Reading<'_>, file: &str, selection: &Selection, calls: &mut Calls) -> Option<()> {
    let mut table = Table::open(reading, file)?;
    let [created, ran, model] = table.columns(COLUMNS, &mut reading.faults)?;
    let group = reading.faults.take(table.find("groupId"))?;
    while let Some(row) = table.next_row(&mut reading.faults) {
        let model = reading.faults.take(row.id(model));
        let owner = reading.faults.take(group.map_or(Ok(""), |group| row.text(group)));
        let start_ns = reading.faults.take(time_ns(&row, created));
        let ran = runtime_s(reading, &row, ran, model.unwrap_or_default(), selection);
        if let (Some(model), Some(owner), Some(start_ns), Some(ran)) = (model, owner, start_ns, ran) {
            let call = Call { start_ns, runtime_us: whole_us(ran), memory_mib: None };
            let added = calls.add(model, Whose { owner, app: "" }, call, selection);
            reading.take(file, added)?;
        }
    }
    Some(())
}

/// A date and time, as nanoseconds since 1970 on a clock without leaps.
fn time_ns(row: &Row<'_>, column: usize) -> Result<i64, Fault> {
    let text = row.text(column)?;
    let not_a_time = || row.fault(column, Problem::NotATime(text.to_owned()));
    let time: DateTime = text.parse().map_err(|_| not_a_time())?;
    let since = time.duration_since(date(1970, 1, 1).at(0, 0, 0, 0));
    i64::try_from(since.as_nanos()).map_err(|_| not_a_time())
}

#[cfg(test)]
mod tests {
    use crate::format::report::Reason;
    use crate::format::tests::{complaint, events, files, read_all};

    /// The columns and example of the data set's readme.
    const TEXT: &str = "\
gmt_create,predict_type,predict_status,exec_time_seconds,groupId,prompt_length,negative_prompt_length,\
num_images_per_prompt,num_inference_steps,checkpoint_model_version_id,num_lora
2024-11-15 16:57:50,TXT_2_IMG,SUCCEED,32.0,G0000,63.0,26.0,1.0,30.0,M0000,0
2024-11-15 16:57:49.5,IMG_2_IMG,SUCCEED,0.25,G0001,63.0,,1.0,30.0,M0001,2
2024-11-16 00:00:00,TXT_2_IMG,PROCESSING,,G0000,63.0,26.0,1.0,30.0,M0000,0
";

    #[test]
    fn requests_have_exact_times() {
        let (trace, report) =
            read_all(&files(&[("lora_request_trace.csv", TEXT), ("qps.csv", "timestamp_anon,value\n")]));
        let found: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), events(function))).collect();
        assert_eq!(found, [("M0000", vec![(500_000_000, 32_000_000, 0)]), ("M0001", vec![(0, 250_000, 0)])]);
        assert_eq!(report.left_out[&Reason::NoRuntime].examples, ["M0000"]);
    }

    #[test]
    fn bad_times_are_named() {
        let text = TEXT.replace("2024-11-15 16:57:50", "yesterday").replace("0.25", "fast");
        assert_eq!(
            complaint(&files(&[("a.csv", &text)])),
            "a.csv:2: column gmt_create: \"yesterday\" is not a date and time such as 2024-11-15 16:57:50\n\
             a.csv:3: column exec_time_seconds: \"fast\" is not a number"
        );
    }
}
