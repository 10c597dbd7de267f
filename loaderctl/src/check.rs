//! Whether the files of a run are still what the run left: each against its length and checksum in manifest.json.

use std::{collections::BTreeMap, fmt};

use loader_proto::{
    json,
    v1::{Manifest, ManifestFile},
};
use sha2::{Digest as _, Sha256};

use loader_report::spreadsheet::Cells;

const MANIFEST: &str = "manifest.json";
/// The run's state, which changes after the manifest was written.
const STATE: &str = "run.json";
/// The version of the manifest that is understood here.
const VERSION: u32 = 1;

/// Takes the files of a run, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    files: BTreeMap<String, Content>,
    manifest: Option<Vec<u8>>,
    /// Whether CSV files may be those that `results` made safe for spreadsheets.
    may_be_safe: bool,
}

/// A file as it was found.
#[derive(Debug, Default)]
struct Content {
    as_is: Digest,
    /// Of a CSV file: as it was before its cells were made safe.
    undone: Option<(Cells, Digest)>,
}

/// Length and checksum.
#[derive(Debug, Default)]
struct Digest {
    bytes: u64,
    hash: Sha256,
}

impl Digest {
    fn update(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        self.hash.update(data);
    }

    fn finish(self) -> (u64, String) {
        (self.bytes, self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    /// The run, as the manifest has it.
    pub(crate) manifest: Manifest,
    /// What is wrong, file by file.
    pub(crate) faults: Vec<Fault>,
    /// Unexpected files, which are no fault: people add plots to their data.
    pub(crate) extra: Vec<String>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) description: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.description)
    }
}

impl Checker {
    /// For a directory that `results` may have written, with cells that are safe in a spreadsheet.
    pub(crate) fn of_directory() -> Self {
        Self { may_be_safe: true, ..Self::default() }
    }

    /// Goes on with a file. A file that is empty has one empty piece.
    pub(crate) fn take(&mut self, name: &str, data: &[u8]) {
        match name {
            MANIFEST => self.manifest.get_or_insert_default().extend_from_slice(data),
            STATE => {}
            _ => {
                let may_be_safe = self.may_be_safe && name.ends_with(".csv");
                let content = self.files.entry(name.to_owned()).or_insert_with(|| Content {
                    undone: may_be_safe.then(|| (Cells::undo(), Digest::default())),
                    ..Content::default()
                });
                content.as_is.update(data);
                if let Some((cells, digest)) = &mut content.undone {
                    digest.update(&cells.push(data));
                }
            }
        }
    }

    /// Compares what was taken with the manifest.
    ///
    /// # Errors
    /// What is wrong with the manifest itself: then nothing is known of the files.
    pub(crate) fn finish(mut self) -> Result<Checked, Fault> {
        let manifest = read(self.manifest.take())?;
        let mut faults = Vec::new();
        for file in &manifest.files {
            let content = self.files.remove(&file.name);
            faults.extend(fault(file, content).map(|description| Fault { file: file.name.clone(), description }));
        }
        Ok(Checked { manifest, faults, extra: self.files.into_keys().collect() })
    }
}

fn read(text: Option<Vec<u8>>) -> Result<Manifest, Fault> {
    let fault = |text: &str| Fault { file: MANIFEST.to_owned(), description: text.to_owned() };
    let missing = "is missing: the run has not ended, or the file was removed; nothing can be verified";
    let text = text.ok_or_else(|| fault(missing))?;
    let damaged = |why: &str| fault(&format!("is damaged, so that nothing can be verified: {why}"));
    let value = serde_json::from_slice(&text).map_err(|error| damaged(&error.to_string()))?;
    let (manifest, faults): (Manifest, _) = json::from_value(&value);
    match faults.first() {
        Some(json::Fault { field, description }) => Err(damaged(&format!("{field}: {description}"))),
        None if manifest.version != VERSION => {
            Err(fault(&format!("has version {}; this loaderctl knows {VERSION}", manifest.version)))
        }
        None => Ok(manifest),
    }
}

