//! `study import`: the study that a multi-loader file of InVitro becomes.

use std::path::{Path, PathBuf};

use loader_proto::{
    json::{from_value, to_yaml},
    v1::StudySpec,
};
use serde_json::Value;

use crate::{
    Ending, Failure,
    cli::StudyImportArguments,
    commands::{
        import::{comments, document, write},
        session::Session,
    },
    document::Document,
    invitro::{Around, Imported, import_study, is_multi_loader, located, member, studies},
    output::{self, Format, note},
};

/// Converts a study of a multi-loader file, and prints it or writes it to a file.
pub(in crate::commands) fn import(session: &Session, arguments: &StudyImportArguments) -> Result<Ending, Failure> {
    let StudyImportArguments { file, study: wanted, to, lenient, force } = arguments;
    let multi = document(file)?;
    if !is_multi_loader(&multi) {
        let text = format!("{} is no multi-loader file of InVitro: it has no Studies", file.display());
        return Err(Failure::Input(text));
    }
    let study = chosen(&multi, wanted.as_deref())?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let to_folder = to.as_deref().map(|to| to.parent().unwrap_or(Path::new("")).to_owned());
    let around = around(&multi, &study, (folder, to_folder.as_deref()), *lenient)?;
    let Imported { document, notes, faults } = import_study(&multi, &study, &around);
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    let (study, faults) = from_value::<StudySpec>(&Value::Object(document));
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    let text = comments(file, &notes) + &to_yaml(&study);
    match (to, session.format) {
        (Some(to), _) => {
            write(to, &text, *force)?;
            notes.iter().for_each(|line| note(line));
            note(&format!("the study is in {}", to.display()));
        }
        (None, Format::Table) => output::text(&text)?,
        (None, Format::Json) => {
            notes.iter().for_each(|line| note(line));
            output::message(&study)?;
        }
    }
    Ok(Ending::Done)
}

/// The study of this name; without one, the only one.
fn chosen(multi: &Document, wanted: Option<&str>) -> Result<Document, Failure> {
    let mut studies = studies(multi);
    let names: Vec<_> = studies.iter().map(|(name, _)| name.clone()).collect();
    let found = match wanted {
        Some(wanted) => studies.iter().position(|(name, _)| name == wanted),
        None => (studies.len() == 1).then_some(0),
    };
    match (found, names.is_empty(), wanted) {
        (Some(found), ..) => Ok(studies.remove(found).1),
        (None, true, _) => Err(Failure::Input("the file has no studies".to_owned())),
        (None, false, None) => {
            Err(Failure::Input(format!("the file has several studies: choose one with --study: {}", names.join(", "))))
        }
        (None, false, Some(wanted)) => {
            Err(Failure::Input(format!("the file has no study {wanted:?}; it has {}", names.join(", "))))
        }
    }
}

/// What a study names, looked for where its file lies. Paths in the result start from where the study will lie, or from here where it is
/// printed.
fn around(
    multi: &Document,
    study: &Document,
    (folder, to): (&Path, Option<&Path>),
    lenient: bool,
) -> Result<Around, Failure> {
    let text = |document: &Document, key: &str| {
        member(document, key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let base = text(multi, "BaseConfigPath");
    let base = base
        .ok_or_else(|| Failure::Input("InVitro's BaseConfigPath is absent: the loader's configuration".to_owned()))?;
    let base = located(folder, &base).unwrap_or_else(|| PathBuf::from(&base));
    let base = document(&folder.join(base))?;
    let place = |path: &Path| placed(&folder.join(path), folder, to);
    let found = |path: &str| located(folder, path).unwrap_or_else(|| PathBuf::from(path));
    let mut traces = Vec::new();
    if let Some(directory) = text(study, "TracesDir") {
        let directory = found(&directory);
        traces = entries(&folder.join(&directory))?.iter().map(|name| place(&directory.join(name))).collect();
    } else if let Some(format) = text(study, "TracesFormat") {
        let values = member(study, "TraceValues").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        traces = named.map(|value| place(&found(&format.replace("{}", &value)))).collect();
    }
    let config = member(study, "Config").and_then(Value::as_object);
    let own = config.and_then(|config| text(config, "TracePath")).or_else(|| text(&base, "TracePath"));
    let own = own.filter(|path| path != "RPS").map(|path| found(&path));
    let is_file = |path: &str| path.to_ascii_lowercase().ends_with(".csv");
    let trace_is_file = traces
        .first()
        .map_or_else(|| own.as_ref().is_some_and(|path| folder.join(path).is_file()), |first| is_file(first));
    Ok(Around { base, trace: own.map(|path| place(&path)), traces, trace_is_file, lenient })
}

/// A path from here, as one that starts where the study will lie.
fn placed(path: &Path, folder: &Path, to: Option<&Path>) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let placed = match to {
        Some(to) if absolute(&folder.join(".")) == absolute(&to.join(".")) => {
            path.strip_prefix(folder).unwrap_or(path).to_owned()
        }
        Some(_) => absolute(path),
        None => path.to_owned(),
    };
    placed.to_string_lossy().into_owned()
}

/// The names in a directory, in their order.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |source| Failure::System { doing: format!("cannot read {}", directory.display()), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        names.push(PathBuf::from(entry.map_err(failed)?.file_name()));
    }
    names.sort_unstable();
    Ok(names)
}