/// What is wrong with a file, if anything.
fn fault(file: &ManifestFile, content: Option<Content>) -> Option<String> {
    let ManifestFile { name: _, bytes, sha256, rows: _, cut_off_bytes } = file;
    let Some(Content { as_is, undone }) = content else { return Some("is missing".to_owned()) };
    let undone = undone.map(|(mut cells, mut digest)| {
        digest.update(&cells.finish());
        digest.finish()
    });
    let (found_bytes, found) = as_is.finish();
    let is_safe_copy = undone.is_some_and(|undone| undone == (*bytes, sha256.clone()));
    if !is_safe_copy && found_bytes != *bytes {
        let how = if found_bytes < *bytes { "is cut off" } else { "has grown" };
        return Some(format!("{how}: {found_bytes} bytes, expected {bytes}"));
    }
    if !is_safe_copy && found != *sha256 {
        return Some(format!("was changed: SHA-256 {found}, expected {sha256}"));
    }
    (*cut_off_bytes > 0).then(|| format!("its last row was cut off by a crash; {cut_off_bytes} bytes of it remain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn manifest(cut_off_bytes: u64) -> String {
        format!(
            r#"{{"version":1,"runId":"r","state":"RUN_STATE_SUCCEEDED","writtenUnixUs":5,"files":[{{"name":"a.csv",
            "bytes":3,"sha256":"{ABC}","rows":1,"cutOffBytes":{cut_off_bytes}}}]}}"#
        )
    }

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let mut checker = Checker::default();
        files.iter().for_each(|(name, data)| checker.take(name, data.as_bytes()));
        match checker.finish() {
            Ok(checked) => checked.faults.iter().map(ToString::to_string).collect(),
            Err(fault) => vec![fault.to_string()],
        }
    }

    #[test]
    fn what_is_as_the_run_left_it_has_no_fault() {
        let mut checker = Checker::default();
        for (name, data) in [("a.csv", "a"), (MANIFEST, &manifest(0)), ("a.csv", "bc"), (STATE, "{}"), ("plot.png", "")]
        {
            checker.take(name, data.as_bytes());
        }
        let checked = checker.finish().expect("a manifest");
        assert_eq!((checked.faults, checked.extra), (vec![], vec!["plot.png".to_owned()]));
        assert_eq!(checked.manifest.run_id, "r");
    }

    #[test]
    fn a_copy_that_is_safe_in_a_spreadsheet_is_as_the_run_left_it() {
        // Of "e\n=1\n".
        let sha256 = "e724c21f172275e5018a9eb7dcfd50293e28f5cf99a36c59ccd03d493618cf8c";
        let manifest = manifest(0).replace(ABC, sha256).replace(r#""bytes":3"#, r#""bytes":5"#);
        let faults = |mut checker: Checker, content: &str| {
            checker.take(MANIFEST, manifest.as_bytes());
            content.as_bytes().chunks(2).for_each(|piece| checker.take("a.csv", piece));
            checker.finish().expect("a manifest").faults.len()
        };
        assert_eq!(faults(Checker::of_directory(), "e\n=1\n"), 0);
        assert_eq!(faults(Checker::of_directory(), "e\n'=1\n"), 0);
        assert_eq!(faults(Checker::of_directory(), "e\n''=1\n"), 1);
        assert_eq!(faults(Checker::of_directory(), "e\n'=2\n"), 1);
        // What the daemon sends is as it was.
        assert_eq!(faults(Checker::default(), "e\n'=1\n"), 1);
    }

    #[test]
    fn each_fault_is_described() {
        let whole = manifest(0);
        for (files, expected) in [
            (vec![("a.csv", "ab"), (MANIFEST, &*whole)], "a.csv: is cut off: 2 bytes, expected 3"),
            (vec![("a.csv", "abcd"), (MANIFEST, &whole)], "a.csv: has grown: 4 bytes, expected 3"),
            (vec![(MANIFEST, &whole)], "a.csv: is missing"),
            (
                vec![("a.csv", "abc"), (MANIFEST, &manifest(7))],
                "a.csv: its last row was cut off by a crash; 7 bytes of it remain",
            ),
            (
                vec![("a.csv", "abc")],
                "manifest.json: is missing: the run has not ended, or the file was removed; nothing can be verified",
            ),
            (vec![(MANIFEST, "{\"version\": 2}")], "manifest.json: has version 2; this loaderctl knows 1"),
        ] {
            assert_eq!(faults(&files), [expected]);
        }
        let changed = faults(&[("a.csv", "abd"), (MANIFEST, &whole)]);
        assert!(changed[0].starts_with("a.csv: was changed: SHA-256 a52d159f2"), "{changed:?}");
        let damaged = faults(&[("a.csv", "abc"), (MANIFEST, "{\"version\": ")]);
        assert!(
            damaged[0].starts_with("manifest.json: is damaged, so that nothing can be verified: EOF"),
            "{damaged:?}"
        );
    }
}
